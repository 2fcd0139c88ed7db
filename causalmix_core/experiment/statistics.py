"""What runs say about methods: improvements, ranks, intervals, gaps, and a verdict in words.

All comparisons are within one table, labelled budget and seed: methods saw the same rows there.
Runs of one table are no evidence about others, so over several tables a table counts once, by the
mean over its budgets and seeds (Demšar, JMLR 2006); within one table every run counts. A budget
that the table is too small for is cut; where that makes it the same as another one, its runs are
copies of the other's and are left out.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from causalmix_core.finetune.methods import METHODS
from causalmix_core.finetune.metrics import HIGHER_IS_BETTER

CASE = ["table", "budget", "seed"]
BASELINE = "none"
FEWEST_FOR_GAP = 10
FEWEST_FOR_VERDICT = 6

Array = NDArray[np.float64]


def improvement(score: float, baseline: float, metric: str) -> float:
    """Normalised improvement in percent: sign × (score / baseline − 1) × 100, sign −1 for losses.

    The formula of arXiv 2601.04110; 0 is the un-tuned model, negative is worse than it.
    """
    if not baseline or not math.isfinite(score) or not math.isfinite(baseline):
        return math.nan
    sign = 1.0 if HIGHER_IS_BETTER[metric] else -1.0
    return sign * (score / baseline - 1.0) * 100.0


def improvements(
    results: pd.DataFrame, metric: str = "roc_auc", split: str = "test"
) -> pd.DataFrame:
    """Return every done run's normalised improvement over ``none`` in its case.

    Columns: table, budget, seed, method, improvement. Cases without a done ``none`` are left out.
    """
    done = _done(results)
    column = f"{metric}_{split}"
    baseline = done[done["method"] == BASELINE].set_index(CASE)[column]
    rows = []
    for run in done.to_dict("records"):
        case = tuple(run[name] for name in CASE)
        if case in baseline.index:
            value = improvement(run[column], float(baseline.loc[[case]].iloc[0]), metric)
            identity = {str(name): run[name] for name in [*CASE, "method"]}
            rows.append({**identity, "improvement": value})
    return pd.DataFrame(rows, columns=[*CASE, "method", "improvement"])


def wide(results: pd.DataFrame, metric: str = "roc_auc", split: str = "test") -> pd.DataFrame:
    """Return improvements as cases × methods, only cases in which every method is done.

    Over several tables these are means over the budgets and seeds of a table.
    """
    long = improvements(results, metric, split)
    table = long.pivot_table(index=CASE, columns="method", values="improvement", dropna=False)
    return _once_per_table(table[[m for m in _order(results) if m in table.columns]].dropna(), long)


def ranks(results: pd.DataFrame, metric: str = "roc_auc") -> "pd.Series[float]":
    """Return each method's average rank over cases (1 is best; ties share their mean rank)."""
    scores = wide(results, metric).round(12)
    return scores.rank(axis=1, ascending=False).mean()


