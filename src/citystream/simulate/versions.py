"""Histories of records as versions: what was published when, and until when.

A record begins with its first values; each change sets one field of it at a time, or touches it, takes it
away, or brings it back. Everything is done in whole columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

TOUCH, GONE, BACK = -1, -2, -3
FOREVER = int(np.iinfo(np.int64).max)
_START = -4


@dataclass(frozen=True, slots=True)
class Changes:
    """At time *at* field number *field* of record *key* becomes *value*; or TOUCH, GONE, BACK."""

    key: Integers
    at: Integers
    field: Integers
    value: Integers

    @classmethod
    def of(cls, key: Integers, at: Integers, field: int, value: Integers | int = 0) -> Changes:
        """Changes of one kind."""
        values = np.broadcast_to(np.asarray(value, dtype=np.int64), key.shape)
        return cls(key, at, np.full(len(key), field, dtype=np.int64), values)

    @classmethod
    def joined(cls, parts: list[Changes]) -> Changes:
        """All of them."""
        return cls(
            np.concatenate([p.key for p in parts]), np.concatenate([p.at for p in parts]),
            np.concatenate([p.field for p in parts]), np.concatenate([p.value for p in parts]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions in order of (*published_at*, *key*); *ended_at* is FOREVER while one stands.

    *created_at* is when the record first appeared, *touched_at* when the publisher last stamped it (a record
    that merely comes back keeps its old stamp), *fields* the values by name.
    """

    key: Integers
    published_at: Integers
    ended_at: Integers
    created_at: Integers
    touched_at: Integers
    fields: dict[str, Integers]


def build(first: Integers, fields: dict[str, Integers], changes: Changes) -> Versions:
    """Versions of records ``0..n-1`` that appear at *first* with *fields* and then undergo *changes*.

    Of several changes of a record at one time only one counts; those before its first time count for nothing.
    """
    if not len(first):
        return Versions(first, first, first, first, first, dict(fields))
    events = _events(first, changes)
    new = np.flatnonzero(events.field == _START)
    ordinal = np.arange(len(events.key)) - np.repeat(new, np.diff(np.append(new, len(events.key))))
    created = events.at[new][events.key]
    ended = np.append(events.at[1:], FOREVER)
    ended[np.append(new[1:] - 1, len(ended) - 1)] = FOREVER
    touched = _carried(events.at.copy(), np.isin(events.field, (GONE, BACK)), ordinal)
    values = {
        name: _carried(*_assigned(start[events.key], events, number), ordinal)
        for number, (name, start) in enumerate(fields.items())
    }
    shown = np.flatnonzero(events.field != GONE)
    order = shown[np.lexsort((events.key[shown], events.at[shown]))]
    return Versions(
        events.key[order], events.at[order], ended[order], created[order], touched[order],
        {name: column[order] for name, column in values.items()},
    )  # fmt: skip


def _events(first: Integers, changes: Changes) -> Changes:
    """Beginnings and changes, by record and time, no two of a record at one time."""
    late = changes.at > first[changes.key]
    start = Changes.of(np.arange(len(first)), first, _START)
    kept = Changes(changes.key[late], changes.at[late], changes.field[late], changes.value[late])
    both = Changes.joined([start, kept])
    order = np.lexsort((both.field, both.at, both.key))
    key, at = both.key[order], both.at[order]
    distinct = np.append(True, (key[1:] != key[:-1]) | (at[1:] != at[:-1]))
    order = order[distinct]
    return Changes(both.key[order], both.at[order], both.field[order], both.value[order])


def _assigned(column: Integers, events: Changes, number: int) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """The values that events give to a field, and where they leave it as it was."""
    given = events.field == number
    column = np.where(given, events.value, column)
    return column, ~given & (events.field != _START)


def _carried(column: Integers, inherits: npt.NDArray[np.bool_], ordinal: Integers) -> Integers:
    """Fill *column* where it *inherits* from the version before."""
    for step in range(1, int(ordinal.max(initial=0)) + 1):
        at = np.flatnonzero((ordinal == step) & inherits)
        column[at] = column[at - 1]
    return column
