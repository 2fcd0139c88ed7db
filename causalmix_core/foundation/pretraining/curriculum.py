"""What is trained on when: easy, small tasks first, then wider ones with easy tasks kept in."""

from dataclasses import dataclass

import numpy as np

from causalmix_core.foundation.pretraining.views import AXES, VIEWS


@dataclass(frozen=True)
class Stage:
    """Upper limits reached at a step; between two stages they grow linearly.

    Attributes:
        step: optimiser step.
        rows: most rows in all.
        columns: most columns after encoding.
        classes: most classes.
        difficulty: see `prior.TaskShape`.
        tabicl: share of steps fed by `tabicl.prior` instead of our own simulator.
        boards: share of steps fed with small tables whose columns all hold the same values.
    """

    step: int
    rows: int
    columns: int
    classes: int
    difficulty: float
    tabicl: float = 0.0
    boards: float = 0.0


STAGES = (
    Stage(0, 140, 9, 2, 0.0),
    Stage(500, 140, 9, 2, 0.0),
    Stage(900, 200, 16, 3, 0.3),
    Stage(1300, 256, 24, 5, 0.7, 0.02),
    Stage(1800, 320, 32, 10, 1.0, 0.05),
    Stage(4500, 400, 36, 10, 1.0, 0.05),
    Stage(12000, 768, 64, 10, 1.0, 0.1),
    Stage(13000, 768, 100, 10, 1.0, 0.1),
    # Large tables are few in a step, and rules over all columns rare among them.
    Stage(26990, 768, 100, 10, 1.0, 0.1),
    Stage(26991, 768, 100, 10, 1.0, 0.05, 0.4),
    Stage(28000, 768, 100, 10, 1.0, 0.05, 0.4),
    Stage(28400, 768, 100, 10, 1.0, 0.05, 0.1),
)

MOST_BOARD_ROWS, MOST_BOARD_COLUMNS = 240, 16

VIEW_SHARES = (0.05, 0.15, 0.05, 0.15, 0.25, 0.35)
"""Shares of the steps that see each of `VIEWS`; most see what the checkpoint asks for."""

SOURCES = ("own", "tabicl", "boards")
"""Our simulator, `tabicl.prior`, and our simulator for `Stage.boards`."""

TOKENS = 12_000
"""Cells (rows × column groups × tasks) per optimiser step, all ranks together."""


@dataclass(frozen=True)
class BatchShape:
    """The common shape of one step's tasks; `tasks` is the number over all ranks."""

    tasks: int
    rows: int
    context: int
    columns: int
    classes: int
    difficulty: float
    view: str
    source: str


def limits(step: int, stages: tuple[Stage, ...] = STAGES) -> Stage:
    """Return the limits in force at a step."""
    at = [s.step for s in stages]

    def grow(name: str) -> float:
        return float(np.interp(step, at, [float(getattr(s, name)) for s in stages]))

    return Stage(
        step,
        round(grow("rows")),
        round(grow("columns")),
        int(grow("classes") + 1e-9),
        grow("difficulty"),
        grow("tabicl"),
        grow("boards"),
    )


def draw(
    rng: np.random.Generator, step: int, ranks: int, tokens: int = TOKENS,
    stages: tuple[Stage, ...] = STAGES,
) -> BatchShape:  # fmt: skip
    """Draw the shape of one step; small tables are drawn at every stage."""
    top = limits(step, stages)
    if rng.random() < 0.15:
        top = limits(int(rng.integers(0, step + 1)), stages)
    shares = (1 - top.tabicl - top.boards, top.tabicl, top.boards)
    source = str(rng.choice(SOURCES, p=shares))
    most_rows, most_columns = top.rows, top.columns
    if source == "boards":
        most_rows = min(most_rows, MOST_BOARD_ROWS)
        most_columns = min(most_columns, MOST_BOARD_COLUMNS)
    # Between log-uniform and uniform, so that a fair share of the tables is large.
    rows = int(60 * (most_rows / 60) ** (rng.random() ** 0.7))
    columns = int(np.exp(rng.uniform(np.log(2), np.log(most_columns + 0.99))))
    context = int(rows * rng.uniform(0.35, 0.85))
    groups = (columns + 1) // 2 + 1
    tasks = max(2, min(96, tokens // (rows * groups)) // ranks) * ranks
    if source == "boards":
        view = "ordered" + AXES if rng.random() < 0.5 else "ordered"
    else:
        view = str(rng.choice(VIEWS, p=VIEW_SHARES))
    return BatchShape(
        tasks=tasks,
        rows=rows,
        context=context,
        columns=columns,
        classes=top.classes,
        difficulty=top.difficulty,
        view=view,
        source=source,
    )
