"""Columns of text as JSON objects, one per row, and back, without a loop over rows.

An object that was written here comes back exactly: its columns in their order, every character, null and '' apart.
Of objects from elsewhere numbers and truths become the text that they are written as, and a key that one lacks is null.
What is no flat object (or says a key twice, or is not UTF-8) is unreadable, and what was said instead is kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from citystream.schema import LOG_RECORD, UNREADABLE

#: More keys than this are data in the place of names: each would become a column.
_MOST_KEYS: Final = 1_000
_BLOCK: Final = 1 << 22
_OPEN, _CLOSE = b"{}"
_OWN: Final = frozenset(LOG_RECORD.names) - {UNREADABLE}
_WORDS: Final = {True: "true", False: "false"}

Row = dict[str, str | None]


class Encoder:
    """Makes JSON objects of rows; owns an engine."""

    def __init__(self) -> None:
        self._engine = duckdb.connect(config={"threads": 1})

    def __call__(self, published: pa.Table, unreadable: pa.ChunkedArray | None) -> pa.ChunkedArray:
        """One text for each row of *published*; of a row that is *unreadable* nothing but that."""
        short = [f"c{place}" for place in range(published.num_columns)]
        pairs = [f"{_quoted(name)}, {column}" for name, column in zip(published.column_names, short, strict=True)]
        value = f"json_object({', '.join(pairs)})::VARCHAR"
        columns = dict(zip(short, published.columns, strict=True))
        if unreadable is not None and unreadable.null_count < len(unreadable):
            columns["unreadable"] = unreadable
            said = f"json_object({_quoted(UNREADABLE)}, unreadable)::VARCHAR"
            value = f"CASE WHEN unreadable IS NULL THEN {value} ELSE {said} END"
        if not columns:
            return pa.chunked_array([pa.array(["{}"] * len(published), pa.string())])
        self._engine.register("published", pa.table(columns))
        try:
            made: pa.Table = self._engine.sql(f"SELECT {value} AS value FROM published").to_arrow_table()
        finally:
            self._engine.unregister("published")
        return made["value"]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Objects:
    """*rows*: the columns of text that the objects have together; *unreadable*: what stands in the place of an object,
    None if all are objects; *poison*: which of them nobody marked as unreadable who wrote them.
    """

    rows: pa.Table
    unreadable: pa.Array | None = None
    poison: tuple[int, ...] = ()


def decode(values: Sequence[bytes | None], names: Sequence[str] | None) -> Objects:
    """The objects in *values*, at least one; *names* are the columns they are expected to have, in their order."""
    if names is None:
        names = _names_of(values[0])
    if names is not None and (rows := _flat(values, names)) is not None:
        return Objects(rows)
    return _one_by_one(values, names or ())


def _names_of(value: bytes | None) -> Sequence[str] | None:
    row = _object(value)
    return None if row is None or UNREADABLE in row else list(row)


def _flat(values: Sequence[bytes | None], names: Sequence[str]) -> pa.Table | None:
    """All of *values* decoded at once; None if one of them has other keys, or values that are no text.

    The decoder takes several values in a row as well, and does not survive each of them (a ``null`` by itself). So it
    is shown only texts with one closing brace, at their end.
    """
    if not names:
        return _without_columns(len(values)) if all(value == b"{}" for value in values) else None
    if None in values:
        return None
    text = b"\n".join(values)  # type: ignore[arg-type] # there is no None
    if not _one_object_each(text, values) or not _is_utf8(text):
        return None
    try:
        rows = pj.read_json(
            pa.BufferReader(text),
            read_options=pj.ReadOptions(use_threads=False, block_size=min(len(text) + 1, _BLOCK)),
            parse_options=pj.ParseOptions(
                explicit_schema=pa.schema([(name, pa.string()) for name in names]), unexpected_field_behavior="error"
            ),
        )
    except pa.ArrowInvalid:
        return None
    return rows if len(rows) == len(values) else None


def _without_columns(rows: int) -> pa.Table:
    return pa.table({"": pa.nulls(rows)}).select([])


def _one_object_each(text: bytes, values: Sequence[bytes | None]) -> bool:
    """Whether each of *values*, which *text* has one after the other, begins as an object and ends where it ends."""
    if text.count(b"}") != len(values):
        return False
    lengths = np.fromiter(map(len, values), np.int64, len(values))  # type: ignore[arg-type] # there is no None
    if lengths.min() < 2:
        return False
    ends = np.cumsum(lengths + 1) - 1
    characters = np.frombuffer(text, np.uint8)
    return bool((characters[ends - lengths] == _OPEN).all() and (characters[ends - 1] == _CLOSE).all())


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    ends = pa.py_buffer(np.array([0, len(text)], np.int64))
    try:
        pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(text)]).cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _one_by_one(values: Sequence[bytes | None], names: Sequence[str]) -> Objects:
    rows = [_object(value) for value in values]
    said: list[str | None] = [None] * len(rows)
    poison = []
    for place, row in enumerate(rows):
        if row is None:
            said[place] = (values[place] or b"").decode("utf-8", "backslashreplace")
            poison.append(place)
        elif UNREADABLE in row:
            said[place] = row.pop(UNREADABLE) or ""
    found = [row or {} for row in rows]
    columns = dict.fromkeys(chain(names, *found))
    table = pa.table({name: pa.array([row.get(name) for row in found], pa.string()) for name in columns})
    unreadable = pa.array(said, pa.string())
    whole = table if columns else _without_columns(len(rows))
    return Objects(whole, unreadable if unreadable.null_count < len(rows) else None, tuple(poison))


def _object(value: bytes | None) -> Row | None:
    """The flat object in *value*, None if there is none."""
    try:
        found: Any = _DECODER.decode(value.decode()) if value is not None else None
        if isinstance(found, dict) and b"\\u" in value:  # type: ignore[operator] # it was decoded
            "".join(text for text in chain(found, found.values()) if text).encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _row(pairs: list[tuple[str, Any]]) -> Row:
    row = {name: _WORDS[value] if value is True or value is False else value for name, value in pairs}
    if len(row) != len(pairs) or len(row) > _MOST_KEYS or not _OWN.isdisjoint(row):
        raise ValueError
    if any(isinstance(value, dict | list) for value in row.values()):
        raise ValueError
    return row


_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_row)


def text_of(raw: Sequence[bytes | None]) -> pa.Array:
    """Keys as text; what is no UTF-8 is shown by its numbers."""
    try:
        return pa.array(raw, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([None if each is None else each.decode("utf-8", "backslashreplace") for each in raw])
