"""Readings of one series that stand out, as alerts: those of one kind at most five hours apart are one.

An episode is shown by the finding that stands out most. Findings of which a part is told anew replace what was known of
that time; what is too old to be told anew is kept summed up, and forgotten when nothing can join it any more.

>>> at = ((0, 7), (3600, 8), (90000, 6))
>>> found = [Episode(0, time, time, time, 30.0, 20.0, 18.0, 22.0, score, 9.0) for time, score in at]
>>> [(each.first, each.last, each.score) for each in joined(found)]
[(0, 3600, 8), (90000, 90000, 6)]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from citystream.detect.arrays import Floats
from citystream.detect.sensor import KINDS, Findings

_GAP = 5 * 3600
#: Older findings than this are not told anew.
_REACH = 32 * 86_400
_WHOLE = 4


class Episode(NamedTuple):
    """Findings of one *kind* (a place in `KINDS`) from the *first* to the *last* second; the rest is of the one at
    *time*, which stands out most.
    """

    kind: int
    first: int
    last: int
    time: int
    value: float
    expected: float
    lo95: float
    hi95: float
    score: float
    recurrence_days: float


class Episodes:
    """The episodes of one series that can still change."""

    def __init__(self, parts: list[Episode] | None = None) -> None:
        self._parts = parts or []

    def replace(self, found: Findings) -> tuple[list[Episode], list[Episode]]:
        """Take *found* instead of what was known of that time; returns the episodes as they were, and as they are."""
        before = joined(self._parts)
        self._parts = [each for each in self._parts if each.last < found.since] + _singly(found)
        return before, joined(self._parts)

    def settle(self, newest: int) -> None:
        """Sum up what is too old, at a *newest* reading, to be told anew; forget what nothing can join any more."""
        old = [each for each in self._parts if each.last < newest - _REACH]
        if old:
            summed = [each for each in joined(old) if each.last >= newest - _REACH - _GAP]
            self._parts = summed + [each for each in self._parts if each.last >= newest - _REACH]

    def state(self) -> Floats:
        """As numbers, for `of_state`."""
        return np.array(self._parts, np.float64).reshape(-1, len(Episode._fields))

    @classmethod
    def of_state(cls, state: Floats) -> Episodes:
        """What `state` was made by."""
        return cls([Episode(*(int(each) for each in row[:_WHOLE]), *row[_WHOLE:]) for row in state.tolist()])


def joined(parts: Iterable[Episode]) -> list[Episode]:
    """*parts* of one kind at most five hours apart as one, by kind and time."""
    made: list[Episode] = []
    for part in sorted(parts, key=lambda each: (each.kind, each.first)):
        if made and made[-1].kind == part.kind and part.first - made[-1].last <= _GAP:
            made[-1] = _both(made[-1], part)
        else:
            made.append(part)
    return made


def _both(one: Episode, other: Episode) -> Episode:
    shown = other if abs(other.score) > abs(one.score) else one
    return shown._replace(first=one.first, last=max(one.last, other.last))


def _singly(found: Findings) -> list[Episode]:
    numbers = (found.value, found.expected, found.lo95, found.hi95, found.score, found.recurrence_days)
    columns = [found.kind, found.time, found.time, found.time, *numbers]
    return [Episode(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def name_of(kind: int) -> str:
    """What an episode is called in an alert."""
    return KINDS[kind]
