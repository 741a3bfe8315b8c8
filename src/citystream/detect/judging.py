"""Windows get their scores: single ones again, or (`blocks`) all windows of a stretch of a day at once.

Both ways give the same bits for the same rows. What a moment was judged by (completeness, dispersion, recurrence) is
kept in versions for as long as windows of that moment may be judged again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from citystream.detect.arrays import Floats, State, rounded, under, within
from citystream.detect.delay import Completeness
from citystream.detect.expectation import RateHistory, expected_in
from citystream.detect.local_days import LocalDays
from citystream.detect.parallel import Parallel
from citystream.detect.recurrence import RecurrenceMap
from citystream.detect.rows import DAY_LENGTH, Rows, counted_in, district_of, type_of
from citystream.detect.scores import FLOOR, Scored
from citystream.detect.tail import LENGTHS, Dispersion, tail_score
from citystream.ports import Booleans, Integers

#: An alert needs as many records.
FEWEST = 3
#: Standard deviations above the mean below which no count has a tail of a hundredth (`FLOOR`); spares most of them.
SCREEN = 1.9
#: Windows judged singly are judged so many at once, to bound memory.
_PORTION = 20_000

_V = TypeVar("_V")


class Versions(Generic[_V]):
    """Values that hold for moments after a slot, until the next one does."""

    def __init__(self, since: int, value: _V) -> None:
        self.items: list[tuple[int, _V]] = [(since, value)]

    def put(self, since: int, value: _V) -> None:
        """*value* holds for moments after *since*."""
        self.items = [item for item in self.items if item[0] < since] + [(since, value)]

    def change(self, how: Callable[[_V], _V]) -> None:
        """Put *how* of each value in its place."""
        self.items = [(since, how(value)) for since, value in self.items]

    @property
    def newest(self) -> _V:
        """The one that holds now."""
        return self.items[-1][1]

    def groups(self, moments: Integers) -> Iterator[tuple[_V, Booleans]]:
        """Each version with the *moments* that it held at."""
        if len(moments) and moments.min() > self.items[-1][0]:
            yield self.newest, np.ones(len(moments), bool)
            return
        since = np.array([item[0] for item in self.items])
        place = np.maximum(np.searchsorted(since, moments, side="left") - 1, 0)
        for version, (_, value) in enumerate(self.items):
            held = place == version
            if held.any():
                yield value, held

    def drop_before(self, slot: int) -> None:
        """Forget what no longer held at *slot*."""
        while len(self.items) > 1 and self.items[1][0] < slot:
            del self.items[0]


@dataclass(slots=True)
class Standard:
    """By what windows are judged."""

    days: LocalDays
    rates: RateHistory
    complete: Versions[Completeness]
    spread: Versions[Dispersion]
    recurrence: Versions[RecurrenceMap]

    def state(self) -> State:
        """Everything but the rates, as arrays."""
        made: State = {}
        for name in ("complete", "spread", "recurrence"):
            items = getattr(self, name).items
            made[f"{name}.since"] = np.array([since for since, _ in items])
            for place, (_, value) in enumerate(items):
                made |= under(value.state(), f"{name}.{place}")
        return made

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self.complete.items = _restored(state, "complete", Completeness.restored)
        self.spread.items = _restored(state, "spread", Dispersion.restored)
        self.recurrence.items = _restored(state, "recurrence", RecurrenceMap.restored)


def _restored(state: State, name: str, value: Callable[[State], _V]) -> list[tuple[int, _V]]:
    since = state[f"{name}.since"].tolist()
    return [(int(each), value(within(state, f"{name}.{place}"))) for place, each in enumerate(since)]


@dataclass(frozen=True, slots=True)
class Windows(Parallel):
    """Single looks: cell *code* (timed), the slot before which the window ends, and before which it is looked at."""

    code: Integers
    end: Integers
    moment: Integers

    @classmethod
    def over(cls, rows: Rows) -> Windows:
        """Every window end over each row, all ends up to a day after it, looked at once the row was seen."""
        ends = rows.slot[:, None] + np.arange(1, DAY_LENGTH + 1)
        return cls(np.repeat(rows.code | 1, DAY_LENGTH), ends.ravel(), np.repeat(rows.seen + 1, DAY_LENGTH))

    @property
    def key(self) -> Integers:
        """Cell and window end as one number, as in `Scored.key`."""
        return (self.code << 32) + self.end

    def distinct(self) -> Windows:
        """Each once, sorted."""
        return Windows(*np.unique(np.stack([self.code, self.end, self.moment]), axis=1))


@dataclass(frozen=True, slots=True)
class Counts:
    """What *windows* of a length (a place in `LENGTHS`) hold, held on average, and how wide that is (1/r)."""

    windows: Windows
    length: Integers
    observed: Floats
    expected: Floats
    spread: Floats

    def take(self, which: Integers | Booleans | slice) -> Counts:
        """Some of them."""
        observed, expected, spread = (part[which] for part in (self.observed, self.expected, self.spread))
        return Counts(self.windows.take(which), self.length[which], observed, expected, spread)

    def promising(self) -> Counts:
        """Those that may score above the floor."""
        above = (self.observed - self.expected) ** 2
        return self.take(above > SCREEN**2 * (self.expected + self.spread * self.expected**2))


def judge_windows(standard: Standard, rows: Rows, windows: Windows) -> Scored:
    """Looks at single windows of all lengths, those above the floor."""
    parts = [Scored.none()]
    for first in range(0, len(windows), _PORTION):
        portion = windows.take(slice(first, first + _PORTION))
        observed = counted_in(rows, portion.code, portion.end, portion.moment)
        many = observed.max(axis=1) >= FEWEST
        parts.append(_judge_portion(standard, portion.take(many), observed[many]))
    return Scored.joined(parts)


def count_window(standard: Standard, rows: Rows, window: Windows, length: int) -> Counts:
    """What a single window of one length holds, whether it is much or not."""
    at = np.array([length])
    observed = counted_in(rows, window.code, window.end, window.moment)[:, length]
    expected = _expected(standard, window)[0][:, length]
    return Counts(window, at, observed, expected, spread_of(standard, window, at, expected))


def score_of(counts: Counts) -> Floats:
    """-log10 p of counts, 0 where they hold no more than was expected."""
    many = (counts.observed >= 1) & (counts.observed > counts.expected)
    score = tail_score(np.maximum(counts.observed, 1), counts.expected, counts.spread)
    return np.asarray(np.where(many, score, 0.0))


def completeness_of(standard: Standard, window: Windows, length: int) -> float:
    """The share of the records of a single window that is usually in when it is looked at."""
    seen, whole = _expected(standard, window)
    return float(seen[0, length] / whole[0, length]) if whole[0, length] > 0 else 1.0


def _judge_portion(standard: Standard, windows: Windows, observed: Floats) -> Scored:
    expected, _ = _expected(standard, windows)
    at, length = np.nonzero((observed >= FEWEST) & (observed > expected))
    windows, mean = windows.take(at), expected[at, length]
    wide = spread_of(standard, windows, length, mean)
    return scored(standard, Counts(windows, length, observed[at, length], mean, wide).promising())


def _expected(standard: Standard, windows: Windows) -> tuple[Floats, Floats]:
    """M when looked at, and when all is in, by length."""
    seen, whole = np.zeros((2, len(windows), len(LENGTHS)))
    for complete, group in standard.complete.groups(windows.moment):
        part = windows.take(group)
        cells = district_of(part.code), type_of(part.code)
        seen[group], whole[group] = expected_in(standard.rates, cells, part.end, part.moment, complete)
    return seen, whole


def spread_of(standard: Standard, windows: Windows, length: Integers, expected: Floats) -> Floats:
    """1/r of single windows."""
    districts, types = district_of(windows.code), type_of(windows.code)
    days, _ = standard.days.places(windows.end - 1)
    alpha, wide = np.ones((2, len(windows)))
    for day in sorted(set(days.tolist())):
        there = days == day
        alpha[there] = standard.rates.of(day).alpha[districts[there], types[there]]
    for spread, group in standard.spread.groups(windows.moment):
        wide[group] = spread.spread(length[group], types[group], expected[group], alpha[group])
    return wide


def scored(standard: Standard, counts: Counts) -> Scored:
    """Those above the floor."""
    score = rounded(tail_score(counts.observed, counts.expected, counts.spread))
    counts, score = counts.take(score > FLOOR), score[score > FLOOR]
    windows = counts.windows
    log_weeks = np.zeros(len(score))
    for recurrence, group in standard.recurrence.groups(windows.moment):
        log_weeks[group] = recurrence.log_weeks_of(score[group])
    return Scored(
        windows.code,
        windows.end,
        windows.moment,
        counts.length,
        counts.observed.astype(np.int64),
        rounded(counts.expected),
        rounded(counts.spread),
        score,
        rounded(log_weeks),
    )
