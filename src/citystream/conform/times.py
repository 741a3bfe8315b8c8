"""Local wall-clock time to UTC, whole columns at once.

Of two equal local times the first instant is taken; a local time that never occurs moves by the width of the gap
(what ``zoneinfo`` does with ``fold=0``). Both are flagged. Times are microseconds since 1970, naive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from citystream.schema import TimeFlag

Micros = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]

FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(2100, 1, 1, tzinfo=UTC)
#: No zone changes its offset twice within a step.
STEP = timedelta(days=3)
_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Changes:
    """A zone's changes of offset on the local axis.

    ``edges[2i]`` to ``edges[2i + 1]`` is the gap or fold of change i; slot ``searchsorted(edges, local, "right")`` of
    *offsets* is what to subtract, of *flags* what is odd. Micros throughout.
    """

    edges: Micros
    offsets: Micros
    flags: Flags


def to_utc(local: Micros, zone: str) -> tuple[Micros, Flags]:
    """The instants of *local* wall-clock times in *zone*, and a flag for each that is a gap or a fold.

    Outside of 1900 to 2100 the nearest known offset is taken.
    """
    changes = changes_of(zone)
    slot = np.searchsorted(changes.edges, local, side="right")
    return local - changes.offsets[slot], changes.flags[slot]


@cache
def changes_of(zone: str) -> Changes:
    """All changes of offset between 1900 and 2100; about 30 ms of work, once for each zone."""
    found = list(_search(ZoneInfo(zone)))
    before = _offset(FIRST, ZoneInfo(zone))
    edges: list[int] = []
    offsets, flags = [before], [0]
    for instant, old, new in found:
        edges += [instant + min(old, new), instant + max(old, new)]
        offsets += [old, new]
        flags += [(TimeFlag.gap if new > old else TimeFlag.fold).value, 0]
    micros = np.array(edges, np.int64) * _SECOND
    return Changes(micros, np.array(offsets, np.int64) * _SECOND, np.array(flags, np.uint8))


def _search(zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """(second, offset before, offset from then on) of each change, in order."""
    moment, old = FIRST, _offset(FIRST, zone)
    while moment < LAST:
        ahead = moment + STEP
        new = _offset(ahead, zone)
        if new != old:
            yield _bisect(moment, ahead, old, zone), old, new
        moment, old = ahead, new


def _bisect(low: datetime, high: datetime, old: int, zone: ZoneInfo) -> int:
    """The first second between *low* and *high* at which the offset is no longer *old*."""
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _offset(middle, zone) == old else (low, middle)
    return (high - _EPOCH) // timedelta(seconds=1)


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(seconds=1)
