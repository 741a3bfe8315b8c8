"""What `scan` learns from day to day: rates of districts, shares of areas, delays, chances, and how rare scores are.

A day is learnt *learn_after* days after it began, when another begins. Delays are learnt anew every 7 days; chances are
drawn anew every 28 days, because shares change slowly. How rare a score is is learnt every 28 days too, from the
trailing 35 weeks, once there are 30 episodes and 8 weeks. Records of one cause come together, and chances know nothing
of that: so the line to rarer scores may bend.
"""

from __future__ import annotations

from math import log10

import numpy as np

from citystream.detect.area_rows import NEW, AreaDeltas
from citystream.detect.area_shares import AreaShares
from citystream.detect.arrays import Floats, State, under, within
from citystream.detect.baseline import Baseline
from citystream.detect.delay import Completeness, Delays
from citystream.detect.local_days import LocalDays
from citystream.detect.recurrence import RecurrenceMap
from citystream.detect.scan_look import DURATIONS, Best, NullTable
from citystream.detect.scan_past import PastScores
from citystream.detect.scan_rates import RecentRates
from citystream.detect.visited import Visited
from citystream.detect.zones import Zones
from citystream.ports import Integers

DAYS_COLD = 28
_WEEK = 336
_WEEKS_REMEMBERED = 35
#: Scores are kept for longer, because time may be passed again.
_WEEKS_MORE = 8
_NULL_DAYS, _MAP_DAYS = 28, 28
_COLD_EDGE, _COLD_SLOPE, _COLD_TYPES = 3.6, 0.65, 30


