"""What sort of thing a column holds."""

from enum import StrEnum


class Kind(StrEnum):
    """A column's kind; it decides the column's dtype in `Table.frame`.

    ``numeric`` is float64; ``integer`` is int64, or Int64 where values are missing;
    ``binary``, ``categorical`` and ``ordinal`` are text exactly as it stands in the file
    (pandas ``str``, missing as NaN); ``datetime`` is datetime64[us].
    ``text``, ``identifier`` and ``constant`` columns are set aside, not kept in the frame.
    """

    NUMERIC = "numeric"
    INTEGER = "integer"
    BINARY = "binary"
    CATEGORICAL = "categorical"
    ORDINAL = "ordinal"
    DATETIME = "datetime"
    TEXT = "text"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"

    @property
    def is_number(self) -> bool:
        """Whether the column is measured in numbers: numeric, integer or datetime."""
        return self in (Kind.NUMERIC, Kind.INTEGER, Kind.DATETIME)

    @property
    def is_category(self) -> bool:
        """Whether the column holds one of a few values: binary, categorical or ordinal."""
        return self in (Kind.BINARY, Kind.CATEGORICAL, Kind.ORDINAL)
