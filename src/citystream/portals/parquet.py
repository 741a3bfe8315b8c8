"""Parquet files as rows of text: every value in the shortest text that loses nothing.

Times are ISO 8601 (``2019-05-21T08:20:00``, with ``Z`` or an offset if the column has a zone), booleans true and
false, nested values compact JSON, bytes that are not text hexadecimal digits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from citystream.errors import FileRefused
from citystream.portals.columns import repeated, shown
from citystream.portals.csv_text import PAGE_ROWS


class ParquetRows:
    """The rows of a Parquet *file*; *name* is what messages call it, *columns* has its Arrow types."""

    def __init__(self, file: IO[bytes] | pa.NativeFile, name: str) -> None:
        self._name = name
        try:
            self._file = pq.ParquetFile(file)
        except (pa.ArrowException, OSError) as fault:
            raise self._damaged(fault) from fault
        schema = self._file.schema_arrow
        self.columns = {field.name: str(field.type) for field in schema}
        if twice := repeated(schema.names):
            raise FileRefused(f"{name}: columns occur twice: {shown(twice)}", "rename or remove them")

    def tables(self) -> Iterator[pa.Table]:
        """Tables of at most `PAGE_ROWS` rows in file order."""
        try:
            for batch in self._file.iter_batches(batch_size=PAGE_ROWS):
                yield pa.table({key: as_text(batch.column(key)) for key in batch.schema.names})
        except (pa.ArrowException, OSError) as fault:
            raise self._damaged(fault) from fault

    def _damaged(self, fault: Exception) -> FileRefused:
        return FileRefused(f"{self._name}: the Parquet file is damaged or cut off ({fault})", "download the file again")


def as_text(values: pa.Array) -> pa.Array:
    """*values* as text, null where they are null."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return as_text(values.dictionary_decode())
    if pa.types.is_timestamp(kind):
        return _iso(values)
    if pa.types.is_nested(kind):
        return _by_value(values, _json)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _by_value(values, _bytes)
    return pc.cast(values, pa.string())


def _iso(values: pa.Array) -> pa.Array:
    """``T`` between date and time, no fraction of a second that is nothing but zeros, offsets as ``-06:00``."""
    text = pc.replace_substring(pc.cast(values, pa.string()), " ", "T", max_replacements=1)
    text = pc.replace_substring_regex(text, r"\.0+(Z|[+-]\d{4})?$", r"\1")
    return pc.replace_substring_regex(text, r"(T.*[+-]\d\d)(\d\d)$", r"\1:\2") if values.type.tz else text


def _by_value(values: pa.Array, text: Callable[[Any], str]) -> pa.Array:
    """Value by value: nested and binary columns are rare."""
    return pa.array([None if value is None else text(value) for value in values.to_pylist()], pa.string())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
