"""Messages of a topic as published rows: JSON objects become text columns, all else a row of ``$unreadable``.

The values are those of `json_values`: numbers as they are written, what is nested as compact JSON. Messages are decoded
many at a time; only among those that came with one that is no object each is looked at alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final

import pyarrow as pa

from citystream.brokers.kafka_reader import Messages
from citystream.catalog.naming import folded
from citystream.portals.columns import repeated
from citystream.portals.csv_text import with_unreadable
from citystream.portals.json_values import Row, compact, decode, names_of, table_of
from citystream.schema import LOG_RECORD

#: Messages decoded at once.
_STRETCH: Final = 500
#: Stands between two messages that are decoded at once. Who writes a message cannot know it, so that no two halves of
#: an object pass for two objects.
_BETWEEN: Final = token_hex(16)
_JOINT: Final = f',"{_BETWEEN}",'.encode()
_OWN: Final = frozenset(LOG_RECORD.names)
#: More keys than this are data in the place of names: each would become a column.
_MOST_KEYS: Final = 1_000

#: The keys of an object, in their order.
Shape = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Poison:
    """A message that is no row: its *place* among those it came with, and *why*."""

    place: int
    why: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """*rows*: the objects in their order, and below them one of ``$unreadable`` for each of *poison*."""

    rows: pa.Table
    poison: tuple[Poison, ...]


def decoded(messages: Messages, key_column: str = "") -> Decoded:
    """*messages* as rows of text; with *key_column* the key of each is a column of that name."""
    found: list[Row | str] = []
    for start in range(0, len(messages), _STRETCH):
        found += _objects(messages.values[start : start + _STRETCH])
    found = _spelled(found, key_column)
    if key_column:
        found = [_keyed(each, key_column, key) for each, key in zip(found, messages.keys, strict=True)]
    try:
        table = _table(found)
    except RecursionError:
        found = [_shallow(each) for each in found]
        table = _table(found)
    poison = tuple(Poison(place, why) for place, why in enumerate(found) if isinstance(why, str))
    return Decoded(with_unreadable(table, [_shown(messages, each) for each in poison]), poison)


def _objects(values: Sequence[bytes | None]) -> list[Row | str]:
    """The object in each of *values*, or why there is none."""
    known = [value for value in values if value is not None]
    try:
        together = decode((b"[" + _JOINT.join(known) + b"]").decode())
    except (ValueError, RecursionError):
        together = []
    whole = together[::2]
    if len(together) == 2 * len(values) - 1 and all(isinstance(each, dict) for each in whole):
        return list(whole)
    return [_object(value) for value in values]


def _object(value: bytes | None) -> Row | str:
    if value is None:
        return "no value (a tombstone)"
    try:
        found: Any = decode(value.decode())
    except UnicodeDecodeError:
        return "not UTF-8"
    except ValueError:
        return "not JSON"
    except RecursionError:
        return _DEEP
    return found if isinstance(found, dict) else "JSON, but not an object"


_DEEP: Final = "nested too deep"


def _keyed(row: Row | str, column: str, key: bytes | None) -> Row | str:
    if isinstance(row, dict):
        row[column] = None if key is None else _text(key)
    return row


def _spelled(rows: list[Row | str], key_column: str) -> list[Row | str]:
    """*rows* with one spelling for what is one column (`naming`), that of the first; objects whose names cannot be
    columns beside *key_column* are none.
    """
    shapes: dict[Shape, str | Mapping[str, str]] = {}
    spelling: dict[str, str] = {}
    for shape in dict.fromkeys(tuple(row) for row in rows if isinstance(row, dict)):
        shapes[shape] = _unfit(shape, key_column) or _respelled(shape, spelling)
    if not any(shapes.values()):
        return rows
    return [row if isinstance(row, str) else _named(row, shapes[tuple(row)]) for row in rows]


def _named(row: Row, names: str | Mapping[str, str]) -> Row | str:
    if isinstance(names, str):
        return names
    return {names.get(name, name): value for name, value in row.items()} if names else row


def _unfit(shape: Shape, key_column: str) -> str:
    """Why an object with these keys is no row; '' if it is one."""
    if not 0 < len(shape) <= _MOST_KEYS:
        return f"has {len(shape)} keys"
    if any(name in _OWN or not name.strip() for name in shape):
        return "has a key that no column can be called by"
    if key_column and key_column.lower() in map(str.lower, shape):
        return f"has {key_column} already, as the column of the message's key is called"
    if repeated(shape):
        return "has keys that differ in nothing but case"
    return "" if _writable(shape) else "has a key that is no text"


def _writable(names: Iterable[str]) -> bool:
    try:
        "".join(names).encode()
    except UnicodeEncodeError:
        return False
    return True


def _respelled(shape: Shape, spelling: dict[str, str]) -> dict[str, str]:
    """How keys of *shape* are spelled by those that came before it, where that is not as they are."""
    one = {folded(name): name for name in shape}
    if len(one) < len(shape):
        return {}
    return {name: first for fold, name in one.items() if (first := spelling.setdefault(fold, name)) != name}


def _table(found: Iterable[Row | str]) -> pa.Table:
    rows = [each for each in found if isinstance(each, dict)]
    return table_of(rows, names_of(rows))


def _shallow(row: Row | str) -> Row | str:
    if isinstance(row, str):
        return row
    try:
        compact(row)
    except RecursionError:
        return _DEEP
    return row


def _shown(messages: Messages, poison: Poison) -> str:
    """A message that is no row, and where it is, as JSON."""
    at = poison.place
    key, value = messages.keys[at], messages.values[at]
    said = {
        "why": poison.why,
        "partition": messages.partitions[at],
        "offset": messages.offsets[at],
        "key": None if key is None else _text(key),
        "value": None if value is None else _text(value),
    }
    return json.dumps(said, ensure_ascii=False)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
