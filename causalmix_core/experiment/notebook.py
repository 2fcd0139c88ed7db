"""A Jupyter notebook (nbformat 4.5) that reads the downloaded results and draws them."""

import json
from typing import Any

_HEADING = """# Fine-tuning results

Put `results.csv` and `curves.csv` beside this notebook and run it where CausalMix is installed
(start Jupyter in CausalMix's folder, or set the environment variable `PYTHONPATH` to it). Nothing
is computed again: the notebook reads the two files."""

_CELLS = (
    (
        "Read the two files",
        """from pathlib import Path

import pandas as pd

from causalmix_core.experiment import statistics
from ui.charts import curve_figure, improvement_figure, rank_figure

folder = Path(".")
results = pd.read_csv(folder / "results.csv")
curves = pd.read_csv(folder / "curves.csv")
results[["table", "method", "seed", "roc_auc_test", "best_step", "seconds", "status"]]""",
    ),
    (
        "One line per method: gain over no fine-tuning in percent, ranks, gaps, times",
        """statistics.summarise(results, curves).set_index("method")""",
    ),
    (
        "Was it worth it?",
        """methods = [name for name in results["method"].unique() if name != statistics.BASELINE]
for name in methods:
    print(statistics.verdict(results, name))
print(statistics.scope(results))""",
    ),
    (
        "The curves; the step that was kept is marked",
        """done = results[results["status"] == "done"]
kept = {(run.method, run.seed): run.best_step for run in done.itertuples()}
panels = [("train", "loss"), ("validation", "roc_auc"), ("test", "roc_auc"),
          ("validation", "log_loss"), ("test", "log_loss")]
curve_figure(curves, panels, kept)""",
    ),
    (
        "What each method gained, run by run",
        """gains = statistics.improvements(results)
improvement_figure(gains[gains["method"] != statistics.BASELINE])""",
    ),
    (
        "Average ranks: methods under one bar cannot be told apart",
        """cases = len(statistics.wide(results))
ranks = statistics.ranks(results)
rank_figure(ranks, statistics.critical_difference(len(ranks), cases), cases)""",
    ),
)


def results_notebook() -> bytes:
    """Return the notebook; it reads ``results.csv`` and ``curves.csv`` in its folder."""
    cells = [_markdown("heading", _HEADING)]
    for number, (words, code) in enumerate(_CELLS, start=1):
        cells += [_markdown(f"words-{number}", words), _code(f"code-{number}", code)]
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1).encode() + b"\n"


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": _lines(text)}


def _code(name: str, text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {},
        "outputs": [],
        "source": _lines(text),
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
