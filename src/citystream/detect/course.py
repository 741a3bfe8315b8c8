"""The course of time in one dataset, without alerts: records come in, windows are looked at, days are learnt.

One `step` passes moments of the clock up to the end of a local day at most; before the first of them the records that
came in the slot before are taken in, also those that are taken away. `begin_day` learns what is old enough. Nothing
depends on how steps are cut: a moment always sees exactly what came before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from citystream.detect.arrays import Floats, State, under, within
from citystream.detect.arrivals import Arrivals
from citystream.detect.blocks import PART_OF_DAY, Block, DayExpectation, block_of, full_block_of, judge_blocks
from citystream.detect.changes import NEW, REVISED, PaneDeltas
from citystream.detect.delay import Completeness
from citystream.detect.episodes import GAP
from citystream.detect.expectation import RateHistory
from citystream.detect.feed import FeedState
from citystream.detect.judging import Standard, Versions, Windows, judge_windows
from citystream.detect.learning import DAYS_SILENT, Learning, Looking, cold_map
from citystream.detect.local_days import LocalDays
from citystream.detect.rows import DAY_LENGTH, Rows, cell_codes, of_cells
from citystream.detect.scores import ScoreBook, Scored
from citystream.detect.tail import Dispersion
from citystream.detect.visited import Visited
from citystream.ports import Integers

#: Days after which windows are judged again only by a replay.
HORIZON_DAYS = 30
_HORIZON = HORIZON_DAYS * 48
#: Records are taken in and kept for so many days more, for what is learnt late.
_DAYS_MORE = 10


@dataclass(frozen=True, slots=True)
class Step:
    """What a step saw: looks with scores worth keeping, and cells whose looks were taken back before *first*."""

    first: int
    looks: Scored
    dirty: Integers
    feed: dict[int, FeedState]


class Course:
    """Everything that is remembered of a dataset but its alerts. It begins at local day *first_day*."""

    def __init__(self, looking: Looking, days: LocalDays, first_day: int) -> None:
        self.looking = looking
        self.days = days
        self.today = first_day
        self.position = days.bounds(first_day)[0] + looking.ages[0]
        self.shape = (0, 0)
        self.rows = Rows.none()
        self._older: list[Rows] = []
        self.scores = ScoreBook()
        self.arrivals = Arrivals()
        self.standard = Standard(
            days,
            RateHistory(days),
            # until delays are known, a window that is looked at is taken to be complete
            Versions(_EVER, Completeness.step(0, min(looking.lag, looking.ages[0]))),
            Versions(_EVER, Dispersion.cold(0)),
            Versions(_EVER, cold_map(1)),
        )
        self.learning = Learning(first_day, looking, self.standard, self.shape)
        self._born: tuple[Integers, Integers] = (np.empty(0, np.int64), np.empty(0, np.int64))
        self._late = Rows.none()
        self._uncounted: list[PaneDeltas] = []
        self._visited = Visited(looking.slack)
        self._dirty = np.empty(0, np.int64)
        self._expectation = DayExpectation()

    @property
    def day_end(self) -> int:
        """The moment at which the last window of today is looked at for the first time."""
        return self.days.bounds(self.today)[1] + self.looking.ages[0]

    @property
    def kept_from(self) -> int:
        """The first slot of which records are still taken in."""
        day = max(self.today - HORIZON_DAYS - _DAYS_MORE, self.learning.first_day)
        return self.days.bounds(day)[0]

    @property
    def settled_before(self) -> int:
        """Windows that end before this slot are never looked at again."""
        return max(self.position - _HORIZON - self.looking.ages[-1] - 2 * DAY_LENGTH - GAP, self._first_end())

    def born(self, district: int, kind: int) -> int:
        """The local day on which a cell began."""
        return max(int(self._born[0][district]), int(self._born[1][kind]))

    def turn(self, now: PaneDeltas) -> None:
        """Take in what came in the slot before the next moment: here cells begin, and records are taken away."""
        now = now.net() if (now.delta < 0).any() else now
        self.grow(now)
        gone = now.take(now.delta < 0)
        if not len(gone):
            self.add(now)
            return
        self._uncounted.append(now)
        rows = self._kept(now)
        self.rows = self.rows.merged(rows)
        self._notice(now, rows.take(rows.count > 0))
        self._look_again(self._kept(gone))

    def add(self, changes: PaneDeltas) -> None:
        """Take in records of known cells that came before the moments of the next step."""
        if len(changes):
            self._uncounted.append(changes)
            rows = self._kept(changes)
            self.rows = self.rows.inserted(rows)
            self._notice(changes, rows)

    def grow(self, changes: PaneDeltas) -> None:
        """Cells begin that have a code for the first time."""
        added = changes.take(changes.delta > 0)
        if not len(added):
            return
        wanted = int(added.district.max()) + 1, int(added.type.max()) + 1
        shape = max(wanted[0], self.shape[0]), max(wanted[1], self.shape[1])
        if shape != self.shape:
            self.shape = shape
            districts, types = (_filled(*each, self.today) for each in zip(self._born, shape, strict=True))
            self._born = districts, types
            self.learning.grow(shape, self.position)
            self._expectation.clear()

    def step(self, stop: int) -> Step:
        """Look at all windows whose time comes up to the moment *stop*, which is not after `day_end`."""
        moments = self.position + 1, stop
        looks = Scored.joined([self._look_at(moments), self._look_late()])
        states = self.arrivals.passed(self.days, *moments)
        self._count_delays()
        dirty, self._dirty = self._dirty, self._dirty[:0]
        self.position = stop
        return Step(moments[0], self.scores.add(looks), dirty, states)

    def begin_day(self, day: int) -> None:
        """Learn, fix the rates of local *day*, forget what is too old."""
        if day > self.today:
            self._count_windows()
        self.today = day
        complete = self.arrivals.feed.was_complete(day - self.looking.learn_after)
        known = complete and self._visited.in_time(self.position)
        self.learning.begin(day, self.position, self.rows, self.scores, known=known)
        oldest = self.settled_before
        for versions in (self.standard.complete, self.standard.spread, self.standard.recurrence):
            versions.drop_before(oldest)
        self.learning.finish(*self.scores.drop_finished(oldest, GAP), self.position - self.looking.ages[0])

    def looks_of_today(self, age: int) -> Block:
        """The looks today at all windows that were *age* slots old, as far as the day is passed."""
        moments = self.days.bounds(self.today)[0] + self.looking.ages[0] + 1, self.position
        return block_of(self.rows, moments, age, self._expected(age), self.shape)

    def all_rows(self) -> Rows:
        """The records that windows and days are counted from, and older ones that only learning again needs."""
        return Rows.joined([*self._older, self.rows])

    def take_rows(self, rows: Rows) -> None:
        """Put *rows*, sorted by slot, in the place of all that are there."""
        self._older, self.rows = [], rows

    def drop_before(self, day: int) -> None:
        """Forget records and rates of the days before *day*, and of those before which nothing is looked at."""
        first, _ = self.days.bounds(max(day, self.learning.first_day))
        moved = self.rows.before(self.kept_from)
        self._older = [part for part in (each.since(first) for each in (*self._older, moved)) if len(part)]
        self.rows = self.rows.since(self.kept_from)
        self.standard.rates.drop_before(day)

    def state(self) -> State:
        """Everything but records and rates, as arrays."""
        made: State = {
            "numbers": np.array([self.today, self.position, *self.shape]),
            "born_districts": self._born[0],
            "born_types": self._born[1],
            "dirty": self._dirty,
        }
        made |= under(self._visited.state(), "visited")
        made |= under(self._late.state(), "late") | under(self.scores.state(), "scores")
        made |= under(self.arrivals.state(), "arrivals") | under(self.learning.state(), "learning")
        return made | under(self.standard.state(), "standard")

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self.today, self.position, *shape = (int(each) for each in state["numbers"].tolist())
        self.shape = shape[0], shape[1]
        self._born = np.array(state["born_districts"], np.int64), np.array(state["born_types"], np.int64)
        self._dirty = np.array(state["dirty"], np.int64)
        self._visited.restore(within(state, "visited"))
        self._late = Rows.restored(within(state, "late"))
        self.scores.restore(within(state, "scores"))
        self.arrivals.restore(within(state, "arrivals"), self.days)
        self.learning.restore(within(state, "learning"))
        self.standard.restore(within(state, "standard"))
        self._expectation = DayExpectation()

    def _kept(self, changes: PaneDeltas) -> Rows:
        """*changes* as rows, those that are not too old."""
        changes = changes.take(changes.slot >= self.kept_from)
        codes = cell_codes(changes.district, changes.type, changes.timed > 0)
        return Rows(changes.slot, codes, changes.since, changes.origin, changes.delta)

    def _notice(self, changes: PaneDeltas, rows: Rows) -> None:
        """Remember which windows have to be looked at once more, and what came when."""
        late = self._late_of(rows)
        if len(late):
            self._late = self._late.inserted(late)
        if self.looking.watch:
            self.arrivals.note(changes, self.standard.complete.newest)
        came = changes.take(changes.delta > 0)
        self._visited.note(came.since, came.delta)

    def _look_at(self, moments: tuple[int, int]) -> Scored:
        """All windows that come to one of the ages at one of the moments."""
        if self.learning.age(self.today) < DAYS_SILENT:
            return Scored.none()
        looks = judge_blocks(self.standard, [self._block(moments, age) for age in self.looking.ages])
        return looks.take(looks.end >= self._first_end())

    def _block(self, moments: tuple[int, int], age: int) -> Block:
        """The looks at one age: what a day expects is made at once where it is asked half hour by half hour."""
        if moments[1] - moments[0] < PART_OF_DAY:
            return block_of(self.rows, moments, age, self._expected(age), self.shape)
        return full_block_of(self.standard, self.rows, moments, age, self.shape)

    def _expected(self, age: int) -> tuple[int, list[Floats]]:
        return self._expectation.of(self.standard, self.today, self.looking.ages[0], age)

    def _look_late(self) -> Scored:
        """Windows for which records came after their time."""
        late, self._late = self._late, Rows.none()
        return self._look(self._windows_late(late)) if len(late) else Scored.none()

    def _look_again(self, gone: Rows) -> None:
        """Everything that was seen of windows from which records are gone."""
        windows = Windows.over(gone)
        near = windows.end > self.position - self.looking.ages[0] - _HORIZON
        windows = windows.take(near & (windows.end >= self._first_end()))
        if not len(windows):
            return
        ended = Windows(windows.code, windows.end, windows.end).distinct()
        keys = ended.key
        self.scores.remove(keys)
        late = self._late_of(of_cells(self.rows, ended.code))
        again = self._windows_late(late.take(late.seen < self.position))
        looks = [again.take(np.isin(again.key, keys))]
        for age in self.looking.ages:
            passed = ended.take(ended.end + age <= self.position)
            looks.append(Windows(passed.code, passed.end, passed.end + age))
        self.scores.add(Scored.joined([self._look(each) for each in looks]))
        self._dirty = np.union1d(self._dirty, ended.code)

    def _late_of(self, rows: Rows) -> Rows:
        """Those after which windows are looked at that were looked at for the last time before."""
        late = (rows.seen - rows.slot > self.looking.ages[-1]) | (rows.origin == REVISED)
        return rows.take(late & self.looking.late)

    def _windows_late(self, late: Rows) -> Windows:
        """The windows over *late* records that had been looked at before these came."""
        windows, ages = Windows.over(late), self.looking.ages
        passed = np.where(np.repeat(late.origin == REVISED, DAY_LENGTH), ages[0], ages[-1] + 1)
        return windows.take(windows.end + passed <= windows.moment)

    def _look(self, windows: Windows) -> Scored:
        """Single windows, each once, as far back as anything is looked at."""
        far = windows.moment - windows.end > _HORIZON + self.looking.ages[0]
        windows = windows.take(~far & (windows.end >= self._first_end())).distinct()
        return judge_windows(self.standard, self.rows, windows)

    def _first_end(self) -> int:
        """The first end of a window that may be an alarm."""
        return self.days.bounds(self.learning.counted_since)[0] + 1

    def _count_windows(self) -> None:
        """Windows are counted for the dispersion when their day is learnt: then what came late because the feed was
        silent is in, and what will never come is known to be missing.
        """
        behind = self.looking.learn_after - 1
        if self.learning.age(self.today) - behind < DAYS_SILENT or not self._visited.in_time(self.position):
            return
        # a whole day at once: sums of floats depend on their order
        age = self.looking.ages[0] + behind * DAY_LENGTH
        moments = np.arange(self.days.bounds(self.today)[0] + self.looking.ages[0] + 1, self.position + 1)
        known = self.arrivals.was_complete(self.days, moments - age) if behind else self.arrivals.was_fresh(moments)
        # a silence is not a scatter of counts
        self.learning.count(self.rows, moments[known] - age, age, self.today)

    def _count_delays(self) -> None:
        """Delays of the records of this step: only now it is known which of them came after a silence."""
        changes, self._uncounted = PaneDeltas.joined([PaneDeltas.none(), *self._uncounted]), []
        by_itself = self.arrivals.came_by_itself(changes.since) & self._visited.by_itself(changes.since)
        new = changes.take((changes.origin == NEW) & by_itself)
        days, _ = self.days.places(new.slot)
        self.learning.delays.add_all(days, new.slot, new.type, new.since, new.delta)


_EVER = -1 << 40


def _filled(born: Integers, size: int, value: int) -> Integers:
    return np.append(born, np.full(size - len(born), value))
