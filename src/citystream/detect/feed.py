"""Whether a feed brings what it usually brings: missing is never 0.

Only arrivals are looked at: how many records were first seen in each slot, beside how many usually are at that time of
the week (`baseline`, one cell). The states extend those of a visit (fresh, late, frozen, gone, refused):

- silent: nothing came while A records were expected, and (1 + A/20)^-20 < 1e-6, the chance of none under a negative
  binomial of size 20; that is A >= 19.9;
- partial: in 6 hours less than .45 of what was expected came, or in 24 hours less than .55;
- backfill: after one of these, an hour brings more than 3 times of what was expected, or records come that are much
  older than delays allow;
- changed: in 24 hours more than 3 times of what was expected came, or the columns are others;
- frozen: polls succeed and nothing moves, for 3 cadences or longer than 99 % of past gaps.

A source that publishes in batches is judged by its cadence alone. While a feed is not fresh, nothing is called few.

>>> import numpy as np
>>> feed = Feed()
>>> monday = Day(0, first_of_month=False, half_hours=np.arange(48))
>>> for day in range(10):
...     for slot in range(48):
...         state = feed.pass_slot(day, monday, slot, arrived=10)
>>> state, [feed.pass_slot(10, monday, slot, arrived=0) for slot in range(3)]
('fresh', ['fresh', 'silent', 'silent'])
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from citystream.detect.arrays import Floats, State, under, within
from citystream.detect.baseline import Baseline, Day, HalfLives
from citystream.ports import Integers

FeedState = Literal["fresh", "late", "silent", "partial", "backfill", "frozen", "changed", "gone", "refused"]
HOUR, QUARTER, DAY = 2, 12, 48
_DAYS_LEARNT = 7
#: With fewer expected records, a share of them says nothing.
_FEWEST_EXPECTED = 40.0
_SILENCE = 1e-6
_DAYS_REMEMBERED = 60
_MOST_NOT_FRESH = 0.2
#: A feed that brought as much of what it owes for a day has brought it all.
_CAUGHT_UP = 0.9


def is_silent(expected: float) -> bool:
    """Whether no arrival while *expected* were due is a silence."""
    return bool((1 + expected / 20) ** -20 < _SILENCE)


def is_frozen(unchanged: float, cadence: float, gaps: Floats) -> bool:
    """Whether polls that find nothing new for *unchanged* mean that the publisher has stopped; all in one unit.

    *gaps*: how long nothing changed in the past, each time.
    """
    longest = float(np.quantile(gaps, 0.99)) if len(gaps) >= 100 else 0.0
    return unchanged > max(3 * cadence, longest)


class Feed:
    """Arrivals of one source, or of one source in one district, slot after slot."""

    def __init__(self) -> None:
        self._usual = Baseline(1, 1, HalfLives(level=7.0, city=7.0, block=56.0, week=28.0))
        self._arrived, self._expected = np.zeros(DAY), np.zeros(DAY)
        self._today, self._counts = -1, np.zeros(DAY)
        self._due = 0.0
        self._disturbed = DAY + 1
        self._empty = 0
        self._not_fresh: dict[int, int] = {}
        self._missing: dict[int, int] = {}
        self._disturbance: dict[int, int] = {}
        self._day: Day | None = None
        self._rates = np.zeros(DAY)

    def pass_slot(self, today: int, day: Day, place: int, arrived: int, old: int = 0) -> FeedState:
        """One slot is over: the *place*-th of the local day *today*; *arrived* records were first seen in it, *old*
        of them later than 99 of 100 of their type.
        """
        if today != self._today:
            self._begin(today, day)
        self._counts[place] += arrived
        expected = float(self._rates[place])
        self._due, self._empty = (0.0, 0) if arrived else (self._due + expected, self._empty + 1)
        for ring, value in ((self._arrived, float(arrived)), (self._expected, expected)):
            ring[:-1] = ring[1:]
            ring[-1] = value
        state = self._state(old) if self._usual.days >= _DAYS_LEARNT else "fresh"
        self._disturbed = 0 if state in ("silent", "partial") else self._disturbed + 1
        self._remember(state, today)
        return state

    def lately(self, slots: int) -> tuple[float, float]:
        """How many records came in the last *slots* (a day at most), and how many usually do."""
        return float(self._arrived[-slots:].sum()), float(self._expected[-slots:].sum())

    def was_complete(self, day: int) -> bool:
        """Whether the feed was fresh for at least four fifths of local *day*, or brought later what was missing."""
        return self._missing.get(day, 0) <= _MOST_NOT_FRESH * DAY

    def state(self) -> State:
        """As arrays."""
        numbers = {
            "rings": np.stack([self._arrived, self._expected]),
            "counts": self._counts,
            "numbers": np.array([self._today, self._disturbed, self._empty]),
            "due": np.array([self._due]),
            "not_fresh": _pairs(self._not_fresh),
            "missing": _pairs(self._missing),
            "disturbance": _pairs(self._disturbance),
        }
        return numbers | under(self._usual.state(), "usual")

    def restore(self, state: State, day: Day | None) -> None:
        """Take what `state` gave; *day* is the one that was passed last, None before the first."""
        self._arrived, self._expected = np.array(state["rings"], np.float64)
        self._counts = np.array(state["counts"], np.float64)
        self._today, self._disturbed, self._empty = (int(each) for each in state["numbers"].tolist())
        self._due = float(state["due"][0])
        self._not_fresh = dict(np.asarray(state["not_fresh"]).tolist())
        self._missing = dict(np.asarray(state["missing"]).tolist())
        self._disturbance = dict(np.asarray(state["disturbance"]).tolist())
        self._usual.restore(within(state, "usual"))
        self._day = day
        if day:
            self._rates = self._usual.expect(day).panes(day.half_hours).ravel()

    @property
    def today(self) -> int:
        """The local day that was passed last, -1 before the first."""
        return self._today

    @property
    def empty_slots(self) -> int:
        """How many slots have passed since the last arrival."""
        return self._empty

    def _begin(self, today: int, day: Day) -> None:
        """Learn the day that is over, if it was fresh."""
        if self._day and self._not_fresh.get(self._today, 0) <= _MOST_NOT_FRESH * DAY:
            self._usual.learn(self._day, self._counts[:, None, None])
        for known in (self._not_fresh, self._missing):
            for old in [each for each in known if each < today - _DAYS_REMEMBERED]:
                del known[old]
        self._today, self._day = today, day
        self._counts = np.zeros(len(day.half_hours))
        self._rates = self._usual.expect(day).panes(day.half_hours).ravel()

    def _remember(self, state: FeedState, today: int) -> None:
        """Count slots that were not fresh by day; those of a disturbance are forgiven once all that was due came."""
        if state != "fresh":
            for known in (self._not_fresh, self._missing, self._disturbance):
                known[today] = known.get(today, 0) + 1
        elif self._disturbance:
            if self._share(DAY) >= _CAUGHT_UP:
                for day, slots in self._disturbance.items():
                    self._missing[day] = self._missing.get(day, 0) - slots
            self._disturbance.clear()

    def _state(self, old: int) -> FeedState:
        if is_silent(self._due):
            return "silent"
        hour = self._share(HOUR, least=5.0)
        if (hour > 3 and self._disturbed <= DAY) or old > 5 + 0.5 * self._arrived[-1]:
            return "backfill"
        if self._share(QUARTER) < 0.45 or self._share(DAY) < 0.55:
            return "partial"
        return "changed" if self._share(DAY) > 3 else "fresh"

    def _share(self, slots: int, least: float = _FEWEST_EXPECTED) -> float:
        """Arrivals of the last *slots* by what was expected; 1 where too little was."""
        expected = float(self._expected[-slots:].sum())
        return float(self._arrived[-slots:].sum()) / expected if expected >= least else 1.0


def _pairs(known: dict[int, int]) -> Integers:
    return np.array(sorted(known.items()), np.int64).reshape(-1, 2)
