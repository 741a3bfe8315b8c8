"""Slow changes: a cell that for days or weeks has more, or fewer, records than it used to. Nothing else says "fewer".

Once a day, two sums for each (district, type) cell, one for twice and one for half of what is expected (`cusum`). The
baseline is two weeks old, so that a change does not teach it; downwards, a sum begins only on a day of which at least
1.5 records are expected. How rare a sum is, the dataset's own past year says (`recurrence`, of S / ln 10); an alarm is
a day on which RI >= 1/budget weeks. A sum is not set back by an alarm; it falls to 0 as the counts do what is usual.

Only whole days count: those whose records are in (95 %) and whose feed was fresh. The first sixty days are silent. At a
series break everything begins anew, because counts across it mean different things. Records may come late: days of the
last thirty are judged again, older ones are only learnt by a replay.

>>> import numpy as np
>>> half_hours = np.arange(48)
>>> def day(number, count):
...     panes = np.zeros((48, 1, 1))
...     panes[::4] = count / 12
...     return DayCounts(number, Day(number % 7, False, half_hours), panes, np.zeros((1, 1)))
>>> drift = Drift(districts=1, types=1)
>>> quiet = drift.take([day(number, 24) for number in range(80)])
>>> found = drift.take([day(number, 36) for number in range(80, 84)])
>>> len(quiet.day), found.day.tolist(), found.onset.tolist(), found.direction.tolist()
(0, [83], [80], [1])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citystream.detect.arrays import Floats, State, under, within
from citystream.detect.baseline import Day
from citystream.detect.drift_days import DriftAlarm, DriftDays, newest_of
from citystream.ports import Integers

_REACH = 30
_LAG = 14


@dataclass(frozen=True, slots=True)
class DayCounts:
    """One local day of a dataset: its *number* (days since 1970), its records by pane and cell (*timed*: panes,
    districts, types), those without a time of day (*untimed*: districts, types), and whether it is *whole*.
    """

    number: int
    calendar: Day
    timed: Floats
    untimed: Floats
    whole: bool = True


@dataclass(frozen=True, slots=True)
class DriftAlarms:
    """Days on which a cell's sum was large, by day: all since *since*, which replace what was told of them before.

    *direction* is 1 (more) or -1 (fewer); *onset* the day when it is thought to have begun; *observed* and *expected*
    are of the days since, *lo95* and *hi95* the range of *observed* if nothing had changed; *score* is the sum S;
    *provisional*: 1 where how rare that is was not learnt from the dataset's own past.
    """

    since: int
    day: Integers
    district: Integers
    type: Integers
    direction: Integers
    onset: Integers
    observed: Floats
    expected: Floats
    lo95: Floats
    hi95: Floats
    score: Floats
    recurrence_days: Floats
    provisional: Floats


class Drift:
    """The cells of one dataset and kind. *budget*: false alarms a week, in each direction; *breaks*: the first day of
    each series break.
    """

    name = "drift"

    def __init__(self, districts: int, types: int, budget: float = 0.25, breaks: Iterable[int] = ()) -> None:
        self._start = (districts, types, budget, tuple(sorted(breaks)))
        self._live = DriftDays(*self._start)
        #: What was known after the last day that is out of reach, and after each day since, with the rows of that day.
        self._base = self._live.state()
        self._after: dict[int, tuple[State, list[DriftAlarm]]] = {}
        self._kept: dict[int, DayCounts] = {}
        self._rows: list[DriftAlarm] = []
        self._left: list[DriftAlarm] = []

    def take(self, days: Sequence[DayCounts]) -> DriftAlarms:
        """Judge *days* in the order given; a day that was given before is replaced."""
        earliest = np.iinfo(np.int64).max
        for each in days:
            if each.number < self._newest - _REACH:
                continue
            earliest = min(earliest, each.number)
            self._kept[each.number] = each
        self._go_back(int(earliest))
        for number in sorted(number for number in self._kept if number >= earliest):
            self._step(number)
        self._forget()
        return self._since(int(earliest))

    def standing(self) -> DriftAlarms:
        """All alarms of the days that can still be judged again."""
        return self._since(self.settled + 1)

    def alarms(self) -> list[DriftAlarm]:
        """The same one by one, by day, and the days that would only keep an alert."""
        return list(self._rows)

    def left(self) -> list[DriftAlarm]:
        """The same of days that came out of reach since this was asked last: they stand for ever."""
        left, self._left = self._left, []
        return left

    @property
    def settled(self) -> int:
        """The last day that is out of reach."""
        return newest_of(self._base)

    def state(self) -> State:
        """What stood thirty days ago (what `left` gives is asked for before), and the days since, for `restore`."""
        made = under(self._base, "base")
        for number, each in self._kept.items():
            made |= under(_packed(each), f"day{number}")
        return made

    def restore(self, state: State) -> None:
        """Go on from what `state` gave."""
        self._base, self._after = within(state, "base"), {}
        self._live = DriftDays(*self._start)
        self._live.restore(self._base)
        numbers = {int(key[3:].partition(".")[0]) for key in state if key.startswith("day")}
        self._kept = {number: _unpacked(number, within(state, f"day{number}")) for number in sorted(numbers)}
        self._rows = []
        for number in self._kept:
            if number > self.settled:
                self._step(number)

    @property
    def _newest(self) -> int:
        return max(self._kept, default=-(1 << 40))

    def _go_back(self, earliest: int) -> None:
        """To what was known before day *earliest*, if days from there on were judged before."""
        if earliest > self._live.newest:
            return
        self._after = {number: after for number, after in self._after.items() if number < earliest}
        self._live = DriftDays(*self._start)
        self._live.restore(self._after[max(self._after)][0] if self._after else self._base)
        self._rows = [row for row in self._rows if row.day < earliest]

    def _step(self, number: int) -> None:
        """Judge a day, by the days that are two weeks old by then, and keep what is known after it."""
        for old in sorted(old for old in self._kept if self._live.learnt < old <= number - _LAG):
            if self._kept[old].whole:
                self._live.learn(old, self._kept[old].calendar, self._kept[old].timed, self._kept[old].untimed)
        each = self._kept[number]
        rows = self._live.judge(number, each.calendar, each.timed, each.untimed, whole=each.whole)
        self._after[number] = self._live.state(), rows
        self._rows += rows

    def _forget(self) -> None:
        """What can no longer change goes into the base."""
        for number in sorted(number for number in self._after if number < self._newest - _REACH):
            self._base, rows = self._after.pop(number)
            self._left += rows
        settled = self.settled
        for number in [number for number in self._kept if number <= settled - _LAG]:
            del self._kept[number]
        self._rows = [row for row in self._rows if row.day > settled]

    def _since(self, since: int) -> DriftAlarms:
        rows = [row for row in self._rows if row.day >= since and row.alarm]
        columns: list[tuple[float, ...]] = list(zip(*rows, strict=True)) or [()] * len(DriftAlarm._fields)
        day, district, kind, direction, onset = (np.array(column, np.int64) for column in columns[:5])
        measured = (np.array(column, np.float64) for column in columns[5:-1])
        return DriftAlarms(since, day, district, kind, direction, onset, *measured)


def _packed(each: DayCounts) -> State:
    """A day in few numbers: places and counts of what is not 0."""
    places = np.flatnonzero(each.timed)
    return {
        "calendar": np.array([each.calendar.weekday, each.calendar.first_of_month, each.whole], np.int8),
        "half_hours": each.calendar.half_hours.astype(np.int8),
        "shape": np.array(each.timed.shape, np.int32),
        "places": places.astype(np.int32),
        "counts": each.timed.ravel()[places].astype(np.float32),
        "untimed": each.untimed.astype(np.float32),
    }


def _unpacked(number: int, state: State) -> DayCounts:
    weekday, first, whole = (int(each) for each in state["calendar"].tolist())
    timed = np.zeros(tuple(state["shape"].tolist()))
    timed.ravel()[state["places"].astype(np.int64)] = state["counts"]
    half_hours: npt.NDArray[np.int64] = state["half_hours"].astype(np.int64)
    calendar = Day(weekday, bool(first), half_hours)
    return DayCounts(number, calendar, timed, state["untimed"].astype(np.float64), bool(whole))
