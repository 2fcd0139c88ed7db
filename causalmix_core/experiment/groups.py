"""Which runs can be compared: those of one experiment, and experiments that differ in settings.

Also which of them belong to what the project holds now.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import pandas as pd

from causalmix_core.experiment import statistics
from causalmix_core.experiment.jobs import Job
from causalmix_core.experiment.plan import Source
from causalmix_core.experiment.results import curves, results
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.tables import reference
from causalmix_core.finetune.methods import METHODS

_OF_A_RUN = ("method", "seed", "prepared")
_OF_A_GROUP = ("target", "model", "domain", "version")

NAMES = {
    "steps": "steps",
    "evaluate_every": "evaluated every",
    "learning_rate": "learning rate",
    "splits_per_step": "splits per step",
    "query_share": "query share",
    "estimators": "members",
    "precision": "precision",
    "mixing.share": "synthetic share",
    "mixing.into": "synthetic rows go into",
    "mixing.fresh": "fresh rows per step",
    "mixing.schedule": "share over time",
    "stopping.metric": "judged by",
    "stopping.rule": "stops on",
    "stopping.patience": "patience",
    "stopping.window": "window",
    "stopping.folds": "splits",
    "stopping.synthetic_rows": "rows to judge by",
    "domain": "held-out domain",
    "version": "CausalMix",
}
"""What people call a setting; the others keep their own names."""


def experiments(runs: Sequence[Job]) -> list[list[Job]]:
    """Group runs that differ in method and seed only; the newest group first."""
    groups: dict[str, list[Job]] = {}
    for run in runs:
        groups.setdefault(_key(run, _OF_A_RUN), []).append(run)
    return sorted(
        groups.values(), key=lambda group: max(run.created for run in group), reverse=True
    )


class Earlier(StrEnum):
    """What an experiment had that is another one now."""

    TABLE = "table"
    GRAPH = "graph"


def earlier(group: Sequence[Job], present: Source) -> Earlier | None:
    """Tell whether an experiment belongs to an earlier table (target, test rows) or graph.

    The graph counts only where a run makes rows from it.
    """
    theirs, ours = group[0].request["source"], reference(present)
    if any(theirs[name] != ours[name] for name in ours if name != "graph"):
        return Earlier.TABLE
    causal = group[0].request["settings"]["stopping"]["rule"] == "synthetic" or any(
        METHODS[run.request["method"]].generator == "causal" for run in group
    )
    return Earlier.GRAPH if causal and theirs["graph"] != ours["graph"] else None


def relatives(group: Sequence[Job], others: Sequence[Sequence[Job]]) -> list[Sequence[Job]]:
    """Return the experiments that had the same rows and model, but other settings."""
    ignored = (*_OF_A_RUN, "settings")
    mine, whole = _key(group[0], ignored), _key(group[0], _OF_A_RUN)
    return [
        other
        for other in others
        if _key(other[0], ignored) == mine and _key(other[0], _OF_A_RUN) != whole
    ]


def differing(groups: Sequence[Sequence[Job]]) -> list[str]:
    """Describe every group by what the groups differ in: settings, target, model, domain.

    A group that has all of them like every other is described by "the same settings".
    """
    flat = [
        {name: group[0].request.get(name) for name in _OF_A_GROUP}
        | _flat(group[0].request["settings"])
        for group in groups
    ]
    names = [
        name
        for name in dict.fromkeys(name for each in flat for name in each)
        if len({json.dumps(each.get(name)) for each in flat}) > 1
    ]
    return [
        ", ".join(f"{NAMES.get(name, name)}: {_said(each.get(name))}" for name in names)
        or "the same settings"
        for each in flat
    ]


def compare(store: Store, groups: Sequence[Sequence[Job]], metric: str = "roc_auc") -> pd.DataFrame:
    """Return one line per group and method: ``settings`` and the columns of `summarise`.

    Every gain is over ``none`` of its own group; all groups have the same rows.
    """
    parts = []
    for group, words in zip(groups, differing(groups), strict=True):
        table = results(group)
        if not (table["status"] == "done").any():
            continue
        summary = statistics.summarise(table, curves(store, group), metric)
        parts.append(summary.assign(settings=words))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _key(run: Job, ignored: Sequence[str]) -> str:
    kept = {name: value for name, value in run.request.items() if name not in ignored}
    return json.dumps(kept, sort_keys=True)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            found[name] = value
    return found


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return " = ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
