"""Data frames and Parquet files, turned into text columns without losing a digit."""

import io
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from causalmix_core.errors import TableError

_INDEX = re.compile(r"__index_level_\d+__")  # how pandas stores a frame's nameless row numbers


def read_parquet(data: bytes, max_bytes: int, max_cells: int) -> pd.DataFrame:
    """Return a Parquet file's columns with their own types.

    Raises:
        TableError: if the file is damaged, or unpacks to more than ten times `max_bytes` or to
            more than `max_cells` cells.
    """
    too_big = TableError(
        "The Parquet file unpacks to far more than the size limit; take fewer rows or columns."
    )
    try:
        names = [field.name for field in pq.read_schema(io.BytesIO(data))]
        # Kept as codes, a short file cannot blow a long text up by repeating it.
        file = pq.ParquetFile(io.BytesIO(data), read_dictionary=names)
        meta = file.metadata
        stated = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
        if meta.num_rows * max(meta.num_columns, 1) > max_cells or stated > 10 * max_bytes:
            raise too_big
        columns = file.read(use_threads=False)
        if _unpacked_bytes(columns) > 10 * max_bytes:
            raise too_big
        for position, field in enumerate(columns.schema):
            if pa.types.is_dictionary(field.type) and pa.types.is_string(field.type.value_type):
                columns = columns.set_column(
                    position, field.name, columns.column(position).cast(field.type.value_type)
                )
        frame: pd.DataFrame = columns.to_pandas(ignore_metadata=True)
        return frame[[name for name in frame.columns if not _INDEX.fullmatch(str(name))]]
    except TableError:
        raise
    except Exception as error:
        # Arrow raises many kinds of error over a damaged file.
        raise TableError(
            "The Parquet file cannot be read, it seems damaged; save it anew."
        ) from error


def frame_to_text(frame: pd.DataFrame, max_cells: int) -> pd.DataFrame:
    """Return a frame of any dtypes as text columns, NaN where there is no value."""
    if frame.size > max_cells:
        raise TableError(
            f"The table has more than {max_cells:,} cells; take fewer rows or columns."
        )
    texts = [_column_to_text(frame.iloc[:, position]) for position in range(frame.shape[1])]
    text = pd.concat(texts, axis=1) if texts else pd.DataFrame()
    text.columns = pd.Index([str(name) for name in frame.columns], dtype=object)
    return text


def _column_to_text(column: pd.Series) -> pd.Series:
    missing = column.isna().to_numpy(dtype=bool)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        texts = [_stamp(stamp) for stamp in column]
    elif pd.api.types.is_bool_dtype(column.dtype):
        texts = [str(value) for value in column]
    elif pd.api.types.is_float_dtype(column.dtype):
        # A narrower float is widened first: its short form is another number in 64 bits.
        numbers = column.to_numpy(dtype="float64", na_value=np.nan)
        texts = [repr(number) for number in numbers.tolist()]
    else:
        texts = [str(value) for value in column]
    values = np.array([*texts, None], dtype=object)[:-1]
    values[missing] = None
    return pd.Series(values, dtype="str")


def _stamp(stamp: object) -> str:
    if not isinstance(stamp, pd.Timestamp):
        return ""
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    if stamp.nanosecond:
        stamp = stamp.floor("us")
    return stamp.isoformat(sep=" ")


def _unpacked_bytes(columns: pa.Table) -> int:
    total = 0
    for column in columns.columns:
        for chunk in column.chunks:
            if pa.types.is_dictionary(chunk.type):
                lengths = np.array(
                    [len(str(value)) for value in chunk.dictionary.to_pylist()] + [0]
                )
                codes = chunk.indices.fill_null(len(lengths) - 1).to_numpy(zero_copy_only=False)
                total += int(lengths[codes].sum())
            else:
                total += chunk.nbytes
    return total
