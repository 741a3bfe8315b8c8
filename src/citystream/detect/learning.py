"""What a day teaches: rates, delays, dispersion and recurrence, each on its own beat.

At the first moment after a local day was judged, the day that is *learn_after* days old is learnt, and the rates of the
day that begins are fixed. Delays are learnt anew every 7 days, dispersion and recurrence every 28, from the 56th day
on. Days on which the feed was not fresh for more than a fifth teach neither rates nor dispersion, unless all that was
missing came before they are learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

import numpy as np

from citystream.detect.arrays import Floats, State, under, within
from citystream.detect.baseline import Baseline
from citystream.detect.delay import CLASSES, Delays
from citystream.detect.episodes import GAP
from citystream.detect.expectation import expected_apart
from citystream.detect.judging import Standard
from citystream.detect.recurrence import RecurrenceMap
from citystream.detect.rows import Rows, counted_apart, district_of, is_timed, type_of
from citystream.detect.scores import ScoreBook
from citystream.detect.tail import LENGTHS, DispersionSums
from citystream.ports import Integers

SLOTS_A_DAY, SLOTS_A_WEEK = 48, 336
DAYS_SILENT = 7
DAYS_COLD = 56
_WEEKS_REMEMBERED = 35
#: The largest change of completeness at the ages that are looked at by which what was counted before still counts.
_SAME_COMPLETENESS = 0.25
COLD_EDGE, COLD_CELLS = 4.65, 750


def cold_map(cells: int) -> RecurrenceMap:
    """The map before anything is learnt: RI = 10^(x - 4.65) * 750 / cells."""
    return RecurrenceMap.cold(COLD_EDGE - log10(COLD_CELLS / max(cells, 1)))


@dataclass(frozen=True, slots=True)
class Looking:
    """When windows are looked at: *ages* in slots after their end; *learn_after* days; *late*: also when records come
    later than that; *watch*: whether silence of the feed means something; *lag*: slots within which nothing is
    complete, until delays are known; *slack*: for how many slots nothing has to come of a source that publishes in
    batches (`citystream.detect.visited`), 0 if that is not asked.
    """

    ages: tuple[int, ...] = (0, 24, 96)
    learn_after: int = 1
    late: bool = True
    watch: bool = True
    lag: int = 0
    slack: int = 0


class Learning:
    """Everything that is learnt from day to day; what windows are judged by follows from it."""

    def __init__(self, first_day: int, looking: Looking, standard: Standard, shape: tuple[int, int]) -> None:
        self.first_day = first_day
        self.looking = looking
        self.standard = standard
        self.baseline = Baseline(*shape)
        self.delays = Delays(shape[1])
        self.sums = DispersionSums(shape[1])
        self.counted_since = first_day + DAYS_SILENT
        self._finished = np.empty(0, np.int64), np.empty(0)

    def age(self, day: int) -> int:
        """How many days before *day* were seen."""
        return day - self.first_day

    def grow(self, shape: tuple[int, int], moment: int) -> None:
        """Make room for more cells, from *moment* on."""
        self.baseline.grow(*shape)
        self.delays.grow(shape[1])
        self.sums.grow(shape[1])
        standard = self.standard
        if standard.rates.known:
            standard.rates.grow(self.baseline.expect(standard.days.day(standard.rates.known[-1])))
        standard.complete.change(lambda complete: complete.grown(shape[1]))
        standard.spread.change(lambda spread: spread.grown(shape[1]))
        if not len(standard.recurrence.newest.maxima):
            standard.recurrence.put(moment, cold_map(shape[0] * shape[1]))

    def count(self, rows: Rows, ends: Integers, age: int, today: int) -> None:
        """Count the windows of all cells that end at *ends* and do not overlap, looked at *age* later, for the
        dispersion.
        """
        week, shape = self.age(today) // 7, self.baseline.shape
        kinds, rates = np.tile(np.arange(shape[1]), shape[0]), self.standard.rates
        apart = [ends[ends % length == 0] for length in LENGTHS]
        if not any(len(some) for some in apart):
            return
        for place, expected in enumerate(expected_apart(rates, apart, age, self.standard.complete.newest)):
            if len(apart[place]):
                observed = counted_apart(rows, apart[place], place, age, shape)
                self.sums.add(week, place, np.tile(kinds, len(expected)), observed.ravel(), expected.ravel())

    def begin(self, today: int, moment: int, rows: Rows, scores: ScoreBook, *, known: bool) -> None:
        """The day *today* begins at *moment* of the clock: learn what is old enough, if all of it is *known*, and fix
        its rates.
        """
        age = self.age(today)
        if age % 7 == 0 and self.delays.watched(today):
            self._learn_delays(today, moment, scores)
        learnt = today - self.looking.learn_after
        if learnt >= self.first_day and known:
            self._learn_day(learnt, moment, rows)
        self.standard.rates.put(today, self.baseline.expect(self.standard.days.day(today)))
        if age >= DAYS_COLD:
            self._learn_spread(age, moment)
            self._learn_recurrence(age, moment, scores)

    def finish(self, ends: Integers, maxima: Floats, now: int) -> None:
        """Remember the largest scores of episodes that are over by slot *now*, for as long as they are used."""
        before = now - (_WEEKS_REMEMBERED + 1) * SLOTS_A_WEEK
        ends, maxima = np.concatenate([self._finished[0], ends]), np.concatenate([self._finished[1], maxima])
        self._finished = ends[ends >= before], maxima[ends >= before]

    def state(self) -> State:
        """As arrays."""
        made: State = {
            "limits": np.array([self.first_day, self.counted_since]),
            "finished": self._finished[0],
            "maxima": self._finished[1],
        }
        made |= under(self.baseline.state(), "baseline")
        return made | under(self.delays.state(), "delays") | under(self.sums.state(), "sums")

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self.first_day, self.counted_since = (int(each) for each in state["limits"].tolist())
        self._finished = np.array(state["finished"], np.int64), np.array(state["maxima"], np.float64)
        self.baseline.restore(within(state, "baseline"))
        self.delays.restore(within(state, "delays"))
        self.sums.restore(within(state, "sums"))

    def _learn_day(self, day: int, moment: int, rows: Rows) -> None:
        first, after = self.standard.days.bounds(day)
        held = rows.between(first, after)
        held = held.take(held.seen < moment)
        districts, types = self.baseline.shape
        cell = district_of(held.code) * types + type_of(held.code)
        timed = is_timed(held.code)
        place = (held.slot - first) * districts * types + cell
        counts = _summed(place[timed], held.count[timed], (after - first) * districts * types)
        untimed = _summed(cell[~timed], held.count[~timed], districts * types)
        where = self.standard.days.day(day)
        if after > first:
            self.baseline.learn(
                where,
                counts.reshape(-1, districts, types),
                self._seen(day, moment),
                untimed.reshape(districts, types),
            )

    def _seen(self, day: int, moment: int) -> Floats:
        """The share of the records of *day* that is usually in at *moment*, by type."""
        first, after = self.standard.days.bounds(day)
        week = self.standard.rates.of(day).week[:, self.standard.days.day(day).half_hours]
        kinds = np.arange(len(week))
        share = self.standard.complete.newest.of(kinds[:, None], moment - 1 - np.arange(first, after))
        return np.asarray((week * share).sum(axis=1) / week.sum(axis=1))

    def _learn_delays(self, today: int, moment: int, scores: ScoreBook) -> None:
        before = self.standard.complete.newest
        learnt = self.delays.completeness(today)
        self.standard.complete.put(moment, learnt)
        self.delays.settle(today)
        looked_at = self.looking.ages[0] <= CLASSES
        changed = np.abs(learnt.curve - before.curve)[:, looked_at].max(initial=0.0)
        if not before.learnt and changed > _SAME_COMPLETENESS:
            self.sums.clear()
            scores.clear()
            self._finished = self._finished[0][:0], self._finished[1][:0]
            self.counted_since = max(self.counted_since, today)

    def _learn_spread(self, age: int, moment: int) -> None:
        if (age - DAYS_COLD) % 28 == 0:
            self.standard.spread.put(moment, self.sums.learnt())

    def _learn_recurrence(self, age: int, moment: int, scores: ScoreBook) -> None:
        standard = self.standard
        if (age - DAYS_COLD) % 28 and len(standard.recurrence.newest.maxima):
            return
        now, _ = standard.days.bounds(self.first_day + age)
        since, _ = standard.days.bounds(self.counted_since)
        since = max(since, now - _WEEKS_REMEMBERED * SLOTS_A_WEEK)
        last, largest, _ = scores.episodes(GAP)
        ends, maxima = np.concatenate([self._finished[0], last]), np.concatenate([self._finished[1], largest])
        learnt = RecurrenceMap.fit(maxima[ends >= since], (now - since) / SLOTS_A_WEEK, bends=True)
        if learnt:
            standard.recurrence.put(moment, learnt)


def _summed(places: Integers, counts: Integers, size: int) -> Floats:
    return np.bincount(places, counts, minlength=size).astype(np.float64)
