"""Local days on the axis of slots: which half hours (UTC, counted from 1970) a day of the city has.

The zone is the caller's: a `LocalClock` says for each slot the local day (days since 1970) and the local half hour in
which the slot starts. Days of 46 and 50 slots follow from it, and so do zones that are a quarter of an hour apart.

>>> import numpy as np
>>> days = LocalDays(shifted_clock(-12))
>>> days.bounds(10), days.of(491), days.day(10).weekday
((492, 540), 9, 6)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from citystream.detect.baseline import HALF_HOURS, Day
from citystream.ports import Integers

#: From slots to (local days since 1970, local half hours 0..47 of the slots' starts); both never fall within a day.
LocalClock = Callable[[Integers], tuple[Integers, Integers]]
#: Zones are at most this many slots from UTC, and clocks are changed by less than the rest.
_FARTHEST = 34
_EPOCH = date(1970, 1, 1)


def shifted_clock(slots: int) -> LocalClock:
    """A zone that is always *slots* ahead of UTC."""
    return lambda of: ((of + slots) // HALF_HOURS, (of + slots) % HALF_HOURS)


class LocalDays:
    """Days of one zone; what was asked once is remembered."""

    def __init__(self, clock: LocalClock) -> None:
        self._clock = clock
        self._known: dict[int, tuple[int, int, Day]] = {}

    def of(self, slot: int) -> int:
        """The local day in which *slot* starts."""
        day, _ = self._clock(np.array([slot], np.int64))
        return int(day[0])

    def places(self, slots: Integers) -> tuple[Integers, Integers]:
        """Local day and half hour of many slots."""
        return self._clock(slots)

    def bounds(self, day: int) -> tuple[int, int]:
        """The first slot of *day* and the first after it; both equal where a zone left the day out."""
        first, after, _ = self._look_up(day)
        return first, after

    def day(self, day: int) -> Day:
        """Its place in the week, and the half hours of its slots."""
        return self._look_up(day)[2]

    def _look_up(self, day: int) -> tuple[int, int, Day]:
        if day not in self._known:
            around = np.arange(day * HALF_HOURS - _FARTHEST, (day + 1) * HALF_HOURS + _FARTHEST, dtype=np.int64)
            days, half_hours = self._clock(around)
            first, after = np.searchsorted(days, [day, day + 1])
            start = int(around[0])
            named = _EPOCH + timedelta(days=day)
            found = Day(named.weekday(), named.day == 1, half_hours[first:after])
            self._known[day] = (start + int(first), start + int(after), found)
        return self._known[day]
