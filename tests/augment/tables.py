"""Small tables of every sort that a generator can meet."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from causalmix_core.table import Kind, Table


def build(columns: dict[str, object], kinds: dict[str, Kind], target: str | None) -> Table:
    frame = pd.DataFrame(columns)
    for name, kind in kinds.items():
        if kind.is_category:
            frame[name] = frame[name].astype("str")
            frame.loc[frame[name] == "nan", name] = np.nan
        elif kind is Kind.DATETIME:
            frame[name] = frame[name].astype("datetime64[us]")
    return Table(frame, kinds, target=target)


def numeric(rows: int = 60) -> Table:
    rng = np.random.default_rng(1)
    a = rng.normal(size=rows)
    b = a + rng.normal(size=rows)
    y = np.where(a + rng.normal(size=rows) > 0, "yes", "no")
    columns = {"a": a, "b": b, "c": rng.gamma(1.0, size=rows), "y": y}
    kinds = dict.fromkeys("abc", Kind.NUMERIC) | {"y": Kind.BINARY}
    return build(columns, kinds, "y")


def categorical(rows: int = 60) -> Table:
    rng = np.random.default_rng(2)
    columns = {name: rng.choice(["u", "v", "w"], size=rows, p=[0.6, 0.3, 0.1]) for name in "abc"}
    columns["y"] = np.where(columns["a"] == "u", "yes", "no")
    kinds = dict.fromkeys("abc", Kind.CATEGORICAL) | {"y": Kind.BINARY}
    return build(columns, kinds, "y")


def mixed(rows: int = 60) -> Table:
    rng = np.random.default_rng(3)
    a = rng.normal(size=rows)
    b = np.where(rng.random(rows) < 0.5, "left", "right")
    columns = {
        "a": a,
        "b": b,
        "c": np.round(5 + 2 * a + (b == "left")).astype("int64"),
        "d": rng.choice(["low", "mid", "high"], size=rows),
        "y": rng.choice(["x", "y", "z"], size=rows),
    }
    kinds = {
        "a": Kind.NUMERIC,
        "b": Kind.BINARY,
        "c": Kind.INTEGER,
        "d": Kind.ORDINAL,
        "y": Kind.CATEGORICAL,
    }
    return build(columns, kinds, "y")


def missing(rows: int = 60) -> Table:
    table = mixed(rows)
    rng = np.random.default_rng(4)
    frame = table.frame.copy()
    frame["c"] = frame["c"].astype("Int64")
    for name in "abcd":
        frame.loc[rng.random(rows) < 0.2, name] = pd.NA if name == "c" else np.nan
    return table.with_frame(frame)


def rare_class(rows: int = 60) -> Table:
    table = mixed(rows)
    y = np.repeat(["often", "seldom", "twice", "once"], [rows - 6, 3, 2, 1])
    return table.with_frame(table.frame.assign(y=pd.Series(y, dtype="str")))


def one_column(rows: int = 60) -> Table:
    return build({"y": np.resize(["yes", "no", "yes"], rows)}, {"y": Kind.BINARY}, "y")


def sixty_columns(rows: int = 60) -> Table:
    rng = np.random.default_rng(5)
    columns: dict[str, object] = {f"n{i:02d}": rng.normal(size=rows) for i in range(40)}
    columns |= {f"c{i:02d}": rng.choice(["u", "v"], size=rows) for i in range(19)}
    columns["y"] = rng.choice(["x", "z"], size=rows)
    kinds = {name: Kind.NUMERIC if name[0] == "n" else Kind.BINARY for name in columns}
    return build(columns, kinds, "y")


def integers(rows: int = 60) -> Table:
    rng = np.random.default_rng(6)
    columns = {
        "small": rng.integers(0, 4, size=rows),
        "huge": 4_000_000_000_000 + rng.integers(0, 10**9, size=rows),
        "cents": np.round(rng.gamma(2.0, 30, size=rows), 2),
        "y": rng.choice(["x", "z"], size=rows),
    }
    kinds = {
        "small": Kind.INTEGER,
        "huge": Kind.INTEGER,
        "cents": Kind.NUMERIC,
        "y": Kind.BINARY,
    }
    return build(columns, kinds, "y")


def datetimes(rows: int = 60) -> Table:
    rng = np.random.default_rng(7)
    start = pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    moment = start + pd.to_timedelta(rng.integers(0, 86_400, rows), unit="s")
    columns = {"start": start, "moment": moment, "y": rng.choice(["x", "z"], size=rows)}
    kinds = {"start": Kind.DATETIME, "moment": Kind.DATETIME, "y": Kind.BINARY}
    return build(columns, kinds, "y")


def no_target(rows: int = 60) -> Table:
    table = mixed(rows)
    return build(dict(table.frame), dict(table.kinds), None)


TABLES: dict[str, Callable[[], Table]] = {
    "numeric": numeric,
    "categorical": categorical,
    "mixed": mixed,
    "missing": missing,
    "rare class": rare_class,
    "one column": one_column,
    "sixty columns": sixty_columns,
    "integers": integers,
    "datetimes": datetimes,
    "no target": no_target,
}
