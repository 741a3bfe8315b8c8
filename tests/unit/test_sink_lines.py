"""Rows as lines of text: what is written can be read back, and NULL is not a text."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystream.errors import SinkError
from citystream.sinks.lines import Limits, lines

LIMITS = Limits(nul="\\0", finite=True)
HIDDEN = {"t": "\t", "n": "\n", "r": "\r", "0": "\0", "\\": "\\"}
texts = st.lists(st.tuples(st.none() | st.text(), st.none() | st.text(st.sampled_from("\\\t\n\r\0Na"))), max_size=8)


def read(written: memoryview) -> list[tuple[str | None, ...]]:
    """As databases read it."""
    rows = bytes(written).decode().split("\n")
    assert rows.pop() == ""
    return [tuple(map(field, row.split("\t"))) for row in rows]


def field(text: str) -> str | None:
    return None if text == "\\N" else re.sub(r"\\(.)", lambda match: HIDDEN[match[1]], text)


@given(texts, st.integers(0, 3))
def test_texts_are_read_as_they_were(rows: list[tuple[str | None, str | None]], first: int) -> None:
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)] or [pa.array([], pa.string())] * 2
    batch = pa.RecordBatch.from_arrays(columns, ["a", "b"]).slice(first)
    assert read(lines(batch, LIMITS)) == rows[first:]


def test_one_column_and_no_rows() -> None:
    batch = pa.record_batch({"a": pa.array(["", None, "x"])})
    assert bytes(lines(batch, LIMITS)) == b"\n\\N\nx\n"
    assert bytes(lines(batch.slice(3), LIMITS)) == b""


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_exact(numbers: list[float]) -> None:
    written = lines(pa.record_batch({"a": pa.array(numbers)}), LIMITS)
    assert [float(text or "") for (text,) in read(written)] == numbers


def test_a_type_that_nobody_expects_is_refused() -> None:
    with pytest.raises(SinkError, match=r"list<"):
        lines(pa.record_batch({"a": pa.array([[1]])}), LIMITS)