class ScanLearning:
    """State of one dataset's areas; *today* is the local day whose rates were fixed last."""

    def __init__(
        self, zones: Zones, district_of: Integers, days: LocalDays, *, lag: int, learn_after: int, slack: int
    ) -> None:
        self.zones = zones
        self._district_of = district_of
        self._days = days
        self._lag = lag
        self._learn_after = learn_after
        self.first_day = self.today = 0
        self.baseline = Baseline(int(district_of.max()) + 1, 0)
        self.shares = AreaShares(district_of, 0)
        self.delays = Delays(0)
        self._visited = Visited(slack)
        self.complete = Completeness.step(0, lag)
        self.map = _cold_map(0)
        self._rates = RecentRates(days)
        self._known_shares = self.shares.of_types()
        self.past = PastScores(zones)
        self._drawn = np.zeros((len(district_of), 0))
        self._drawn_on = 0
        self._draw()

    @property
    def shape(self) -> tuple[int, int]:
        """(areas, types)."""
        return len(self._district_of), self.baseline.shape[1]

    @property
    def warm(self) -> bool:
        """Whether the silent days are over."""
        return self.today - self.first_day >= DAYS_COLD

    def begin(self, day: int, types: int) -> None:
        """The first day, and the types that are known by then."""
        self.first_day = self.today = day
        self.grow(types)
        self._rates.fix(day, self.baseline)

    def grow(self, types: int) -> None:
        """Make room for more types."""
        if types <= self.shape[1]:
            return
        self.baseline.grow(self.baseline.shape[0], types)
        self.shares.grow(types)
        self.delays.grow(types)
        known = self.complete.learnt
        self.complete = self.complete.grown(types) if known else Completeness.step(types, self._lag)
        self._known_shares = self.shares.of_types()
        self._rates.grow(self.baseline)
        self.map = self.map if len(self.map.maxima) else _cold_map(types)
        more = self._shares_of_city()[:, self._drawn.shape[1] :]
        self._drawn = np.concatenate([self._drawn, more], axis=1)

    def new_day(self, day: int, rows: AreaDeltas, came: AreaDeltas, moment: int) -> None:
        """Learn what is old enough of *rows*, by slot, that came before *moment*, and the delays of what *came* since
        the last day; fix the rates of *day*.
        """
        self._learn_delays(day, came)
        old = day - self._learn_after
        if old >= self.first_day and self._visited.in_time(moment):
            self._learn(old, rows, moment)
        self.today = day
        self._rates.fix(day, self.baseline)
        if (day - self.first_day) % _NULL_DAYS == 0:
            self._draw()
        if self.warm and (day - self.first_day) % _MAP_DAYS == 0:
            self._learn_map(day)

    def expected(self, end: int, moment: int) -> Floats:
        """What (areas, durations, types) should hold of windows before slot *end*, looked at before *moment*."""
        by_district = self._rates.sums(end, moment, DURATIONS, self.complete)
        return np.asarray(by_district.transpose(1, 0, 2)[self._district_of] * self._known_shares[:, None, :])

    def completeness(self, kind: int, end: int, moment: int, slots: int) -> float:
        """The share of the records of type *kind* in a window of *slots* before *end* that is usually in before
        *moment*.
        """
        ages = np.arange(moment - end, moment - end + slots)
        return float(self.complete.of(np.full(slots, kind), ages).mean())

    def scores(self, best: Best) -> Floats:
        """-log10 of the chance of each type's best ratio."""
        made = np.zeros(len(best.ratio))
        for kind in np.flatnonzero(best.ratio > 0).tolist():
            made[kind] = self.score_of(kind, float(best.cases[kind]), float(best.ratio[kind]))
        return made

    def score_of(self, kind: int, cases: float, ratio: float) -> float:
        """The same of one type."""
        return self._null.score(kind, cases, ratio) if ratio > 0 else 0.0

    def state(self) -> State:
        """As arrays."""
        return self.learnt() | under(self.past.state(), "past")

    def learnt(self) -> State:
        """The same without the scores of the past, which are only added to."""
        made: State = {
            "days": np.array([self.first_day, self.today], np.int64),
            "drawn": self._drawn,
            "drawn_on": np.array([self._drawn_on], np.int64),
            "chances": self._null.known(),
            "known_shares": self._known_shares,
        }
        made |= under(self.baseline.state(), "baseline") | under(self.shares.state(), "shares")
        made |= under(self._visited.state(), "visited")
        made |= under(self.delays.state(), "delays") | under(self._rates.state(), "rates")
        return made | under(self.map.state(), "map") | under(self.complete.state(), "complete")

    def restore(self, state: State) -> None:
        """Go on from what `state` or `learnt` gave; chances that were drawn of the same shares are kept."""
        drawn, drawn_on, chances = self._drawn, self._drawn_on, self._null.known()
        self.first_day, self.today = (int(each) for each in state["days"].tolist())
        past = within(state, "past")
        if past:
            self.past.restore(past)
        self.complete = Completeness.restored(within(state, "complete"))
        self._known_shares = np.array(state["known_shares"], np.float64)
        self.baseline.restore(within(state, "baseline"))
        self.shares.restore(within(state, "shares"))
        self.delays.restore(within(state, "delays"))
        self._visited.restore(within(state, "visited"))
        self._rates.restore(within(state, "rates"))
        self.map = RecurrenceMap.restored(within(state, "map"))
        self._drawn_on = int(state["drawn_on"][0])
        self._draw(np.array(state["drawn"], np.float64))
        self._null.know(np.asarray(state["chances"], np.float64))
        if drawn_on == self._drawn_on and np.array_equal(drawn, self._drawn):
            self._null.know(chances)

    def _learn(self, day: int, rows: AreaDeltas, moment: int) -> None:
        first, after = self._days.bounds(day)
        begun, ended = np.searchsorted(rows.slot, [first, after])
        held = rows.take(slice(int(begun), int(ended)))
        held = held.take(held.came < moment)
        districts, types = self.baseline.shape
        timed, untimed = held.take(held.timed > 0), held.take(held.timed == 0)
        place = timed.slot - first, self._district_of[timed.area], timed.type
        without = untimed.counts((districts, types), self._district_of[untimed.area], untimed.type)
        if after > first:
            where, counts = self._days.day(day), timed.counts((after - first, districts, types), *place)
            self.baseline.learn(where, counts, self._seen(day, moment), without)
        self.shares.learn(held.counts(self.shape, held.area, held.type))
        self._known_shares = self.shares.of_types()

    def _seen(self, day: int, moment: int) -> Floats:
        """The share of a day's records that is usually in at *moment*, by type."""
        first, after = self._days.bounds(day)
        where = self._days.day(day)
        week = self.baseline.expect(where).week[:, where.half_hours]
        kinds = np.arange(len(week))[:, None]
        share = self.complete.of(kinds, moment - 1 - np.arange(first, after))
        return np.asarray((week * share).sum(axis=1) / week.sum(axis=1))

    def _learn_delays(self, day: int, came: AreaDeltas) -> None:
        added = came.take(came.delta > 0)
        self._visited.note(added.since, added.delta)
        new = came.take((came.origin == NEW) & self._visited.by_itself(came.since))
        if len(new):
            days, _ = self._days.places(new.slot)
            self.delays.add_all(days, new.slot, new.type, new.since, new.delta)
        if (day - self.first_day) % 7 == 0 and self.delays.watched(day):
            self.complete = self.delays.completeness(day)
            self.delays.settle(day)

    def _shares_of_city(self) -> Floats:
        """Each area's share of a type's records, up to a factor."""
        level = self.baseline.expect(self._days.day(self.today)).level
        return np.asarray(self._known_shares * level[self._district_of], np.float64)

    def _draw(self, shares: Floats | None = None) -> None:
        """Forget the chances that were drawn; those to come follow from the *shares* of today, if none are given."""
        if shares is None:
            shares, self._drawn_on = self._shares_of_city(), self.today
        self._drawn = shares
        self._null = NullTable(self.zones, lambda kind: np.asarray(self._drawn[:, kind]), abs(self._drawn_on))

    def _learn_map(self, day: int) -> None:
        now, _ = self._days.bounds(day)
        began, _ = self._days.bounds(self.first_day + DAYS_COLD)
        since = max(began, now - _WEEKS_REMEMBERED * _WEEK)
        maxima = self.past.maxima(since)
        self.past.drop_before(since - _WEEKS_MORE * _WEEK)
        self.map = RecurrenceMap.fit(maxima, (now - since) / _WEEK, bends=True) or self.map


def _cold_map(types: int) -> RecurrenceMap:
    """Before there is a past: what was learnt of thirty types."""
    return RecurrenceMap.cold(_COLD_EDGE - log10(_COLD_TYPES / max(types, 1)) / _COLD_SLOPE, _COLD_SLOPE)
