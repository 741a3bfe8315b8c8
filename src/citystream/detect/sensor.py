"""Readings of one station and measure that cannot be what they seem: spikes, shifts, and values that stand still.

Four findings, from what `reading_filter` expects of each reading:

- ``spike``: abs(z) of one reading at least 6, or more where a series is that restless by itself: the bound rises until
  the series' own episodes come no more than once in four weeks.
- ``shift``: the moving average of z (each clipped at 4, weight 0.2), in its own standard deviations, beyond 7.
- ``stuck``: the same value for more than six hours, and for longer than one and a half times what 99.9 % of the series'
  own runs last.
- missing is no finding but a state: a gap of more than three steps, and more than 99 % of the series' own gaps.

Nothing is found in the first fourteen days. Readings may come late, twice (the last one stands) or be taken back: what
follows them in time is judged again, as far as thirty days back; older ones are only learnt by a replay. What stands at
any moment therefore depends on the log before it alone, not on how it was cut.

>>> import numpy as np
>>> hours = np.arange(24 * 20)
>>> values = 10.0 + hours % 24 + hours * 7 % 5 / 10
>>> values[470] += 30
>>> sensor = Sensor(step=3600)
>>> found = sensor.take(Readings(hours * 3600, hours % 24 * 2, values))
>>> [(int(at) // 3600, KINDS[kind]) for at, kind in zip(found.time, found.kind, strict=True)][0]
(470, 'spike')
>>> _ = sensor.take(Readings(hours[470:471] * 3600, hours[470:471] % 24 * 2, values[470:471] - 30))
>>> len(sensor.standing().time)
0
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
import numpy.typing as npt

from citystream.detect.own_bound import LEAST, OwnBound
from citystream.detect.reading_filter import DAY, ReadingFilter, Seen
from citystream.ports import Integers

Floats = npt.NDArray[np.float64]
KINDS = ("spike", "shift", "stuck")
_COLD = 14 * DAY
_REACH = 30 * DAY
_SHIFT = 7.0
_STUCK = 6 * 3600
_RANGE = 1.959964  # standard deviations to either side of 95 %


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one series in the order of the log: *time* (UTC seconds), the half-hour *slot* (0-47) of their local
    day, and *value*; NaN where a reading is invalid or taken back.
    """

    time: Integers
    slot: Integers
    value: Floats


@dataclass(frozen=True, slots=True)
class Findings:
    """Readings that stand out, by time; *kind* is a place in `KINDS`.

    All of a series since *since*: they replace what was told about that time before. *score* is z, the shift, or the
    hours that a value stood still; *recurrence_days* how rare such a spike is in this series, NaN for other kinds.
    """

    since: int
    time: Integers
    kind: Integers
    value: Floats
    expected: Floats
    lo95: Floats
    hi95: Floats
    score: Floats
    recurrence_days: Floats


Row = tuple[int, int, float, float, float, float, float, float]


