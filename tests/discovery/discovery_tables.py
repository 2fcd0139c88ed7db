"""Small tables from known graphs."""

import numpy as np
import pandas as pd

from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table


def numeric_table(columns: dict[str, np.ndarray], target: str | None = None) -> Table:
    frame = pd.DataFrame({name: np.asarray(values, float) for name, values in columns.items()})
    return Table(frame, dict.fromkeys(frame.columns, Kind.NUMERIC), target)


def as_text(values: np.ndarray) -> pd.Series:
    return pd.Series([f"level {v}" for v in values], dtype="str")


def category_table(columns: dict[str, np.ndarray]) -> Table:
    frame = pd.DataFrame({name: as_text(values) for name, values in columns.items()})
    return Table(frame, dict.fromkeys(frame.columns, Kind.CATEGORICAL))


def gaussian_table(seed: int, p: int = 6, n: int = 300, density: float = 0.4) -> Table:
    """A linear Gaussian model over a random DAG on p nodes named so that order says nothing."""
    rng = np.random.default_rng(seed)
    weights = np.triu(rng.random((p, p)) < density, 1) * rng.uniform(0.4, 1.0, (p, p))
    values = np.zeros((n, p))
    for node in range(p):
        values[:, node] = values @ weights[:, node] + rng.normal(size=n)
    names = [f"c{k}" for k in rng.permutation(p)]
    return numeric_table(dict(zip(names, values.T, strict=True)))


def mixed_table(seed: int, n: int = 400, missing: float = 0.0) -> Table:
    """age → income ← education, income → owner, age → owner; a lonely colour."""
    rng = np.random.default_rng(seed)
    age = rng.normal(size=n)
    education = rng.integers(0, 3, n)
    income = age + 0.8 * education + rng.normal(size=n)
    owner = income + 0.7 * age + rng.normal(size=n) > 0.8
    frame = pd.DataFrame(
        {
            "owner": pd.Series(np.where(owner, "yes", "no"), dtype="str"),
            "age": age,
            "education": as_text(education),
            "income": income,
            "colour": as_text(rng.integers(0, 4, n)),
        }
    )
    if missing:
        for name in ("age", "education"):
            frame.loc[rng.random(n) < missing, name] = np.nan
    kinds = {
        "owner": Kind.BINARY,
        "age": Kind.NUMERIC,
        "education": Kind.CATEGORICAL,
        "income": Kind.NUMERIC,
        "colour": Kind.CATEGORICAL,
    }
    return Table(frame, kinds, target="owner")
