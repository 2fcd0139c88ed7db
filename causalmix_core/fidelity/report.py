"""The outcome of a comparison, as an object, as JSON and as one page to pass on."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from causalmix_core.fidelity.figures import FIGURES, Figure

CEILING, FLOOR = "ceiling", "floor"

Figures = Mapping[str, float | None]
Intervals = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Report:
    """How synthetic rows compare with real ones.

    Attributes:
        generators: for each generator its figures; None where a figure does not apply.
        ceiling: the figures of real training rows, judged as if they were synthetic.
        floor: the figures of columns resampled each by itself.
        intervals: 95 % intervals of the figures, of the generators, "ceiling" and "floor".
        distances: for each column its distance from the real one, of all of these.
        settings: what was compared, and how.
        notes: why a figure is missing, and what else a reader should know.
    """

    generators: Mapping[str, Figures]
    ceiling: Figures
    floor: Figures
    intervals: Mapping[str, Intervals]
    distances: Mapping[str, Mapping[str, float]]
    settings: Mapping[str, Any]
    notes: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as the file that `compare --out` writes holds it."""
        return {
            "generators": {name: dict(figures) for name, figures in self.generators.items()},
            "ceiling": dict(self.ceiling),
            "floor": dict(self.floor),
            "intervals": {
                name: {figure: list(ends) for figure, ends in intervals.items()}
                for name, intervals in self.intervals.items()
            },
            "columns": {
                column: {name: found[name] for name in self.generators}
                for column, found in self.distances.items()
            },
            "yardsticks": {
                column: {name: found[name] for name in (CEILING, FLOOR) if name in found}
                for column, found in self.distances.items()
            },
            "settings": dict(self.settings),
            "notes": dict(self.notes),
        }

    def to_html(self) -> str:
        """Return one HTML page that needs nothing else; names are escaped."""
        notes = "".join(
            f"<li><b>{escape(str(key))}</b>: {escape(str(note))}</li>"
            for key, note in self.notes.items()
        )
        return _PAGE.format(
            title=escape(f"Synthetic rows of {self.settings.get('table', 'the table')}"),
            summary=escape(
                f"{self.settings.get('rows')} rows of each set, compared with "
                f"{self.settings.get('real_rows')} real rows; seed {self.settings.get('seed')}. "
                "Read every figure between the floor (every column resampled by itself) and the "
                "ceiling (real rows); in brackets its 95 % interval."
            ),
            figures=self._figures_table(),
            columns=self._columns_table(),
            notes=f"<h2>Notes</h2><ul>{notes}</ul>" if notes else "",
        )

    def _figures_table(self) -> str:
        sets = {CEILING: self.ceiling, **self.generators, FLOOR: self.floor}
        body = "".join(
            f"<tr><th>{escape(figure.title)}<small>{escape(figure.meaning)}</small></th>"
            + "".join(self._cell(name, figures, figure) for name, figures in sets.items())
            + "</tr>"
            for figure in FIGURES
        )
        return _table(list(sets), body)

    def _cell(self, name: str, figures: Figures, figure: Figure) -> str:
        value = figures.get(figure.name)
        if value is None:
            return "<td>–</td>"
        ends = self.intervals.get(name, {}).get(figure.name)
        band = ", ".join(_write(end, figure.digits) for end in ends) if ends else ""
        return f"<td>{_write(value, figure.digits)}<small>{band and f'[{band}]'}</small></td>"

    def _columns_table(self) -> str:
        measured = next(iter(self.distances.values()), {})
        names = [n for n in (CEILING, *self.generators, FLOOR) if n in measured]
        body = "".join(
            f"<tr><th>{escape(column)}</th>"
            + "".join(
                f'<td style="background:rgba(213,94,0,{min(found[name], 1) * 0.8:.2f})">'
                f"{_write(found[name], 3)}</td>"
                for name in names
            )
            + "</tr>"
            for column, found in self.distances.items()
        )
        return _table(names, body)


def _table(names: list[str], body: str) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _write(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; }}
body {{ margin: 2rem auto; padding: 0 1rem; max-width: 75rem; }}
h1 {{ font-size: 1.4rem; }} h2 {{ font-size: 1.1rem; margin-top: 2rem; }}
div {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #8886; }}
tbody th {{ text-align: left; max-width: 26rem; }}
small {{ display: block; font-weight: normal; opacity: .7; }}
td small {{ white-space: nowrap; }}
</style></head><body>
<h1>{title}</h1>
<p>{summary}</p>
<div>{figures}</div>
<h2>Distance of every column (0 = the same, 1 = nothing in common)</h2>
<div>{columns}</div>
{notes}
</body></html>
"""