class Sensor:
    """The readings of one series, of one *step* (seconds)."""

    name = "sensor"

    def __init__(self, step: int) -> None:
        self._step = step
        self._base = _Judge(ReadingFilter(step), OwnBound())
        self._clear()

    def _clear(self) -> None:
        self._time: list[int] = []
        self._slot: list[int] = []
        self._value: list[float] = []
        self._marks: list[tuple[int, _Judge]] = []
        self._rows: list[Row] = []
        self._judge = self._base.copy()

    def take(self, readings: Readings) -> Findings:
        """Learn *readings*; all findings since the earliest moment that they changed."""
        before = np.maximum.accumulate(np.concatenate([[self.newest], readings.time]))[:-1]
        young = np.flatnonzero((readings.time >= before - _REACH) | (before < 0))
        if not len(young):
            return self._since(np.iinfo(np.int64).max)
        said = zip(readings.slot[young].tolist(), readings.value[young].tolist(), strict=True)
        earliest = self._insert(dict(zip(readings.time[young].tolist(), said, strict=True)))
        start = self._go_back(earliest)
        self._go_on(start)
        told = self._since(self._time[start] if start < len(self._time) else earliest)
        self._forget()
        return told

    def standing(self) -> Findings:
        """All findings of the days that can still be judged again."""
        return self._since(self._time[0] if self._time else 0)

    def missing(self, now: int) -> bool:
        """Whether at *now* (UTC seconds) the series is silent for longer than it usually is."""
        gap = self._judge.filter.gap_before(now)
        return gap > 3 and gap > self._judge.filter.gaps.quantile(0.99)

    @property
    def newest(self) -> int:
        """The time of the newest reading, -1 before the first."""
        return self._time[-1] if self._time else self._base.filter.last

    def state(self) -> dict[str, npt.NDArray[np.float64]]:
        """What it goes on from: the filter thirty days ago, and the readings since, for `restore`."""
        readings = np.array([self._time, self._slot, self._value], np.float64).reshape(3, -1)
        return {"filter": self._base.filter.state(), "bound": self._base.bound.state(), "readings": readings}

    def restore(self, state: dict[str, npt.NDArray[np.float64]]) -> None:
        """Go on from what `state` gave."""
        self._base = _Judge(ReadingFilter.of_state(state["filter"]), OwnBound.of_state(state["bound"]))
        self._clear()
        self._time, self._slot = ([int(each) for each in row] for row in state["readings"][:2].tolist())
        self._value = state["readings"][2].tolist()
        self._go_on(0)

    def _insert(self, given: dict[int, tuple[int, float]]) -> int:
        """Put the readings in their places; the earliest time among them."""
        if not self._time or min(given) > self._time[-1]:
            merged = sorted(given.items())
        else:
            first = bisect_left(self._time, min(given))
            kept = zip(self._time[first:], zip(self._slot[first:], self._value[first:], strict=True), strict=True)
            merged = sorted((dict(kept) | given).items())
            del self._time[first:], self._slot[first:], self._value[first:]
        self._time += [time for time, _ in merged]
        self._slot += [slot for _, (slot, _) in merged]
        self._value += [value for _, (_, value) in merged]
        return min(given)

    def _go_back(self, earliest: int) -> int:
        """To the beginning of the day of *earliest*, if what follows was judged; the place of its first reading."""
        day = earliest // DAY * DAY
        if earliest > self._judge.newest:
            return bisect_left(self._time, earliest)
        while self._marks and self._marks[-1][0] >= day:
            _, self._judge = self._marks.pop()
        if not self._marks:
            self._judge = self._base.copy()
        start = bisect_left(self._time, day)
        self._rows = [row for row in self._rows if row[0] < day]
        return start

    def _go_on(self, start: int) -> None:
        for place in range(start, len(self._time)):
            time = self._time[place]
            day = time // DAY * DAY
            if not self._marks or self._marks[-1][0] < day:
                self._marks.append((day, self._judge.copy()))
            self._rows += self._judge.rows(time, self._slot[place], self._value[place])

    def _forget(self) -> None:
        """Let go of the days before the last one that begins more than thirty days ago."""
        reach = self._time[-1] - _REACH
        places = [place for place, (day, _) in enumerate(self._marks) if day <= reach]
        if not places or not places[-1]:
            return
        day, self._base = self._marks[places[-1]]
        self._base = self._base.copy()
        del self._marks[: places[-1]]
        first = bisect_left(self._time, day)
        del self._time[:first], self._slot[:first], self._value[:first]
        self._rows = [row for row in self._rows if row[0] >= day]

    def _since(self, since: int) -> Findings:
        rows = [row for row in self._rows if row[0] >= since]
        columns: list[tuple[float, ...]] = list(zip(*rows, strict=True)) or [()] * 8
        time, kind = (np.array(column, np.int64) for column in columns[:2])
        return Findings(since, time, kind, *(np.array(column, np.float64) for column in columns[2:]))


class _Judge:
    """The filter of a series with its own bound: what it says of each reading."""

    def __init__(self, filter_: ReadingFilter, bound: OwnBound) -> None:
        self.filter = filter_
        self.bound = bound
        self.newest = filter_.last

    def copy(self) -> _Judge:
        return _Judge(self.filter.copy(), self.bound.copy())

    def rows(self, time: int, slot: int, value: float) -> list[Row]:
        """The findings of one reading, and learn it."""
        self.newest = time
        if isnan(value):
            return []
        seen = self.filter.step(time, slot, value)
        warm = time - self.filter.first >= _COLD
        found = [(kind, *said) for kind, said in enumerate(self._said(time, seen)) if warm and said]
        self.bound.learn(time, abs(seen.z), self.filter.first)
        wide = _RANGE * seen.spread
        about = (value, seen.expected, seen.expected - wide, seen.expected + wide)
        return [(time, kind, *about, score, days) for kind, score, days in found]

    def _said(self, time: int, seen: Seen) -> Iterator[tuple[float, float] | None]:
        """Score and days of recurrence of each of `KINDS`, None where there is nothing to say."""
        size = abs(seen.z)
        spike = size >= LEAST and size >= self.bound.at(time, self.filter.first)
        yield (seen.z, self.bound.recurrence_days(time, size)) if spike else None
        yield (seen.shift, nan) if abs(seen.shift) > _SHIFT else None
        usual = self.filter.runs.quantile(0.999) if seen.run * self.filter.step_seconds > _STUCK else seen.run
        yield (seen.run * self.filter.step_seconds / 3600, nan) if seen.run > 1.5 * usual else None
