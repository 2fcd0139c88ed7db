"""Typed tables: kinds, reading files, splitting, digest."""

from causalmix_core.table import examples
from causalmix_core.table.binning import Binning, bins_at, find_bins
from causalmix_core.table.inference import Guess
from causalmix_core.table.kinds import Kind
from causalmix_core.table.missing import MISSING_TOKENS
from causalmix_core.table.profile import ColumnSummary, associate, inspect, summarise
from causalmix_core.table.raw import RawTable, ReadingError, ReadSettings
from causalmix_core.table.reading import MAX_BYTES, read_raw, read_table
from causalmix_core.table.splitting import draw, hold_out_test, split
from causalmix_core.table.table import Table
from causalmix_core.table.typed import infer_kinds, to_table
from causalmix_core.table.writing import to_csv

__all__ = [
    "MAX_BYTES",
    "MISSING_TOKENS",
    "Binning",
    "ColumnSummary",
    "Guess",
    "Kind",
    "RawTable",
    "ReadSettings",
    "ReadingError",
    "Table",
    "associate",
    "bins_at",
    "draw",
    "examples",
    "find_bins",
    "hold_out_test",
    "infer_kinds",
    "inspect",
    "read_raw",
    "read_table",
    "split",
    "summarise",
    "to_csv",
    "to_table",
]
