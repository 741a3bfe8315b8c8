r"""Rows as the lines of text that PostgreSQL's COPY and MySQL's LOAD DATA both read by default.

Fields end with a tab and rows with a newline; a backslash hides either within a text, and NULL is ``\N``, so that it
differs from a text without any characters. Made column by column, never row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from citystream.errors import SinkError

_NULL = "\\N"
#: The years that databases and their clients agree on.
_FIRST, _LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a database cannot hold. *nul* is written for the character of code 0; with *finite* a number that is none
    (NaN, infinite) becomes NULL. A date outside the years 1 to 9999 becomes NULL everywhere.
    """

    nul: str
    finite: bool


def lines(batch: pa.RecordBatch, limits: Limits) -> memoryview:
    """The rows of *batch* as one text in UTF-8."""
    fields = [_text(column, limits) for column in batch.columns]
    last = pc.binary_join_element_wise(fields.pop(), "", "\n", null_handling="replace", null_replacement=_NULL)
    joined = pc.binary_join_element_wise(*fields, last, "\t", null_handling="replace", null_replacement=_NULL)
    _, offsets, data = joined.buffers()
    ends = memoryview(offsets).cast("i")
    return memoryview(data)[ends[joined.offset] : ends[joined.offset + len(joined)]] if data else memoryview(b"")


def _text(column: pa.Array, limits: Limits) -> pa.Array:
    kind = column.type
    if pa.types.is_string(kind):
        return _escaped(column, limits.nul)
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.string())
    if pa.types.is_integer(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        return _number(column, limits).cast(pa.string())
    if pa.types.is_date(kind):
        return _dated(column, _FIRST.date(), _LAST.date()).cast(pa.string())
    if pa.types.is_timestamp(kind):
        return _dated(column, _FIRST, _LAST).cast(pa.string())
    raise SinkError(f"a column of type {kind} cannot be written to a database", "report this: it is a fault here")


def _escaped(column: pa.Array, nul: str) -> pa.Array:
    data = column.buffers()[2]
    text = data.to_pybytes() if data else b""  # of the whole array, of which *column* may be a part
    for found, written in (("\\", "\\\\"), ("\0", nul), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        if found.encode() in text:
            column = pc.replace_substring(column, found, written)
    return column


def _number(column: pa.Array, limits: Limits) -> pa.Array:
    return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type)) if limits.finite else column


def _dated(column: pa.Array, first: date, last: date) -> pa.Array:
    low, high = pa.scalar(first, column.type), pa.scalar(last, column.type)
    within = pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
    return pc.if_else(within, column, pa.scalar(None, column.type))
