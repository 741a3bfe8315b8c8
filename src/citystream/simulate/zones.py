"""Wall-clock time of a city to UTC, whole columns at a time.

Times are microseconds since 1970. In the repeated hour the first pass is taken; times in the skipped hour are
read with the offset that held before it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FIRST_YEAR, LAST_YEAR = 2009, 2040


@cache
def _transitions(zone: str) -> tuple[Integers, Integers]:
    """Local times from which a new offset holds, and all offsets (one more) in microseconds."""
    info = ZoneInfo(zone)
    days = int((datetime(LAST_YEAR, 1, 1) - datetime(FIRST_YEAR, 1, 1)) / timedelta(days=1))
    begin = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    starts: list[int] = []
    offsets = [_offset(begin, info)]
    for day in range(days):
        after = begin + timedelta(days=day + 1)
        if _offset(after, info) != offsets[-1]:
            at = _hour_of_change(after - timedelta(days=1), info)
            offsets.append(_offset(after, info))
            starts.append(int(at.timestamp()) * SECOND + max(offsets[-2:]))
    return np.array(starts, dtype=np.int64), np.array(offsets, dtype=np.int64)


def _offset(at: datetime, info: ZoneInfo) -> int:
    delta = at.astimezone(info).utcoffset()
    return int((delta or timedelta()).total_seconds()) * SECOND


def _hour_of_change(day: datetime, info: ZoneInfo) -> datetime:
    before = _offset(day, info)
    hours = (day + timedelta(hours=h) for h in range(1, 25))
    return next(at for at in hours if _offset(at, info) != before)


def to_utc(local: Integers, zone: str) -> Integers:
    """UTC of wall-clock times in *zone*."""
    starts, offsets = _transitions(zone)
    return np.asarray(local - offsets[np.searchsorted(starts, local, side="right")])


def gaps(zone: str) -> Integers:
    """The local times at which an hour is skipped (its beginning), in order."""
    starts, offsets = _transitions(zone)
    return np.asarray((starts - HOUR)[np.diff(offsets) > 0])


def microseconds(when: datetime) -> int:
    """A moment as microseconds since 1970; a time without a zone is UTC."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def moment(us: int) -> datetime:
    """The aware UTC time of *us* microseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
