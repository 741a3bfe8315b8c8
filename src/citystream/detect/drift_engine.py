"""`drift` as it follows the store: changes of panes become whole local days, and days on which sums are large alerts.

Once a day of the clock, at local midnight (a lag later where records come that late), the days are judged of which 95 %
of the records are usually in, one after the other; a day whose records changed since is judged again, as far as thirty
days back. How old a day is counts up to the last record that came promptly, not up to the clock; in an archive up to
when its last record occurred, because a file may be made on that day. So while a publisher is silent, or where a file
ends, no day becomes whole, and nothing is called few. Delays are learnt as `delay` says. What came before a moment is
all that is known at it: how the clock is cut into calls of `advance`, and the order of what came in one slot, change
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from citystream.detect.alerting import Naming, Rule, codes_as_names
from citystream.detect.arrays import Floats, State, copied, under, within
from citystream.detect.arrivals import Arrivals
from citystream.detect.changes import ARCHIVE, NEW, REVISED, PaneDeltas
from citystream.detect.delay import Completeness, Delays
from citystream.detect.drift import DayCounts, Drift
from citystream.detect.drift_alerts import DriftAlerts, Judged
from citystream.detect.episodes import Alert, AlertChange
from citystream.detect.feed import FeedState
from citystream.detect.learning import Looking
from citystream.detect.local_days import LocalClock, LocalDays

_NEVER = -(1 << 40)
_REACH = 30
_COMPLETE = 0.95
_DELAYS_EVERY = 7
_TWO_DAYS = 96
_MOST_SHARES = 1000


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """What is asked of `drift` in one dataset.

    *budget*: expected false alerts a week in each direction, anywhere; *prompt*: slots after it occurred up to which a
    record that comes shows that the publisher publishes; *breaks*: the first local day (since 1970) of each series
    break.
    """

    dataset: str
    budget: float = 0.25
    looking: Looking = field(default_factory=Looking)
    prompt: int = _TWO_DAYS
    breaks: tuple[int, ...] = ()
    naming: Naming = codes_as_names


class DriftEngine:
    """The engine: `feed` it with changes, `advance` its clock, get what happened to alerts."""

    def __init__(self, settings: DriftSettings, clock: LocalClock) -> None:
        self.settings = settings
        self._days = LocalDays(clock)
        self._coming = PaneDeltas.none()
        self._held = PaneDeltas.none()
        self._arrivals = Arrivals()
        self._delays = Delays(0)
        self._complete = Completeness.step(0, settings.looking.lag)
        self._drift = Drift(1, 1, settings.budget, settings.breaks)
        rule = Rule("drift", settings.dataset, settings.budget, settings.naming)
        self._alerts = DriftAlerts(rule, self._days, settings.breaks)
        self._shape = (0, 0)
        self._first = self._today = self._newest = self._prompt = _NEVER
        self._feed: FeedState = "fresh"
        self._whole: dict[int, bool] = {}
        self._shares: dict[tuple[int, int], Floats] = {}

    def feed(self, changes: PaneDeltas) -> None:
        """Changes that came, in any order."""
        self._coming = PaneDeltas.joined([self._coming, changes])

    def advance(self, clock: int) -> tuple[AlertChange, ...]:
        """Everything that came before slot *clock* of the clock is there: judge the days that are whole by then."""
        self._coming = self._coming.take(np.argsort(self._coming.came, kind="stable"))
        if self._first == _NEVER and len(self._coming) and self._coming.came[0] < clock:
            self._first = self._days.of(int(self._coming.came[0]) - self.settings.looking.ages[0])
            self._today, self._newest = self._first + 1, self._first
        changes: list[AlertChange] = []
        while self._first > _NEVER and self._begins(self._today) <= clock:
            changes += self._turn()
        return tuple(changes)

    def due(self) -> int:
        """The moment at which the next day is over."""
        return self._begins(self._today) if self._first > _NEVER else _NEVER

    def alerts(self) -> list[Alert]:
        """The alerts that may still change, as they stand."""
        return self._alerts.all()

    def state(self) -> State:
        """Everything that later results depend on, as arrays."""
        numbers = [self._first, self._today, self._newest, self._prompt, *self._shape]
        made: State = {"numbers": np.array(numbers, np.int64), "feed_state": np.array([self._feed])}
        made["whole"] = np.array(sorted(self._whole.items()), np.int64).reshape(-1, 2)
        made |= under(self._coming.state(), "coming") | under(self._held.state(), "held")
        made |= under(self._arrivals.state(), "arrivals") | under(self._delays.state(), "delays")
        made |= under(self._complete.state(), "complete") | under(self._alerts.state(), "alerts")
        return copied(made | under(self._drift.state(), "drift"))

    def restore(self, state: State) -> None:
        """Take what `state` gave, of an engine with the same settings."""
        self._first, self._today, self._newest, self._prompt, *shape = (int(each) for each in state["numbers"].tolist())
        self._shape = shape[0], shape[1]
        [self._feed] = state["feed_state"].tolist()
        self._whole = {int(day): bool(whole) for day, whole in state["whole"].tolist()}
        self._coming, self._held = (PaneDeltas.restored(within(state, name)) for name in ("coming", "held"))
        self._arrivals.restore(within(state, "arrivals"), self._days)
        self._delays.restore(within(state, "delays"))
        self._complete = Completeness.restored(within(state, "complete"))
        self._shares.clear()
        self._alerts.restore(within(state, "alerts"))
        self._drift.restore(within(state, "drift"))

    def _begins(self, day: int) -> int:
        """The moment at which *day* begins: what came before it is known then."""
        return self._days.bounds(day)[0] + self.settings.looking.ages[0]

    def _turn(self) -> list[AlertChange]:
        """One day of the clock is over."""
        before, moment = self._begins(self._today - 1), self._begins(self._today)
        after = int(np.searchsorted(self._coming.came, moment))
        came, self._coming = self._coming.take(slice(0, after)), self._coming.take(slice(after, None))
        came = replace(came, came=np.maximum(came.came, before))
        self._grow(came)
        self._pass_feed(came, before, moment)
        self._learn_delays(came)
        given = self._due(self._hold(came))
        self._today += 1
        self._drift.take([self._counts(day) for day in given])
        if given:
            self._newest = max(self._newest, given[-1])
            self._forget()
        judged = Judged(moment, self._newest, self._completeness, self._feed, self._drift.settled)
        return self._alerts.settle(self._drift.left(), self._drift.alarms(), judged)

    def _grow(self, came: PaneDeltas) -> None:
        added = came.take(came.delta > 0)
        wanted = (int(codes.max(initial=-1)) + 1 for codes in (added.district, added.type))
        shape = tuple(max(pair) for pair in zip(wanted, self._shape, strict=True))
        if shape != self._shape:
            self._shape = shape[0], shape[1]
            self._delays.grow(shape[1])
            self._complete = self._complete.grown(shape[1])
            self._shares.clear()

    def _pass_feed(self, came: PaneDeltas, before: int, moment: int) -> None:
        """What the feed is like after the slots from *before* to *moment*, and when it last brought what is recent."""
        if self.settings.looking.watch:
            self._arrivals.note(came, self._complete)
            states = self._arrivals.passed(self._days, before + 1, moment)
            self._feed = states.get(moment, self._feed)
        recent = (came.delta > 0) & (came.origin != REVISED) & (came.since - came.slot <= self.settings.prompt)
        # a file was made at some time after the last record in it: more is not known
        shown = np.where(came.origin == ARCHIVE, came.slot, came.came)
        self._prompt = int(shown[recent].max(initial=self._prompt))

    def _learn_delays(self, came: PaneDeltas) -> None:
        new = came.take((came.origin == NEW) & self._arrivals.came_by_itself(came.since))
        days, _ = self._days.places(new.slot)
        self._delays.add_all(days, new.slot, new.type, new.since, new.delta)
        if (self._today - self._first) % _DELAYS_EVERY == 0 and self._delays.watched(self._today):
            self._complete = self._delays.completeness(self._today)
            self._shares.clear()
            self._delays.settle(self._today)

    def _hold(self, came: PaneDeltas) -> set[int]:
        """Take in what came; the local days that have other records now."""
        nothing = np.zeros(len(came), np.int64)
        net = replace(came, since=nothing, came=nothing, origin=nothing).net()
        held = PaneDeltas.joined([self._held, net])
        self._held = held.net() if (net.delta < 0).any() else held
        return set(np.unique(self._days.places(net.slot)[0]).tolist()) if len(net) else set()

    def _due(self, changed: set[int]) -> list[int]:
        """The days to judge, in order: those that became whole, and those known that have other records."""
        due = []
        for day, was in self._whole.items():
            whole = self._arrivals.feed.was_complete(day)
            if day in changed or whole != was:
                due.append(day)
                self._whole[day] = whole
        day = self._newest + 1
        while day < self._today and self._is_in(day):
            if self._days.day(day).half_hours.size:
                due.append(day)
                self._whole[day] = self._arrivals.feed.was_complete(day)
            day += 1
        return sorted(due)

    def _is_in(self, day: int) -> bool:
        """Whether so many of the records of *day* are usually in."""
        volume = np.bincount(self._held.type, self._held.delta, minlength=self._shape[1]) + 1.0
        return bool((self._completeness(day) * volume).sum() >= _COMPLETE * volume.sum())

    def _completeness(self, day: int) -> Floats:
        """The share of the records of *day* that is usually in, by type."""
        first, after = self._days.bounds(day)
        oldest, slots = self._prompt - first, max(after - first, 1)
        if (oldest, slots) not in self._shares:
            if len(self._shares) > _MOST_SHARES:
                self._shares.clear()
            kinds = np.arange(self._shape[1])
            shares = self._complete.of(kinds[:, None], oldest - np.arange(slots)).mean(axis=1)
            self._shares[oldest, slots] = np.asarray(shares, np.float64)
        return self._shares[oldest, slots]

    def _counts(self, day: int) -> DayCounts:
        (first, after), (districts, types) = self._days.bounds(day), self._shape
        held = self._held.take((self._held.slot >= first) & (self._held.slot < after))
        cell, timed = held.district * types + held.type, held.timed > 0
        place = (held.slot - first)[timed] * districts * types + cell[timed]
        panes = np.bincount(place, held.delta[timed], minlength=(after - first) * districts * types)
        untimed = np.bincount(cell[~timed], held.delta[~timed], minlength=districts * types)
        shaped = panes.astype(np.float64).reshape(-1, districts, types), untimed.reshape(districts, types)
        return DayCounts(day, self._days.day(day), shaped[0], shaped[1].astype(np.float64), self._whole[day])

    def _forget(self) -> None:
        """Days that are judged no more."""
        oldest = self._newest - _REACH
        self._whole = {day: whole for day, whole in self._whole.items() if day >= oldest}
        self._held = self._held.take(self._held.slot >= self._days.bounds(max(oldest, self._first))[0])
