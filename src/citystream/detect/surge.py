"""Sudden excess in one district and type: windows of 3, 5, 12 and 24 hours, judged every half hour.

The engine is a function of the changes of panes and of the clock, which is the newest time at which anything was
fetched. A slot of the clock is over once the clock has passed its end; then the windows that are *ages* old at that
moment are looked at, with the records that were first seen by then and how complete such a window usually is. Score
first, then learn. How the clock is cut into calls of `advance`, and in which order changes of one slot come, changes
nothing::

    score x = max over lengths and ages of -log10 P(Y >= y), y >= 3, y > m;     alarm if RI(x) >= 1/B weeks

See `baseline` for m, `tail` for P, `recurrence` for RI, `delay` for completeness, `episodes` for what an alert is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from citystream.detect.alerting import Alerting, Naming, Rule, codes_as_names
from citystream.detect.arrays import State, copied, under, within
from citystream.detect.changes import PaneDeltas
from citystream.detect.course import HORIZON_DAYS, Course, Step
from citystream.detect.episodes import Alert, AlertChange
from citystream.detect.feed import FeedState
from citystream.detect.learning import DAYS_COLD, Looking
from citystream.detect.local_days import LocalClock, LocalDays
from citystream.detect.rows import Rows, district_of, is_timed, type_of

#: A cell that began after the first days is new until its level rests on so many records.
_KNOWN_ALPHA = 8.0
_DAYS_NEW = 7
#: What is remembered is put aside every so many days, twice, to learn again from where records turned out wrong.
_DAYS_BETWEEN_COPIES = 30
_COPIES = 2
#: Records are needed so many days before the older copy.
_DAYS_BEFORE = HORIZON_DAYS + 12


@dataclass(frozen=True, slots=True)
class SurgeSettings:
    """What is asked of `surge` in one dataset.

    *budget*: expected false alerts a week, anywhere; *since*: the first slot that counts; *naming*: what a cell is
    called in the ids of alerts; *relearn*: whether what was learnt from records that are taken away later is learnt
    again, at the next local midnight, so that nothing of them stays.
    """

    dataset: str
    budget: float = 1.0
    looking: Looking = field(default_factory=Looking)
    since: int | None = None
    detector: str = "surge"
    naming: Naming = codes_as_names
    relearn: bool = True


class Surge:
    """The engine: `feed` it with changes, `advance` its clock, get what happened to alerts.

    *clock* is the zone of the city. `state` and `restore` carry it to another process.
    """

    def __init__(self, settings: SurgeSettings, clock: LocalClock) -> None:
        self.settings = settings
        self._days = LocalDays(clock)
        self._pending = PaneDeltas.none()
        self._fed: list[PaneDeltas] = []
        self._course: Course | None = None
        self._copies: list[State] = []
        self._wrong_since = _NEVER
        #: The state of the feed at each moment that the last `advance` passed.
        self.feed_states: dict[int, FeedState] = {}

    @property
    def course(self) -> Course | None:
        """What was seen and learnt so far, None before the first change."""
        return self._course

    def feed(self, changes: PaneDeltas) -> None:
        """Changes that came, in any order; those of a slot that is over already count as having come in the next."""
        if self.settings.since is not None:
            changes = changes.take(changes.slot >= self.settings.since)
        if self._course:
            came = np.maximum(changes.came, self._course.position)
            changes = replace(changes, came=came, since=np.where(changes.delta > 0, came, changes.since))
        self._fed.append(changes)

    def advance(self, clock: int) -> tuple[AlertChange, ...]:
        """Everything that came before slot *clock* of the clock is there: judge and learn up to it."""
        self._sort()
        course = self._course or self._begin(clock)
        self.feed_states = {}
        changes: list[AlertChange] = []
        while course and course.position < clock:
            self._turn(course)
            stop = self._stop(course, clock)
            course.add(self._taken(stop))
            step = course.step(stop)
            self.feed_states |= step.feed
            changes += self._settle(course, step)
            if stop == course.day_end:
                changes += self._relearn(course)
                self._begin_day(course, course.today + 1)
        return tuple(changes)

    def due(self) -> int:
        """It looks at something in every slot."""
        return self._course.position + 1 if self._course else -_NEVER

    def alerts(self) -> list[Alert]:
        """The alerts that may still change, as they stand."""
        return self._alerting.alerts.all() if self._course else []

    def state(self) -> State:
        """Everything that later results depend on, as arrays."""
        self._sort()
        made = under(self._pending.state(), "pending")
        if self._course:
            made |= under(self._course.state(), "course") | under(self._course.all_rows().state(), "rows")
            made |= under(self._course.standard.rates.state(), "rates")
            made |= under(self._alerting.state(), "alerts")
            made["begun"] = np.array([self._course.learning.first_day, self._wrong_since])
        for place, copy in enumerate(self._copies):
            made |= under(copy, f"copy{place}")
        return copied(made)

    def restore(self, state: State) -> None:
        """Take what `state` gave, of an engine with the same settings."""
        self._fed = []
        self._pending = PaneDeltas.restored(within(state, "pending"))
        copies = (within(state, f"copy{place}") for place in range(_COPIES))
        self._copies = [dict(copy) for copy in copies if copy]
        self._course = None
        if "begun" in state:
            first_day, self._wrong_since = (int(each) for each in state["begun"].tolist())
            course = self._make(first_day)
            course.restore(within(state, "course"))
            course.take_rows(Rows.restored(within(state, "rows")))
            course.standard.rates.restore(within(state, "rates"))
            self._alerting.restore(within(state, "alerts"))

    def _sort(self) -> None:
        """Changes in the order in which they came."""
        if self._fed:
            joined = PaneDeltas.joined([self._pending, *self._fed])
            self._pending = joined.take(np.argsort(joined.came, kind="stable"))
            self._fed.clear()

    def _begin(self, clock: int) -> Course | None:
        """Begin on the local day on which the first change came (or would have, were there no delay)."""
        if not len(self._pending) or self._pending.came[0] >= clock:
            return None
        first = int(self._pending.came[0])
        course = self._make(self._days.of(first - self.settings.looking.ages[0]))
        course.grow(self._pending.take(self._pending.came == first))
        self._begin_day(course, course.today)
        return course

    def _make(self, first_day: int) -> Course:
        self._course = Course(self.settings.looking, self._days, first_day)
        rule = Rule(self.settings.detector, self.settings.dataset, self.settings.budget, self.settings.naming)
        self._alerting = Alerting(rule, self._course.standard, self._course.scores, self._provisional)
        return self._course

    def _stop(self, course: Course, clock: int) -> int:
        """The next moment that is not passed at once: the clock, the end of the day, or before a change that does
        more than add records to known cells.
        """
        stop = min(clock, course.day_end)
        coming = self._pending.take(slice(0, int(np.searchsorted(self._pending.came, stop))))
        return min(stop, int(coming.came[_odd(coming, course.shape)].min(initial=stop)))

    def _turn(self, course: Course) -> None:
        """Take in what came in the slot that is over."""
        now = self._taken(course.position + 1)
        course.turn(now)
        # what was learnt from a record of before the copies stays; it does not keep the others from being learnt again
        oldest = _position_of(self._copies[0]) if self._copies else course.position
        seen = now.since[(now.delta < 0) & (now.since >= oldest) & (now.since < course.position)]
        self._wrong_since = min(self._wrong_since, int(seen.min(initial=_NEVER)))

    def _taken(self, stop: int) -> PaneDeltas:
        after = int(np.searchsorted(self._pending.came, stop))
        taken = self._pending.take(slice(0, after))
        self._pending = self._pending.take(slice(after, None))
        return taken

    def _settle(self, course: Course, step: Step) -> list[AlertChange]:
        """What the looks do to alerts, in order of their moments; before the first, what was taken away did."""
        alarms = step.looks.take(self._alerting.rule.alarms(step.looks))
        due = set(zip(alarms.moment.tolist(), alarms.code.tolist(), strict=True))
        due |= {(step.first, code) for code in step.dirty.tolist()}
        return self._settled(course, sorted(due), step.feed)

    def _settled(self, course: Course, due: list[tuple[int, int]], feed: Mapping[int, FeedState]) -> list[AlertChange]:
        changes: list[AlertChange] = []
        for moment, code in due:
            changes += self._alerting.settle(code, moment, course.rows, feed.get(moment, "fresh"))
        return changes

    def _begin_day(self, course: Course, day: int) -> None:
        course.begin_day(day)
        self._alerting.drop_before(course.settled_before)
        if self.settings.relearn and course.learning.age(day) % _DAYS_BETWEEN_COPIES == 0:
            self._copies = [*self._copies, copied(course.state())][-_COPIES:]
        oldest = _day_of(self._copies[0]) if self._copies else day
        course.drop_before(oldest - _DAYS_BEFORE)

    def _relearn(self, course: Course) -> list[AlertChange]:
        """Go back before the first record that was taken away, and pass the time again without it."""
        wrong, self._wrong_since = self._wrong_since, _NEVER
        copies = [copy for copy in self._copies if _position_of(copy) <= wrong]
        if wrong == _NEVER or not copies:
            return []
        target, rows, cells = course.position, course.all_rows(), self._alerting.cells()
        self._copies = copies
        self._go_back(course, copies[-1], rows)
        waiting, self._pending = self._pending, _as_changes(rows.take(rows.seen >= course.position))
        while course.position < target:
            self._turn(course)
            stop = self._stop(course, target)
            course.add(self._taken(stop))
            course.step(stop)
            if stop == course.day_end and stop < target:
                self._begin_day(course, course.today + 1)
        self._pending = waiting
        entries = course.scores.entries
        alarms = np.unique(entries.code[self._alerting.rule.alarms(entries)]).tolist()
        return self._settled(course, [(target, code) for code in sorted({*alarms, *cells})], {})

    def _go_back(self, course: Course, copy: State, rows: Rows) -> None:
        course.restore(copy)
        course.standard.rates.back_to(course.today, course.shape)
        course.take_rows(rows.take(rows.seen < course.position))

    def _provisional(self, district: int, kind: int, end: int) -> bool:
        """Whether a window that ends at *end* is judged by little: early days, or a new cell."""
        assert self._course
        day, learning = self._days.of(end - 1), self._course.learning
        if learning.age(day) < DAYS_COLD or not len(self._course.standard.recurrence.newest.maxima):
            return True
        young = self._course.born(district, kind) >= learning.first_day + _DAYS_NEW
        return bool(young and self._course.standard.rates.of(day).alpha[district, kind] < _KNOWN_ALPHA)


_NEVER = 1 << 40


def _odd(changes: PaneDeltas, shape: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which changes take records away or begin a cell."""
    return (changes.delta < 0) | (changes.district >= shape[0]) | (changes.type >= shape[1])


def _day_of(copy: State) -> int:
    return int(copy["numbers"][0])


def _position_of(copy: State) -> int:
    return int(copy["numbers"][1])


def _as_changes(rows: Rows) -> PaneDeltas:
    """Rows as if they came once more, in the order in which they came."""
    rows = rows.take(np.argsort(rows.seen, kind="stable"))
    timed = np.asarray(is_timed(rows.code), np.int64)
    return PaneDeltas(
        rows.slot, district_of(rows.code), type_of(rows.code), timed, rows.count, rows.seen, rows.seen, rows.origin
    )
