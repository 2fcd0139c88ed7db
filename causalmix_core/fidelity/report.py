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
        title = f"Synthetic rows of {self.settings.get('table', 'the table')}"
        return _PAGE.format(
            title=escape(title),
            summary=escape(self._summary()),
            figures=self._figures_table(),
            columns=self._columns_table(),
            meanings="".join(
                f"<dt>{escape(figure.title)}</dt><dd>{escape(figure.meaning)}</dd>"
                for figure in FIGURES
            ),
            notes="".join(
                f"<li><b>{escape(str(key))}</b>: {escape(str(note))}</li>"
                for key, note in self.notes.items()
            )
            or "<li>none</li>",
        )

    def _summary(self) -> str:
        return (
            f"{self.settings.get('rows')} rows of each set, compared with "
            f"{self.settings.get('real_rows')} real rows; seed {self.settings.get('seed')}. "
            "Read every figure between the floor (columns shuffled) and the ceiling (real rows); "
            "in brackets the 95 % interval."
        )

    def _figures_table(self) -> str:
        rows = {"ceiling (real rows)": (CEILING, self.ceiling)}
        rows.update({name: (name, figures) for name, figures in self.generators.items()})
        rows["floor (columns shuffled)"] = (FLOOR, self.floor)
        head = "".join(f"<th>{escape(figure.title)}</th>" for figure in FIGURES)
        body = "".join(
            f'<tr class="{"yard" if key in (CEILING, FLOOR) else ""}"><th>{escape(label)}</th>'
            + "".join(self._cell(key, figures, figure) for figure in FIGURES)
            + "</tr>"
            for label, (key, figures) in rows.items()
        )
        return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _cell(self, name: str, figures: Figures, figure: Figure) -> str:
        value = figures.get(figure.name)
        if value is None:
            return "<td>–</td>"
        ends = self.intervals.get(name, {}).get(figure.name)
        band = f"<small>[{_write(ends[0])}, {_write(ends[1])}]</small>" if ends else ""
        return f"<td>{_write(value)}{band}</td>"

    def _columns_table(self) -> str:
        names = [
            *self.generators,
            *(
                name
                for name in (CEILING, FLOOR)
                if any(name in row for row in self.distances.values())
            ),
        ]
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        body = "".join(
            f"<tr><th>{escape(column)}</th>"
            + "".join(
                f'<td style="background:rgba(213,94,0,{min(found[name], 1) * 0.8:.2f})">'
                f"{found[name]:.3f}</td>"
                for name in names
            )
            + "</tr>"
            for column, found in self.distances.items()
        )
        return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _write(value: float) -> str:
    return f"{value:.3f}" if abs(value) >= 0.001 or value == 0 else f"{value:.1e}"


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
th, td {{ padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #8886; }}
tbody th, thead th:first-child {{ text-align: left; }}
thead th {{ vertical-align: bottom; }}
tr.yard {{ opacity: .75; font-style: italic; }}
small {{ display: block; opacity: .7; white-space: nowrap; }}
dt {{ font-weight: 600; }} dd {{ margin: 0 0 .4rem 1rem; }}
</style></head><body>
<h1>{title}</h1>
<p>{summary}</p>
<div>{figures}</div>
<h2>Distance of every column (0 = the same, 1 = nothing in common)</h2>
<div>{columns}</div>
<h2>What the figures mean</h2>
<dl>{meanings}</dl>
<h2>Notes</h2>
<ul>{notes}</ul>
</body></html>
"""
