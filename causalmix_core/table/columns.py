"""One raw column, reduced to its different values: what inference and typing both work on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from causalmix_core.table.dates import find_date_formats
from causalmix_core.table.missing import is_missing_among_numbers
from causalmix_core.table.numbers import Number, as_whole, parse_numbers
from causalmix_core.table.units import common_unit, take_off


@dataclass(frozen=True)
class RawColumn:
    """A column of texts as codes into its different values.

    Attributes:
        name: the column's name.
        codes: for each row the position of its text in `values`; -1 where the value is missing.
        values: the different texts exactly as they stand in the file, by first appearance.
        decimal: "." or ",".
        odd_missing: texts that were taken for missing only because the rest are numbers or dates.
    """

    name: str
    codes: npt.NDArray[np.intp]
    values: tuple[str, ...]
    decimal: str = "."
    odd_missing: tuple[str, ...] = ()

    @classmethod
    def read(cls, texts: "pd.Series[str]", tokens: Sequence[str], decimal: str) -> "RawColumn":
        """Reduce a column of texts, with the missing-value tokens taken out."""
        codes, uniques = pd.factorize(texts)
        values = tuple(uniques.to_numpy(dtype=object).tolist())
        column = cls(str(texts.name), np.asarray(codes), values, decimal)
        known = frozenset(tokens)
        column = column._without([text for text in values if text.strip() in known])
        if column.numbers is not None:
            return column
        odd = [text for text in column.values if is_missing_among_numbers(text)]
        if odd and len(odd) < len(column.values):
            rest = column._without(odd)
            if rest.numbers is not None or rest.date_formats:
                return replace(rest, odd_missing=tuple(odd))
        return column

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def present(self) -> int:
        """The number of rows that have a value."""
        return int((self.codes >= 0).sum())

    @cached_property
    def numbers(self) -> list[Number] | None:
        """The different values as numbers, or None unless all of them are numbers."""
        return parse_numbers(self.bare, self.decimal) if self.values else None

    @cached_property
    def other_decimal(self) -> str | None:
        """The decimal mark that would make numbers of the values; None where there is none."""
        other = "," if self.decimal == "." else "."
        if not self.values or self.numbers is not None:
            return None
        return None if parse_numbers(self.bare, other) is None else other

    @cached_property
    def unit(self) -> str:
        """The sign that every value begins or ends with, such as "$" or "%"; "" without one."""
        return common_unit(self.values)

    @cached_property
    def bare(self) -> tuple[str, ...]:
        """The different values without their common unit."""
        return (
            tuple(take_off(text, self.unit) for text in self.values) if self.unit else self.values
        )

    @cached_property
    def whole_numbers(self) -> list[int] | None:
        """The different values as whole numbers, or None unless all of them are whole."""
        if self.numbers is None:
            return None
        whole: list[int] = []
        for number in self.numbers:
            exact = as_whole(number)
            if exact is None:
                return None
            whole.append(exact)
        return whole

    @cached_property
    def date_formats(self) -> list[str]:
        """The known date formats that read every value."""
        return find_date_formats(self.values)

    @cached_property
    def different(self) -> int:
        """The number of different values ("1" and "1.0" are one number)."""
        return len(self.values) if self.numbers is None else len(set(self.numbers))

    def first_row_of(self, position: int) -> int:
        """The first row (from 0) that holds this value."""
        return int(np.flatnonzero(self.codes == position)[0])

    def _without(self, texts: Sequence[str]) -> "RawColumn":
        if not texts:
            return self
        dropped = set(texts)
        keep = [text not in dropped for text in self.values]
        renumbered = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)
        values = tuple(text for text, kept in zip(self.values, keep, strict=True) if kept)
        return RawColumn(self.name, renumbered[self.codes], values, self.decimal)
