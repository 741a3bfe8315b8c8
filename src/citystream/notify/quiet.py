"""Hours in which nobody is disturbed, on the clock of a city: ``22:00-07:00``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from citystream.errors import ConfigError

_HOURS = re.compile(r"\s*([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)\s*")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From *start* (included) to *end* (excluded), past midnight if that is earlier; never, if both are equal.

    It is what clocks on the wall show that counts: an hour that a city has twice is quiet twice, and where the end lies
    in an hour that a city skips, it is over when clocks go on.
    """

    start: time = time()
    end: time = time()

    def holds(self, at: datetime, zone: str) -> bool:
        """Whether it is quiet in *zone* at the instant *at*."""
        clock = at.astimezone(_zone(zone)).time()
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def read_quiet(text: str) -> Quiet:
    """``22:00-07:00``, or nothing for never; raises `ConfigError`."""
    if not text.strip():
        return Quiet()
    found = _HOURS.fullmatch(text)
    if not found:
        raise ConfigError(f"notify.quiet: '{text}' is no time of the day to another", "write it like 22:00-07:00")
    first, last = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if first == last:
        raise ConfigError(f"notify.quiet: '{text}' begins when it ends", "write it like 22:00-07:00, or leave it out")
    return Quiet(first, last)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
