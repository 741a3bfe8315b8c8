"""What the next reading of a series should be: a level for the half-hour of the day, and what is left of the last
difference from it.

With level L of the half-hour, residual r = x - L and g steps missing since the last reading, the innovation is
e = (r - phi^(g+1) r_before) / sqrt(min(1 + g, 6)), and z = e/s. L is a mean with a half-life of 14 days of values that
are clipped at 20 s; phi = sum r r_before / sum r_before^2 in [0, 0.99] and s = 1.25 mean |e|, clipped at 3 s, forget at
the same pace. s begins as 1.4826 times the median |e| of the first day. (Holt 1957; Gelper, Fried, Croux 2010,
J. Forecasting 29:285-300, for clipping; Roberts 1959, Technometrics 1:239-250, for the moving average of z.)

>>> steady = ReadingFilter(step=3600)
>>> for hour in range(24 * 20):
...     seen = steady.step(hour * 3600, hour % 24 * 2, 10.0 + hour % 24 + (hour * 7 % 5) / 10)
>>> abs(seen.z) < 3, steady.step(24 * 20 * 3600, 0, 25.0).z > 6
(True, True)
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from citystream.detect.lengths import Lengths

DAY = 86_400
_SLOTS = 48
_PACE = math.log(0.5) / (14 * DAY)
_WHOLE = ("step_seconds", "first", "last", "run")
_SCALARS = (
    *_WHOLE,
    *("value", "_residual", "_all_total", "_all_weight", "_product", "_square"),
    *("_spread_total", "_spread_weight", "_resolution", "_moving"),
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """One reading: what was *expected*, the *spread* of that (one standard deviation), and how far off it was.

    *z* is 0 until the first day is over; *shift* is the moving average of z in its own standard deviations; *run* how
    many readings in a row were the same; *gap* how many steps before it have no reading.
    """

    expected: float
    spread: float
    z: float
    shift: float
    run: int
    gap: int


class ReadingFilter:
    """The state of one series of one *step* (seconds). Readings come in order of time, one for each moment."""

    def __init__(self, step: int) -> None:
        self.step_seconds = step
        self.first = -1
        self.last = -1
        self.value = math.nan
        self.run = 0
        self.runs = Lengths()
        self.gaps = Lengths()
        self._residual = 0.0
        self._total, self._weight, self._at = [0.0] * _SLOTS, [0.0] * _SLOTS, [0] * _SLOTS
        self._all_total = self._all_weight = 0.0
        self._product = self._square = 0.0
        self._spread_total = self._spread_weight = 0.0
        self._resolution = math.inf
        self._moving = 0.0
        self._first_day: list[float] = []

    def copy(self) -> ReadingFilter:
        """One that goes on from here by itself."""
        other = copy(self)
        other.runs, other.gaps = self.runs.copy(), self.gaps.copy()
        other._total, other._weight, other._at = self._total[:], self._weight[:], self._at[:]
        other._first_day = self._first_day[:]
        return other

    def step(self, time: int, slot: int, value: float) -> Seen:
        """Judge the reading of *time* (seconds) in the half-hour *slot* of its local day, then learn it."""
        gap = self.gap_before(time)
        level, spread = self._level(slot, value), self.spread()
        wide = math.sqrt(min(1 + gap, 6))
        carried = self.carry() ** (gap + 1) * self._residual
        innovation = (value - level - carried) / wide
        z = innovation / spread if spread > 0 else 0.0
        self._moving = 0.8 * self._moving + 0.2 * min(max(z, -4.0), 4.0)
        self._count(gap, value)
        faded = self.faded(time)
        self._learn_spread(time, innovation, faded)
        clipped = min(max(value, level - 20 * spread), level + 20 * spread) if spread > 0 else value
        self._learn_level(time, slot, clipped, faded)
        if self.first >= 0 and not gap:
            self._product = faded * self._product + (value - level) * self._residual
            self._square = faded * self._square + self._residual**2
        self.first = time if self.first < 0 else self.first
        self.last, self.value, self._residual = time, value, value - level
        return Seen(level + carried, spread * wide, z, self._moving * 3.0, self.run, gap)

    def state(self) -> Floats:
        """All it has learnt, as numbers in a fixed order, for `of_state`."""
        runs, gaps = self.runs.pairs(), self.gaps.pairs()
        scalars = [getattr(self, name) for name in _SCALARS]
        tables = [*self._total, *self._weight, *self._at, *self._first_day, *runs, *gaps]
        return np.array([len(self._first_day), len(runs), len(gaps), *scalars, *tables], np.float64)

    @classmethod
    def of_state(cls, state: Floats) -> ReadingFilter:
        """The filter that `state` was made by."""
        first_day, runs, gaps = (int(each) for each in state[:3])
        scalars = dict(zip(_SCALARS, state[3:].tolist(), strict=False))
        made = cls(int(scalars["step_seconds"]))
        for name, number in scalars.items():
            setattr(made, name, int(number) if name in _WHOLE else number)
        rest = state[3 + len(_SCALARS) :].tolist()
        made._total, made._weight = rest[:_SLOTS], rest[_SLOTS : 2 * _SLOTS]
        made._at = [int(each) for each in rest[2 * _SLOTS : 3 * _SLOTS]]
        rest = rest[3 * _SLOTS :]
        made._first_day = rest[:first_day]
        made.runs = Lengths.of_pairs(rest[first_day : first_day + runs])
        made.gaps = Lengths.of_pairs(rest[first_day + runs : first_day + runs + gaps])
        return made

    def gap_before(self, time: int) -> int:
        """How many steps between the last reading and *time* have none."""
        return max(round((time - self.last) / self.step_seconds) - 1, 0) if self.last >= 0 else 0

    def faded(self, time: int) -> float:
        """What the weight of the last reading has become at *time*."""
        return math.exp(_PACE * (time - self.last)) if self.last >= 0 else 1.0

    def carry(self) -> float:
        """phi: how much of a difference is left after one step."""
        return min(max(self._product / self._square, 0.0), 0.99) if self._square > 0 else 0.0

    def spread(self) -> float:
        """s; at least half of the smallest change ever seen, 0 while the first day lasts."""
        if self._spread_weight <= 0:
            return 0.0
        smallest = self._resolution / 2 if math.isfinite(self._resolution) else 0.0
        return max(1.25 * self._spread_total / self._spread_weight, smallest)

    def _level(self, slot: int, value: float) -> float:
        if self._weight[slot] > 0:
            return self._total[slot] / self._weight[slot]
        return self._all_total / self._all_weight if self._all_weight > 0 else value

    def _count(self, gap: int, value: float) -> None:
        if self.last >= 0:
            self.gaps.add(gap)
        if value == self.value:
            self.run += 1
            return
        if self.run:
            self.runs.add(self.run)
            self._resolution = min(self._resolution, abs(value - self.value))
        self.run = 1

    def _learn_level(self, time: int, slot: int, value: float, faded: float) -> None:
        self._all_total, self._all_weight = faded * self._all_total + value, faded * self._all_weight + 1
        faded_slot = math.exp(_PACE * (time - self._at[slot]))
        self._total[slot] = faded_slot * self._total[slot] + value
        self._weight[slot] = faded_slot * self._weight[slot] + 1
        self._at[slot] = time

    def _learn_spread(self, time: int, innovation: float, faded: float) -> None:
        spread = self.spread()
        if self._spread_weight > 0:
            size = min(abs(innovation), 3 * spread) if spread > 0 else abs(innovation)
            self._spread_total = faded * self._spread_total + size
            self._spread_weight = faded * self._spread_weight + 1
        elif self.first >= 0 and time - self.first >= DAY and self._first_day:
            self._spread_weight = float(len(self._first_day))
            self._spread_total = 1.4826 / 1.25 * median(self._first_day) * self._spread_weight
            self._first_day = []
        elif self.first >= 0:
            self._first_day.append(abs(innovation))
