"""What `scan` learns from day to day: rates of districts, shares of areas, delays, chances, and how rare scores are.

A day is learnt *learn_after* days after it began, when another begins. Delays are learnt anew every 7 days; chances are
drawn anew every 28 days, because shares change slowly. How rare a score is is learnt every 28 days too, from the
trailing 35 weeks, once there are 30 episodes and 8 weeks.
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
from citystream.detect.recurrence import RecurrenceMap, episode_maxima
from citystream.detect.scan_look import DURATIONS, Best, NullTable
from citystream.detect.scan_rates import RecentRates
from citystream.detect.zones import Zones
from citystream.ports import Integers

DAYS_COLD = 28
_FLOOR = 1.0
_GAP = 48
_WEEK = 336
_WEEKS_REMEMBERED = 35
_NULL_DAYS, _MAP_DAYS = 28, 28
_COLD_EDGE, _COLD_SLOPE, _COLD_TYPES = 3.6, 0.65, 30


class ScanLearning:
    """State of one dataset's areas; *today* is the local day whose rates were fixed last."""

    def __init__(self, zones: Zones, district_of: Integers, days: LocalDays, lag: int, learn_after: int) -> None:
        self._zones = zones
        self._district_of = district_of
        self._days = days
        self._learn_after = learn_after
        self.first_day = self.today = 0
        self.baseline = Baseline(int(district_of.max()) + 1, 0)
        self.shares = AreaShares(district_of, 0)
        self.delays = Delays(0)
        self.complete = Completeness.step(0, lag)
        self.map = _cold_map(0)
        self._rates = RecentRates(days)
        self._known_shares = self.shares.of_types()
        self._past: tuple[Integers, Integers, Floats] = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
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
        self.complete = self.complete.grown(types)
        self._known_shares = self.shares.of_types()
        self._rates.grow(self.baseline)
        self.map = self.map if len(self.map.maxima) else _cold_map(types)
        self._draw()

    def new_day(self, day: int, rows: AreaDeltas, came: AreaDeltas, moment: int) -> None:
        """Learn what is old enough of *rows* that were seen before *moment*, and the delays of what *came* since the
        last day; fix the rates of *day*.
        """
        self._learn_delays(day, came)
        old = day - self._learn_after
        if old >= self.first_day:
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

    def scores(self, best: Best) -> Floats:
        """-log10 of the chance of each type's best ratio."""
        made = np.zeros(len(best.ratio))
        for kind in np.flatnonzero(best.ratio > 0).tolist():
            made[kind] = self.score_of(kind, float(best.cases[kind]), float(best.ratio[kind]))
        return made

    def score_of(self, kind: int, cases: float, ratio: float) -> float:
        """The same of one type."""
        return self._null.score(kind, cases, ratio) if ratio > 0 else 0.0

    def remember(self, end: int, scores: Floats) -> None:
        """Keep what is above the floor, for the map."""
        kinds = np.flatnonzero(scores > _FLOOR)
        kind, ends, kept = self._past
        ends = np.concatenate([ends, np.full(len(kinds), end)])
        self._past = np.concatenate([kind, kinds]), ends, np.concatenate([kept, scores[kinds]])

    def state(self) -> State:
        """As arrays."""
        kinds, ends, scores = self._past
        made: State = {
            "days": np.array([self.first_day, self.today], np.int64),
            "past_kind": kinds.astype(np.int16),
            "past_end": ends.astype(np.int32),
            "past_score": scores,
            "drawn": self._drawn[0],
            "drawn_on": np.array([self._drawn[1]], np.int64),
            "curve": self.complete.curve,
            "log_variance": self.complete.log_variance,
            "learnt": np.array([self.complete.learnt]),
            "known_shares": self._known_shares,
        }
        made |= under(self.baseline.state(), "baseline") | under(self.shares.state(), "shares")
        made |= under(self.delays.state(), "delays") | under(self._rates.state(), "rates")
        return made | under(self.map.state(), "map")

    def restore(self, state: State) -> None:
        """Go on from what `state` gave."""
        self.first_day, self.today = (int(each) for each in state["days"].tolist())
        kinds, ends = (np.array(state[name], np.int64) for name in ("past_kind", "past_end"))
        self._past = kinds, ends, np.array(state["past_score"], np.float64)
        curve, log_variance = (np.array(state[name], np.float64) for name in ("curve", "log_variance"))
        self.complete = Completeness(curve, log_variance, bool(state["learnt"][0]))
        self._known_shares = np.array(state["known_shares"], np.float64)
        self.baseline.restore(within(state, "baseline"))
        self.shares.restore(within(state, "shares"))
        self.delays.restore(within(state, "delays"))
        self._rates.restore(within(state, "rates"))
        self.map = RecurrenceMap.restored(within(state, "map"))
        self._draw(np.array(state["drawn"], np.float64), int(state["drawn_on"][0]))

    def _learn(self, day: int, rows: AreaDeltas, moment: int) -> None:
        first, after = self._days.bounds(day)
        held = rows.take((rows.slot >= first) & (rows.slot < after) & (rows.since < moment))
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
        new = came.take(came.origin == NEW)
        if len(new):
            days, _ = self._days.places(new.slot)
            self.delays.add_all(days, new.slot, new.type, new.since, new.delta)
        if (day - self.first_day) % 7 == 0 and self.delays.watched(day):
            self.complete = self.delays.completeness(day)
            self.delays.settle(day)

    def _draw(self, shares: Floats | None = None, day: int | None = None) -> None:
        """Forget the chances that were drawn; those to come follow from *shares* of the city and the *day*."""
        if shares is None:
            level = self.baseline.expect(self._days.day(self.today)).level[self._district_of]
            shares, day = self._known_shares * level, self.today
        drawn = np.asarray(shares, np.float64)
        self._drawn = drawn, int(day or 0)
        self._null = NullTable(self._zones, lambda kind: np.asarray(drawn[:, kind]), abs(self._drawn[1]))

    def _learn_map(self, day: int) -> None:
        now, _ = self._days.bounds(day)
        began, _ = self._days.bounds(self.first_day + DAYS_COLD)
        since = max(began, now - _WEEKS_REMEMBERED * _WEEK)
        kinds, ends, scores = self._past
        kept = ends >= since
        self._past = kinds[kept], ends[kept], scores[kept]
        maxima = episode_maxima(kinds[kept], ends[kept], scores[kept], _GAP)
        self.map = RecurrenceMap.fit(maxima, (now - since) / _WEEK) or self.map


def _cold_map(types: int) -> RecurrenceMap:
    """Before there is a past: what was learnt of thirty types."""
    return RecurrenceMap.cold(_COLD_EDGE - log10(_COLD_TYPES / max(types, 1)) / _COLD_SLOPE, _COLD_SLOPE)