def critical_difference(methods: int, cases: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of average ranks (Demšar, JMLR 2006)."""
    if methods < 2 or cases < 1:
        return math.nan
    q = stats.studentized_range.ppf(1 - alpha, methods, np.inf) / math.sqrt(2)
    return float(q * math.sqrt(methods * (methods + 1) / (6 * cases)))


def cliques(ranks: "pd.Series[float]", difference: float) -> list[tuple[float, float]]:
    """Return the stretches of average ranks within one critical difference, longest first kept.

    Two methods under one stretch cannot be told apart. A stretch inside another is left out, as
    are single methods.
    """
    ordered = sorted(float(rank) for rank in ranks)
    found: list[tuple[float, float]] = []
    for i, low in enumerate(ordered):
        high = max(rank for rank in ordered[i:] if rank - low <= difference)
        inside = any(low >= a and high <= b for a, b in found)
        if ordered.index(high) > i and not inside:
            found.append((low, high))
    return found


def friedman_p(results: pd.DataFrame, metric: str = "roc_auc") -> float:
    """P-value of Friedman's test that all methods rank alike; NaN under 3 methods or cases."""
    scores = wide(results, metric).round(12)
    if scores.shape[1] < 3 or len(scores) < 3 or not (scores.nunique(axis=1) > 1).any():
        return math.nan
    return float(stats.friedmanchisquare(*scores.to_numpy().T).pvalue)


def bootstrap_median(
    values: Array, draws: int = 2_000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Return a percentile bootstrap interval of the median; NaN under two values."""
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return math.nan, math.nan
    rng = np.random.default_rng([seed, 19])
    medians = np.median(rng.choice(values, (draws, len(values))), axis=1)
    low, high = np.quantile(medians, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Duel:
    """One method against another, case by case.

    Attributes:
        wins, ties, losses: of the first.
        median: of the first's improvement minus the second's.
        low, high: 95 % paired bootstrap interval of that median.
    """

    wins: int
    ties: int
    losses: int
    median: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def duel(results: pd.DataFrame, first: str, second: str, metric: str = "roc_auc") -> Duel:
    """Compare two methods in the cases that both have done."""
    return _duel(improvements(results, metric), first, second)


def _duel(long: pd.DataFrame, first: str, second: str) -> Duel:
    pair = long[long["method"].isin([first, second])]
    table = pair.pivot_table(index=CASE, columns="method", values="improvement").dropna()
    table = _once_per_table(table, long)
    if first not in table or second not in table or table.empty:
        return Duel(0, 0, 0, math.nan, math.nan, math.nan)
    difference = (table[first] - table[second]).to_numpy(dtype=np.float64)
    tied = np.abs(difference) < 1e-9
    low, high = bootstrap_median(difference)
    return Duel(
        wins=int(np.sum((difference > 0) & ~tied)),
        ties=int(np.sum(tied)),
        losses=int(np.sum((difference < 0) & ~tied)),
        median=float(np.median(difference)),
        low=low,
        high=high,
    )


def duels(results: pd.DataFrame, metric: str = "roc_auc") -> pd.DataFrame:
    """Return all pairs of methods: first, second, wins, ties, losses, median, low, high, clear.

    Every pair stands once, the method that comes first in the results before the other.
    """
    names, long = _order(_done(results)), improvements(results, metric)
    rows = []
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            found = _duel(long, first, second)
            row = {"first": first, "second": second, **asdict(found), "clear": found.is_clear}
            rows.append(row)
    columns = ["first", "second", "wins", "ties", "losses", "median", "low", "high", "clear"]
    return pd.DataFrame(rows, columns=columns)


def gap(results: pd.DataFrame, metric: str = "roc_auc") -> pd.DataFrame:
    """Return the validation–test gap of every run, first definition.

    Normalised improvement on validation minus that on test rows, both at the kept step, in
    percentage points: how much of what the stopping rule promised is not there.
    """
    validation = improvements(results, metric, "val")
    test = improvements(results, metric, "test")
    joined = validation.merge(test, on=[*CASE, "method"], suffixes=("_val", "_test"))
    joined["gap"] = joined["improvement_val"] - joined["improvement_test"]
    return joined[[*CASE, "method", "gap"]]


def correlation_gap(curves: pd.DataFrame, metric: str = "roc_auc") -> pd.DataFrame:
    """Return the validation–test gap of every run, second definition.

    One minus Spearman's rank correlation between the validation and the test curve over the
    evaluations of a run: 0 when validation orders the steps as test does. Missing under
    `FEWEST_FOR_GAP` evaluations or where a curve is flat. The paper prints a "correlation gap"
    without its formula; this one is ours.
    """
    rows = []
    chosen = _with_budget(curves[curves["metric"] == metric])
    for identity, points in chosen.groupby([*CASE, "method"], sort=False, dropna=False):
        by_step = points.pivot_table(index="step", columns="split", values="value")
        value = math.nan
        if {"validation", "test"} <= set(by_step.columns):
            value = curve_gap(
                by_step["validation"].to_numpy(dtype=np.float64),
                by_step["test"].to_numpy(dtype=np.float64),
            )
        rows.append({**dict(zip([*CASE, "method"], identity, strict=True)), "gap": value})
    return pd.DataFrame(rows, columns=[*CASE, "method", "gap"])


def curve_gap(validation: Array, test: Array) -> float:
    """One minus Spearman's correlation of two curves; NaN if short or flat."""
    known = np.isfinite(validation) & np.isfinite(test)
    if known.sum() < FEWEST_FOR_GAP:
        return math.nan
    if len(set(validation[known])) < 2 or len(set(test[known])) < 2:
        return math.nan
    return float(1.0 - stats.spearmanr(validation[known], test[known]).statistic)


def summarise(
    results: pd.DataFrame, curves: pd.DataFrame | None = None, metric: str = "roc_auc"
) -> pd.DataFrame:
    """Return one line per method.

    Columns: runs, median and spread (half the distance between the quartiles) of the normalised
    improvement on test rows (over runs; over several tables of their means), its 95 % bootstrap
    interval, average rank, wins/ties/losses against
    ``default``, both validation–test gaps (medians), the mean of every metric on test rows (and of
    ROC-AUC and accuracy in a held-out domain), median seconds and memory.
    """
    done = _done(results)
    long = improvements(results, metric)
    gaps = gap(results, metric)
    shape = None if curves is None else correlation_gap(curves, metric)
    rank = ranks(results, metric) if not long.empty else pd.Series(dtype=float)
    rows = []
    for name in _order(done):
        mine = done[done["method"] == name]
        values = _gains(long, name)
        low, high = bootstrap_median(values)
        against = _duel(long, name, "default")
        row: dict[str, Any] = {
            "method": name,
            "runs": len(mine),
            "improvement": _median(values),
            "spread": _half_quartiles(values),
            "low": low,
            "high": high,
            "rank": float(rank.get(name, math.nan)),
            "wins": against.wins,
            "ties": against.ties,
            "losses": against.losses,
            "gap": _median(gaps.loc[gaps["method"] == name, "gap"].to_numpy(dtype=np.float64)),
            "correlation_gap": math.nan
            if shape is None
            else _median(shape.loc[shape["method"] == name, "gap"].to_numpy(dtype=np.float64)),
        }
        for column in (*_ALWAYS, *(c for c in _SOMETIMES if c in mine)):
            row[column] = float(mine[column].astype(float).mean())
        row["seconds"] = _median(mine["seconds"].to_numpy(dtype=np.float64))
        if "memory_mb" in mine:
            row["memory_mb"] = _median(mine["memory_mb"].to_numpy(dtype=np.float64))
        rows.append(row)
    return pd.DataFrame(rows)


_ALWAYS = ("roc_auc_test", "accuracy_test", "log_loss_test")
_SOMETIMES = (
    "balanced_accuracy_test",
    "pr_auc_test",
    "recall_rare_test",
    "roc_auc_domain",
    "accuracy_domain",
    "log_loss_domain",
)


def verdict(results: pd.DataFrame, method: str, metric: str = "roc_auc") -> str:
    """Say in a sentence or two whether a method was worth it against the un-tuned model.

    Under `FEWEST_FOR_VERDICT` runs (tables, where there are several) nothing is claimed: by the
    sign test, even if all agree, chance alone does as much more often than once in twenty.
    """
    long = improvements(results, metric)
    values = _gains(long, method)
    name = _METRIC_NAMES.get(metric, metric)
    several = _several(long)
    unit, more = ("table", "tables") if several else ("comparable run", "seeds")
    if len(values) < 3:
        found = f"1 {unit} is" if len(values) == 1 else f"{len(values)} {unit}s are"
        return f"{method}: {found} too few to say; use at least {FEWEST_FOR_VERDICT} {more}."
    low, high = bootstrap_median(values)
    counted = "tables" if several else "runs"
    middle = f"median {_signed(_median(values))} % in {name} over {len(values)} {counted}"
    interval = f"95 % interval {_signed(low)} to {_signed(high)} %"
    classic = method in METHODS and METHODS[method].is_yardstick
    if len(values) < FEWEST_FOR_VERDICT and (low > 0 or high < 0):
        side = "ahead" if low > 0 else "behind"
        return (
            f"{method} is {side} so far: {middle}. That can still be chance: use at "
            f"least {FEWEST_FOR_VERDICT} {more}."
        )
    where = "on these tables" if several else "on your table"
    if low > 0:
        found = "is ahead of the un-tuned model" if classic else f"is worth it {where}"
    elif high < 0:
        found = "is behind the un-tuned model" if classic else f"makes the model worse {where}"
    else:
        found = f"is within noise {where}"
    return f"{method} {found}: {middle} ({interval})."


def scope(results: pd.DataFrame) -> str:
    """Say for what verdicts, intervals and ranks hold."""
    tables = _done(results)["table"].nunique()
    if tables > 1:
        return (
            f"Over the {tables} tables, every table counts once, by the mean over its sizes and "
            "seeds."
        )
    return (
        "Seeds draw other rows of one table: verdicts, intervals and ranks hold on these test rows "
        "and say nothing about other tables."
    )


def by_table(results: pd.DataFrame, metric: str = "roc_auc") -> pd.DataFrame:
    """Return the mean improvement of every method on every table and budget."""
    long = improvements(results, metric)
    return long.pivot_table(index=CASE[:2], columns="method", values="improvement", sort=False)


_METRIC_NAMES: Mapping[str, str] = {
    "roc_auc": "ROC-AUC",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "pr_auc": "PR-AUC",
    "log_loss": "log loss",
    "recall_rare": "recall of the rarest class",
}


def _several(long: pd.DataFrame) -> bool:
    return long["table"].nunique() > 1


def _once_per_table(cases: pd.DataFrame, long: pd.DataFrame) -> pd.DataFrame:
    """Take means over a table's cases where there are several; `cases` are indexed by `CASE`."""
    return cases.groupby(level="table").mean() if _several(long) else cases


def _gains(long: pd.DataFrame, method: str) -> Array:
    """A method's known improvements, one per case."""
    mine = long[long["method"] == method].set_index(CASE)[["improvement"]].dropna()
    return _once_per_table(mine, long)["improvement"].to_numpy(dtype=np.float64)


def _done(results: pd.DataFrame) -> pd.DataFrame:
    done = _with_budget(results[results["status"] == "done"])
    # A score that does not exist is stored as nothing; a column of these alone has no number type.
    figures = [name for name in done if str(name).rpartition("_")[0] in HIGHER_IS_BETTER]
    return _without_copies(done.astype(dict.fromkeys(figures, "float64")))


def _without_copies(done: pd.DataFrame) -> pd.DataFrame:
    """Leave out the runs of a budget that was cut to the rows of another one."""
    if "train_rows" not in done or "val_rows" not in done:
        return done
    rows = done.groupby(["table", "seed", "train_rows", "val_rows"], dropna=False)
    return done[done["budget"] == rows["budget"].transform("min")]


def _with_budget(frame: pd.DataFrame) -> pd.DataFrame:
    """Name every budget: files of one budget lack it, and groupings would drop a missing one."""
    budget = frame["budget"] if "budget" in frame else pd.Series(-1, index=frame.index)
    return frame.assign(budget=budget.fillna(-1).astype(int))


def _order(results: pd.DataFrame) -> list[str]:
    return [str(name) for name in dict.fromkeys(results["method"])]


def _median(values: Array) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else math.nan


def _half_quartiles(values: Array) -> float:
    if len(values) < 2:
        return math.nan
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) / 2


def _signed(value: float) -> str:
    return f"{value:+.2f}"
