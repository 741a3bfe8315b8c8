"""What a record of the log is as a message of Kafka.

Its key is the record id, its value a JSON object of the published columns, its time is when it was fetched. Only what
is out of the ordinary is a header, because headers cost more to read than all else: nearly all messages have none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, TypeGuard

import numpy as np
import pyarrow as pa
from confluent_kafka import Message

from citystream import schema
from citystream.log.json_columns import decode, text_of
from citystream.log.tables import repeats

#: ``gone``; without it a record was seen. A message without a value (a tombstone) with a key is gone too.
OP: Final = "citystream.op"
#: On the last record of an append: each cursor that its records came with, the newest last.
CURSOR: Final = "citystream.cursor"
#: Beside `CURSOR`: how many records with cursors there are up to here, and where the one before is.
BEFORE: Final = "citystream.before"
#: Where the columns begin to be others: their names in their order.
COLUMNS: Final = "citystream.columns"

Headers = list[tuple[str, str | bytes | None]]
_MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """Records in *table*; *poison*: those of *messages*, by their place, that are no records, as others wrote them."""

    table: pa.Table
    messages: Sequence[Message]
    poison: tuple[int, ...]


class Decoder:
    """Makes records of messages that follow each other; it remembers which columns they have."""

    def __init__(self) -> None:
        self._names: Sequence[str] | None = None
        self._named: list[str] | None = None
        self._repeating: frozenset[str] = frozenset()

    def __call__(self, first: int, messages: Sequence[Message]) -> Iterator[Decoded]:
        """*messages* as records from offset *first* on, in as many tables as they have different columns."""
        headers: list[Headers | None] = list(map(Message.headers, messages))  # type: ignore[arg-type] # never a dict
        told = [place for place, each in enumerate(headers) if each]
        start = 0
        for place in told:
            names = _columns(headers[place])
            if names is None or names == self._names:
                continue
            if place > start:
                yield self._decoded(first + start, messages[start:place], headers[start:place])
            start, self._names = place, names
        if start < len(messages):
            yield self._decoded(first + start, messages[start:], headers[start:])

    def _decoded(self, first: int, messages: Sequence[Message], headers: Sequence[Headers | None]) -> Decoded:
        values = list(map(Message.value, messages))
        keys = list(map(Message.key, messages))
        gone = _gone(headers, keys, values)
        if gone and None in values:
            values = [b"{}" if value is None and place in gone else value for place, value in enumerate(values)]
        found = decode(values, self._names)
        published = self._compact(found.rows)
        rows = len(messages)
        milliseconds = np.fromiter(map(itemgetter(1), map(Message.timestamp, messages)), np.int64, rows)
        fixed = {
            schema.OFFSET: pa.array(np.arange(first, first + rows)),
            schema.RECORD_ID: text_of(keys),
            schema.OP: _ops(rows, gone),
            schema.CURSOR: _cursors(headers),
            schema.FETCHED_AT: pa.array(milliseconds // 1000 * _MICROS).view(pa.timestamp("us")),
            schema.UNREADABLE: found.unreadable if found.unreadable is not None else pa.nulls(rows, pa.string()),
        }
        fields = pa.schema([*schema.LOG_RECORD, *published.schema])
        return Decoded(pa.table([*fixed.values(), *published.columns], schema=fields), messages, found.poison)

    def _compact(self, rows: pa.Table) -> pa.Table:
        """*rows* with dictionaries where texts repeat themselves, which is decided when columns begin to be others."""
        if rows.column_names != self._named:
            self._named = rows.column_names
            self._repeating = frozenset(name for name in rows.column_names if repeats(rows[name]))
        self._names = rows.column_names
        columns = [rows[name].dictionary_encode() if name in self._repeating else rows[name] for name in self._names]
        return pa.table(columns, names=self._names)


def _gone(headers: Sequence[Headers | None], keys: Sequence[object], values: Sequence[object]) -> set[int]:
    """Which messages say that a record is gone."""
    gone = {place for place, each in enumerate(headers) if each and _header(each, OP) == schema.GONE.encode()}
    if None in values:
        gone |= {place for place, value in enumerate(values) if value is None and keys[place] is not None}
    return gone


def _ops(rows: int, gone: set[int]) -> pa.Array:
    if not gone:
        return pa.repeat(pa.scalar(schema.SEEN), rows)
    return pa.array([schema.GONE if place in gone else schema.SEEN for place in range(rows)], pa.string())


def _cursors(headers: Sequence[Headers | None]) -> pa.Array:
    if not any(headers):
        return pa.nulls(len(headers), pa.string())
    newest = [next(reversed(cursors_of(each)), None) for each in headers]
    return pa.array(newest, pa.string())


def headers_of(message: Message) -> Headers | None:
    """The headers of a received message."""
    return message.headers()  # type: ignore[return-value] # never a dict


def cursors_of(headers: Headers | None) -> list[str]:
    """The cursors in *headers*, the newest last."""
    return [value.decode("utf-8", "replace") for name, value in headers or () if name == CURSOR and _is_raw(value)]


def _is_raw(value: object) -> TypeGuard[bytes]:
    """What is received is bytes, or nothing."""
    return isinstance(value, bytes)


def before(headers: Headers | None) -> tuple[int, int, int]:
    """How many records with cursors there are up to this one, and partition and offset of the one before (-1: none)."""
    try:
        count, partition, offset = json.loads(_header(headers or [], BEFORE) or b"")
        return int(count), int(partition), int(offset)
    except (ValueError, TypeError):
        return 0, -1, -1


def _columns(headers: Headers | None) -> list[str] | None:
    said = _header(headers or [], COLUMNS)
    if said is None:
        return None
    try:
        names = json.loads(said)
    except ValueError:
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _header(headers: Headers, name: str) -> bytes | None:
    return next((value for key, value in headers if key == name and _is_raw(value)), None)
