"""What happens in one month of a synthetic city: time, type and area of every event, drawn in whole columns.

A month depends on nothing but the seed and its own name, so a history that goes on longer begins the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from citystream.simulate import rhythm, zones
from citystream.simulate.draws import Draws

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MINUTES_A_DAY = 1440


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much of what, where and when.

    *weights*, *kinds* (rows of `rhythm`) and *groups* (the type that windows count by) are one per code,
    *areas* are weights; *minutes* are the weights of the minutes of an hour; *placeholder* is the share of
    times of day that are written as midnight or noon because nobody knows; *since*: codes that did not exist
    before a day.
    """

    dataset: str
    zone: str
    per_day: float
    weights: Floats
    kinds: Integers
    groups: tuple[str, ...]
    areas: Floats
    minutes: Floats
    placeholder: float
    since: dict[int, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Events in order of time: wall-clock minutes since 1970, position of the code, position of the area."""

    minute: Integers
    code: Integers
    area: Integers

    def __len__(self) -> int:
        return len(self.minute)

    def take(self, which: npt.NDArray[np.bool_] | Integers) -> Occurrences:
        """Those events only."""
        return Occurrences(self.minute[which], self.code[which], self.area[which])


def months_of(start: date, end: date) -> list[date]:
    """The first days of the months from that of *start* to that of *end*."""
    first, last = start.year * 12 + start.month - 1, end.year * 12 + end.month - 1
    return [date(m // 12, m % 12 + 1, 1) for m in range(first, last + 1)]


def nothing() -> Occurrences:
    """A month without events."""
    none = np.zeros(0, dtype=np.int64)
    return Occurrences(none, none, none)


def draw_month(traffic: Traffic, seed: int, month: date, scale: float) -> Occurrences:
    """All events of the month that begins on *month*, *scale* times as many as usual, and its bursts."""
    draws = Draws(seed, traffic.dataset, "occurrences", month.year, month.month)
    first = (month - date(1970, 1, 1)).days
    after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    days = np.arange(first, (after - date(1970, 1, 1)).days, dtype=np.int64)
    background = _background(traffic, draws, days, month, scale)
    found = _joined([background, *_bursts(traffic, seed, days, month)])
    found = Occurrences(_outside_gaps(found.minute, traffic.zone), found.code, found.area)
    return found.take(np.lexsort((found.area, found.code, found.minute)))


def _joined(parts: list[Occurrences]) -> Occurrences:
    return Occurrences(
        np.concatenate([part.minute for part in parts]),
        np.concatenate([part.code for part in parts]),
        np.concatenate([part.area for part in parts]),
    )


def _background(traffic: Traffic, draws: Draws, days: Integers, month: date, scale: float) -> Occurrences:
    rates = _rates(traffic, draws, days, month)
    total = np.cumsum(rates)[-1] * scale
    n = max(0, int(total + np.sqrt(total) * draws.bell(1)[0] + draws.unit(1)[0]))
    cell = draws.pick(n, rates.ravel())
    day, code = days[cell // len(traffic.weights)], cell % len(traffic.weights)
    area = draws.pick_given(code, _areas_by_code(traffic))
    minute = _minute_of_day(traffic, draws, traffic.kinds[code], _weekday(day))
    return Occurrences(day * MINUTES_A_DAY + minute, code, area)


def _weekday(days: Integers) -> Integers:
    return np.asarray((days + 3) % 7)  # 1970-01-01 was a Thursday


def _rates(traffic: Traffic, draws: Draws, days: Integers, month: date) -> Floats:
    """Expected events for each day and code, weather and all."""
    kinds = len(rhythm.NAMES)
    weather = 1 + 0.07 * draws.bell(len(days) * kinds).reshape(len(days), kinds)
    season = rhythm.MONTHS[:, month.month - 1] * rhythm.WEEKDAYS[:, _weekday(days)].T * weather
    share = traffic.weights / np.cumsum(traffic.weights)[-1] * traffic.per_day
    rates = share * season[:, traffic.kinds]
    for code, since in traffic.since.items():
        rates[days < (since - date(1970, 1, 1)).days, code] = 0.0
    return np.asarray(rates)


def _areas_by_code(traffic: Traffic) -> Floats:
    """Each code has its own geography: 0.4 to 1.6 times the usual share of an area."""
    shape = (len(traffic.weights), len(traffic.areas))
    tilt = 0.4 + 1.2 * Draws(0, traffic.dataset, "tilt").unit(shape[0] * shape[1])
    return np.asarray(tilt.reshape(shape) * traffic.areas)


def _minute_of_day(traffic: Traffic, draws: Draws, kind: Integers, weekday: Integers) -> Integers:
    n = len(kind)
    hour = draws.pick_given(kind * 7 + weekday, rhythm.HOURS)
    minute = hour * 60 + draws.pick(n, traffic.minutes)
    unknown = draws.chance(n, traffic.placeholder)
    return np.where(unknown, np.where(draws.chance(n, 0.65), 0, 720), minute)


def _bursts(traffic: Traffic, seed: int, days: Integers, month: date) -> list[Occurrences]:
    """One burst in every odd month, sometimes one more: 18 or more of one type in one area within an hour."""
    draws = Draws(seed, traffic.dataset, "bursts", month.year, month.month)
    count = month.month % 2 + int(draws.chance(1, 0.3)[0])
    return [_burst(traffic, draws, days) for _ in range(count)]


def _burst(traffic: Traffic, draws: Draws, days: Integers) -> Occurrences:
    n = 18 + int(draws.below(1, 10)[0])
    common = np.argsort(-traffic.weights, kind="stable")[:6]
    code = int(common[draws.below(1, len(common))[0]])
    area = int(draws.pick(1, traffic.areas)[0])
    start = days[draws.below(1, len(days))[0]] * MINUTES_A_DAY + (16 + draws.below(1, 30)[0]) * 30
    late = draws.chance(n, 0.25) * 30
    return Occurrences(start + late + draws.below(n, 30), np.full(n, code), np.full(n, area))


def _outside_gaps(minute: Integers, zone: str) -> Integers:
    """Hardly anything is written with a time that does not exist; one in eight is left there."""
    for gap in zones.gaps(zone) // zones.MINUTE:
        inside = np.flatnonzero((minute >= gap) & (minute < gap + 60))
        minute[np.delete(inside, np.s_[::8])] += 60
    return minute
