"""Rules between columns that every synthetic row has to keep.

    start <= end              order of two numbers or dates
    rent + food = spending    a sum
    city within country       only combinations seen in the real rows

A sum is kept by construction: the total is computed, before what it is itself a part of. What
breaks another rule is drawn again, and what still breaks it after some rounds takes the rule's
columns over from a real row.
A rule says nothing about rows in which one of its columns is missing.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from causalmix_core.errors import GeneratorError
from causalmix_core.table.kinds import Kind
from causalmix_core.table.table import Table

_CLOSE = 1e-6
_MOST_COLUMNS = 30  # in which sums and combinations are looked for


class Rule(ABC):
    """A rule between columns; its text is what `parse_rule` reads."""

    columns: tuple[str, ...]
    text: str

    @abstractmethod
    def holds(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows keep the rule; rows with a missing value do."""

    def check(self, table: Table) -> None:
        """Raise GeneratorError where the rule makes no sense for the columns."""
        strangers = [name for name in self.columns if name not in table.kinds]
        if strangers:
            raise GeneratorError(
                f"The rule {self.text!r} names {strangers[0]!r}, which is not a column in use."
            )

    def bind(self, table: Table) -> "Rule":
        """Return the rule with what it has to know of the real rows."""
        return self

    def construct(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return rows made to keep the rule, where that is possible by computing."""
        return frame


@dataclass(frozen=True)
class Order(Rule):
    """`lesser` is at most `greater`; below it, if strict. Also: a part and its whole."""

    lesser: str
    greater: str
    strict: bool = False

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """Both columns."""
        return self.lesser, self.greater

    @property
    def text(self) -> str:  # type: ignore[override]
        """As it is written."""
        return f"{_quote(self.lesser)} {'<' if self.strict else '<='} {_quote(self.greater)}"

    def check(self, table: Table) -> None:
        """Raise GeneratorError unless both are numbers, or both are dates."""
        super().check(table)
        kinds = [table.kinds[name] for name in self.columns]
        dates = [kind is Kind.DATETIME for kind in kinds]
        if not all(kind.is_number for kind in kinds) or dates[0] != dates[1]:
            raise GeneratorError(
                f"The rule {self.text!r} compares columns that are not both numbers or dates."
            )

    def holds(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows keep the rule."""
        one, other = frame[self.lesser], frame[self.greater]
        kept = one < other if self.strict else one <= other
        unknown = one.isna() | other.isna()
        return (kept.fillna(True) | unknown).to_numpy(dtype=bool)


@dataclass(frozen=True)
class Sum(Rule):
    """The `parts` add up to `total`."""

    parts: tuple[str, ...]
    total: str

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """The parts, then the total."""
        return (*self.parts, self.total)

    @property
    def text(self) -> str:  # type: ignore[override]
        """As it is written."""
        return f"{' + '.join(_quote(part) for part in self.parts)} = {_quote(self.total)}"

    def check(self, table: Table) -> None:
        """Raise GeneratorError unless all are numbers, whole ones for a whole total."""
        super().check(table)
        kinds = {name: table.kinds[name] for name in self.columns}
        if any(kind not in (Kind.NUMERIC, Kind.INTEGER) for kind in kinds.values()):
            raise GeneratorError(f"The rule {self.text!r} adds up columns that are not numbers.")
        if kinds[self.total] is Kind.INTEGER and any(
            kinds[part] is Kind.NUMERIC for part in self.parts
        ):
            raise GeneratorError(
                f"The rule {self.text!r} adds fractions up to a column of whole numbers."
            )

    def holds(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows keep the rule, to a millionth of the total."""
        total, parts = self._numbers(frame)
        distance = np.abs(parts.sum(axis=1) - total)
        unknown = np.isnan(total) | np.isnan(parts).any(axis=1)
        kept: NDArray[np.bool_] = distance <= _CLOSE * np.maximum(1.0, np.abs(total))
        return np.asarray(unknown | kept, dtype=bool)

    def construct(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Compute the total; a missing one stays missing."""
        gone = frame[list(self.columns)].isna().any(axis=1)
        total = frame[list(self.parts)].sum(axis=1).astype(frame[self.total].dtype)
        return frame.assign(**{self.total: frame[self.total].where(gone, total)})

    def _numbers(self, frame: pd.DataFrame) -> tuple[Any, Any]:
        total = frame[self.total].to_numpy(dtype=np.float64, na_value=np.nan)
        parts = frame[list(self.parts)].to_numpy(dtype=np.float64, na_value=np.nan)
        return total, parts


@dataclass(frozen=True)
class Combinations(Rule):
    """Only combinations of values that the real rows have."""

    among: tuple[str, ...]
    allowed: frozenset[tuple[str, ...]] | None = field(default=None, repr=False)

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """The columns whose values go together."""
        return self.among

    @property
    def text(self) -> str:  # type: ignore[override]
        """As it is written."""
        return " within ".join(_quote(name) for name in self.among)

    def bind(self, table: Table) -> "Combinations":
        """Return the rule with the combinations of these rows."""
        return Combinations(self.among, frozenset(self._tuples(table.frame)))

    def holds(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which rows keep the rule."""
        if self.allowed is None:
            raise GeneratorError(f"The rule {self.text!r} has not seen the real rows yet.")
        allowed = self.allowed
        known = np.fromiter((one in allowed for one in self._tuples(frame)), bool, len(frame))
        return known | frame[list(self.among)].isna().any(axis=1).to_numpy()

    def _tuples(self, frame: pd.DataFrame) -> list[tuple[str, ...]]:
        values = (frame[name].astype(str).tolist() for name in self.among)
        return list(zip(*values, strict=True))


def parse_rule(text: str) -> Rule:
    """Read a rule: ``a <= b``, ``a < b``, ``a + b = c`` or ``a within b``.

    Column names with such signs stand in backquotes.

    Raises:
        GeneratorError: the text is no rule.
    """
    parts: list[str] = []
    signs: list[str] = []
    for token in _tokens(text):
        (signs if len(parts) > len(signs) else parts).append(token)
    if len(parts) == len(signs) + 1 and signs and all(parts):
        if signs in (["<="], ["<"]):
            return Order(parts[0], parts[1], strict=signs == ["<"])
        if signs in ([">="], [">"]):
            return Order(parts[1], parts[0], strict=signs == [">"])
        if len(signs) > 1 and signs[-1] == "=" and set(signs[:-1]) == {"+"}:
            return Sum(tuple(parts[:-1]), parts[-1])
        if set(signs) == {"within"}:
            return Combinations(tuple(parts))
    raise GeneratorError(
        f"{text!r} is no rule; write 'a <= b', 'a + b = c' or 'a within b', and column names "
        "that hold such signs in `backquotes`."
    )


def _tokens(text: str) -> list[str]:
    """Split into column names and signs; signs stand between blanks."""
    pattern = r"\s*(?:`([^`]*)`|(.+?))\s*(?:(?<=[\s`])(<=|>=|<|>|=|\+|within)(?=[\s`])|$)"
    tokens: list[str] = []
    for match in re.finditer(pattern, text):
        quoted, plain, sign = match.groups()
        name = quoted if quoted is not None else (plain or "").strip()
        tokens.append(name)
        if sign:
            tokens.append(sign)
    return tokens


def _quote(name: str) -> str:
    return f"`{name}`" if re.search(r"<|>|=|\+|\bwithin\b", name) else name


def bind_rules(rules: Sequence[Rule | str], table: Table) -> tuple[tuple[Rule, ...], list[str]]:
    """Return rules ready to be kept, inner sums first, and notes on real rows that break them.

    Raises:
        GeneratorError: a rule makes no sense for the columns, or no real row keeps it.
    """
    bound: list[Rule] = []
    notes: list[str] = []
    for rule in rules:
        rule = parse_rule(rule) if isinstance(rule, str) else rule
        rule.check(table)
        rule = rule.bind(table)
        kept = rule.holds(table.frame)
        if not kept.any():
            raise GeneratorError(f"No real row keeps the rule {rule.text!r}.")
        if not kept.all():
            notes.append(f"{1 - kept.mean():.1%} of the real rows break the rule {rule.text!r}.")
        bound.append(rule)
    return _inner_sums_first(bound), notes


def _inner_sums_first(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return rules in an order in which a total is known before it is added up with others.

    Sums that go round in a circle stay as they are: they can only be drawn until they hold.
    """
    order = nx.DiGraph()
    order.add_nodes_from(range(len(rules)))
    sums = [(place, rule) for place, rule in enumerate(rules) if isinstance(rule, Sum)]
    order.add_edges_from(
        (inner, outer) for inner, one in sums for outer, other in sums if one.total in other.parts
    )
    try:
        return tuple(rules[place] for place in nx.lexicographical_topological_sort(order))
    except nx.NetworkXUnfeasible:
        return tuple(rules)


def suggest_rules(table: Table, *, least_rows: int = 20) -> list[Rule]:
    """Return rules that all real rows keep, and that unrelated columns would often break.

    Sums, orders, and combinations where one category decides another (a city its country). Such a
    rule is offered, never applied unasked.
    """
    if len(table) < least_rows:
        return []
    sums = _suggest_sums(table, least_rows)
    return [*sums, *_suggest_orders(table, least_rows), *_suggest_combinations(table, least_rows)]


def _suggest_sums(table: Table, least_rows: int) -> list[Rule]:
    names = [name for name in table.columns if table.kinds[name] in (Kind.NUMERIC, Kind.INTEGER)]
    names = [name for name in names if table.frame[name].nunique() > 2][:_MOST_COLUMNS]
    found: list[Rule] = []
    for total in names:
        for one, other in combinations([name for name in names if name != total], 2):
            rule = Sum((one, other), total)
            if table.kinds[total] is Kind.INTEGER and Kind.NUMERIC in (
                table.kinds[one],
                table.kinds[other],
            ):
                continue
            present = table.frame[[one, other, total]].dropna()
            quick = rule.holds(present.head(least_rows)).all()
            if quick and len(present) >= least_rows and rule.holds(present).all():
                found.append(rule)
    return found


def _suggest_orders(table: Table, least_rows: int) -> list[Rule]:
    found: list[Rule] = []
    shuffled = np.random.default_rng(0).permutation(len(table))
    numbers = [name for name in table.columns if table.kinds[name].is_number]
    for lesser in numbers:
        for greater in numbers:
            rule = Order(lesser, greater)
            if lesser == greater or (table.kinds[lesser] is Kind.DATETIME) != (
                table.kinds[greater] is Kind.DATETIME
            ):
                continue
            pair = table.frame[[lesser, greater]]
            if len(pair.dropna()) < least_rows or not rule.holds(pair).all():
                continue
            apart = pair.assign(**{greater: pair[greater].to_numpy()[shuffled]})
            if rule.holds(apart).mean() < 0.9:
                found.append(rule)
    return found


def _suggest_combinations(table: Table, least_rows: int) -> list[Rule]:
    """Return pairs of categories of which one decides the other, most of its levels seen twice."""
    names = [
        name
        for name in table.columns
        if table.kinds[name].is_category
        and name != table.target
        and 2 <= table.frame[name].nunique() <= len(table) / 4
    ][:_MOST_COLUMNS]
    found: list[Rule] = []
    for fine in names:
        for coarse in names:
            pair = table.frame[[fine, coarse]].dropna()
            levels, groups = pair[fine].nunique(), pair[coarse].nunique()
            if fine == coarse or len(pair) < least_rows or levels < 3 or groups > levels:
                continue
            if groups == levels and fine > coarse:
                continue  # each decides the other: once is enough
            twice = pair[fine].value_counts().ge(2).mean() >= 0.8
            if twice and (pair.groupby(fine, observed=True)[coarse].nunique() == 1).all():
                found.append(Combinations((fine, coarse)))
    return found
