"""The local clock of a zone, for slots: the rules of the zone asked once a day, and where they differ once an hour.

>>> import numpy as np
>>> clock = zone_clock("America/Chicago")
>>> day, half_hour = clock(np.array([(19792 * 24 + 8) * 2 - 1, (19792 * 24 + 8) * 2]))  # put forward at 8 UTC
>>> day.tolist(), half_hour.tolist()
([19792, 19792], [3, 6])
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from citystream.detect.baseline import HALF_HOURS
from citystream.detect.local_days import LocalClock
from citystream.ports import Integers

_FIRST, _LAST = 1965, 2050
_DAY, _QUARTER, _SLOT = 86_400, 900, 1800


@cache
def zone_clock(name: str) -> LocalClock:
    """The clock of the zone *name*; before 1965 and after 2050 it is as it was, or will be, then."""
    since, ahead = _offsets(name)

    def clock(slots: Integers) -> tuple[Integers, Integers]:
        seconds = slots * _SLOT
        local = seconds + ahead[np.maximum(np.searchsorted(since, seconds, side="right") - 1, 0)]
        halves = local // _SLOT
        return halves // HALF_HOURS, halves % HALF_HOURS

    return clock


def _offsets(name: str) -> tuple[Integers, Integers]:
    """From which second on (UTC) a zone is how many seconds ahead."""
    zone = ZoneInfo(name)

    def ahead(second: int) -> int:
        offset = datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0

    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (_FIRST, _LAST))
    since, offsets = [first], [ahead(first)]
    for day in range(first, last, _DAY):
        if ahead(day + _DAY) != offsets[-1]:
            change = next(at for at in range(day, day + _DAY + 1, _QUARTER) if ahead(at) != offsets[-1])
            since.append(change)
            offsets.append(ahead(change))
    return np.array(since, np.int64), np.array(offsets, np.int64)
