"""How many records each window was expected to hold when it was looked at.

Of each of its panes, what is usual and what share of that is usually in::

    m = sum_{j=0..length-1} mu[end-1-j] * F_k(j + age)

mu of a day is fixed at its local midnight, by what was learnt until then, and kept for as long as windows are judged
again. F is completeness at the moment of the look. Windows below a day expect only records with a time of day.
The sums are made in one order everywhere, so that a window judged alone has the bits of one judged with its day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from citystream.detect.arrays import Floats, State
from citystream.detect.baseline import BLOCK, HALF_HOURS, DayRates
from citystream.detect.delay import Completeness
from citystream.detect.local_days import LocalDays
from citystream.detect.rows import DAY_LENGTH
from citystream.detect.tail import LENGTHS
from citystream.ports import Integers

_SHORT = LENGTHS[-2]


class RateHistory:
    """The rates of the last days, by local day."""

    def __init__(self, days: LocalDays) -> None:
        self._days = days
        self._rates: dict[int, DayRates] = {}
        self._stack: tuple[Integers, dict[str, Floats]] | None = None
        self._panes: dict[int, Floats] = {}

    def put(self, day: int, rates: DayRates) -> None:
        """The rates of *day*, in single precision: they are kept for long."""
        self._rates[day] = rates.rounded()
        self._stack = None
        self._panes.pop(day, None)
        for old in [each for each in self._panes if each < day - 4]:
            del self._panes[old]

    @property
    def known(self) -> list[int]:
        """The days, in order."""
        return sorted(self._rates)

    def of(self, day: int) -> DayRates:
        """The rates of *day*."""
        return self._rates[day]

    def drop_before(self, day: int) -> None:
        """Forget the days before *day*."""
        if any(each < day for each in self._rates):
            self._rates = {each: rates for each, rates in self._rates.items() if each >= day}
            self._stack = None

    def grow(self, new: DayRates) -> None:
        """All days get the cells of *new* that they lack."""
        new = new.rounded()
        self._replace({day: rates.grown(new) for day, rates in self._rates.items()})

    def back_to(self, day: int, shape: tuple[int, int]) -> None:
        """As it was on *day*, when there were cells of *shape*: later days are forgotten."""
        self._replace({each: rates.cut(*shape) for each, rates in self._rates.items() if each <= day})

    def _replace(self, rates: dict[int, DayRates]) -> None:
        self._rates = rates
        self._stack = None
        self._panes.clear()

    def panes(self, first: int, after: int, cells: Integers | None = None) -> tuple[Floats, Floats]:
        """Mu of slots [first, after): of all records, and of those with a time; (slots, cells), those of *cells*
        (district * types + type) if they are named, else of all.

        Days that are not known have none.
        """
        everything, timed = [], []
        slot = first
        while slot < after:
            day = self._days.of(slot)
            start, end = self._days.bounds(day)
            part = self._of_day(day)[slot - start : min(end, after) - start]
            part = part if cells is None else part[:, cells]
            everything.append(part)
            timed.append(part * self._timed(day, cells) if day in self._rates else part)
            slot = end
        return np.concatenate(everything), np.concatenate(timed)

    def at(self, districts: Integers, types: Integers, slots: Integers) -> tuple[Floats, Floats]:
        """The same in single cells: *slots* is (windows, depth), the others (windows)."""
        day, half_hour = self._days.places(slots)
        known, stack = self._stacked()
        place = np.searchsorted(known, day)
        there = (place < len(known)) & (known[np.minimum(place, len(known) - 1)] == day)
        place = np.where(there, place, 0)
        d, k = districts[:, None], types[:, None]
        shape = stack["week"][place, k, half_hour] * stack["block"][place, d, k, half_hour // BLOCK]
        mu = shape * (stack["level"][place, d, k] * stack["city"][place, k] / HALF_HOURS)
        mu = np.where(half_hour == 0, mu * stack["heap"][place, k], mu) * there
        return mu, mu * (1 - stack["untimed"][place, k])

    def state(self) -> State:
        """As arrays."""
        known, stack = self._stacked()
        made: State = {name: array.astype(np.float32) for name, array in stack.items()}
        made["days"] = known
        return made

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        days = np.array(state["days"], np.int64)
        self._replace(
            {
                day: DayRates(*(np.array(state[name][place], np.float64) for name in DayRates.__slots__))
                for place, day in enumerate(days.tolist())
            }
        )

    def _of_day(self, day: int) -> Floats:
        if day not in self._rates:
            first, after = self._days.bounds(day)
            return np.zeros((after - first, next(iter(self._rates.values())).level.size))
        if day not in self._panes:
            made = self._rates[day].panes(self._days.day(day).half_hours)
            self._panes[day] = made.reshape(len(made), -1)
        return self._panes[day]

    def _timed(self, day: int, cells: Integers | None) -> Floats:
        """The share of the records of cells that have a time of day."""
        districts, types = self._rates[day].level.shape
        share = 1 - self._rates[day].untimed
        return np.tile(share, districts) if cells is None else share[cells % types]

    def _stacked(self) -> tuple[Integers, dict[str, Floats]]:
        if self._stack is None:
            order = sorted(self._rates)
            names = DayRates.__slots__ if order else ()
            parts = {name: np.stack([getattr(self._rates[day], name) for day in order]) for name in names}
            self._stack = np.array(order, np.int64), parts
        return self._stack


def expected_of_day(
    history: RateHistory, ends: tuple[int, int], age: int, complete: Completeness, cells: Integers | None = None
) -> list[Floats]:
    """M of all windows that end at one of *ends* (first, last) when looked at *age* later; for each of `LENGTHS` an
    array (ends, cells): those of *cells* if they are named, else of all.
    """
    first, last = ends
    everything, timed = history.panes(first - DAY_LENGTH, last, cells)
    share = Shares(complete, everything.shape[1], cells)
    moments = last - first + 1
    made: list[Floats] = []
    sums = [np.zeros((moments, everything.shape[1])) for _ in range(2)]
    for depth in range(DAY_LENGTH):
        begin, usual = DAY_LENGTH - 1 - depth, share.at(depth + age)
        for mu, total in zip((timed, everything), sums, strict=True):
            if mu is everything or depth < _SHORT:
                part = mu[begin : begin + moments]
                np.add(total, part if usual is None else part * usual, out=total)
        if depth + 1 in LENGTHS:
            made.append((sums[1] if depth + 1 == DAY_LENGTH else sums[0]).copy())
    return made


def expected_apart(
    history: RateHistory, ends: Sequence[Integers], age: int, complete: Completeness
) -> Iterator[Floats]:
    """M of the windows that end at *ends*, of each of `LENGTHS` some, looked at *age* later; of all cells, shape (ends,
    cells) each.
    """
    every = np.concatenate(ends)
    first = int(every.min()) - DAY_LENGTH
    everything, timed = history.panes(first, int(every.max()))
    share = Shares(complete, everything.shape[1], None)
    for length, some in zip(LENGTHS, ends, strict=True):
        mu = everything if length == DAY_LENGTH else timed
        total = np.zeros((len(some), mu.shape[1]))
        for depth in range(length if len(some) else 0):
            part, usual = mu[some - 1 - depth - first], share.at(depth + age)
            np.add(total, part if usual is None else part * usual, out=total)
        yield total


class Shares:
    """How complete counts of cells are after so long: of *cells* (district * types + type), or of all there are."""

    def __init__(self, complete: Completeness, count: int, cells: Integers | None) -> None:
        self._complete = complete
        self._kinds = (np.arange(count) if cells is None else cells) % len(complete.by_slot)

    def at(self, slots: int) -> Floats | None:
        """F of each cell after *slots*, None where everything is in: what is multiplied by 1 stays what it is."""
        by_slot = self._complete.by_slot
        slot = min(slots, by_slot.shape[1] - 1)
        return None if self._complete.everything_in[slot] else by_slot[self._kinds, slot]


def expected_in(
    history: RateHistory, cells: tuple[Integers, Integers], ends: Integers, moments: Integers, complete: Completeness
) -> tuple[Floats, Floats]:
    """M of single windows of cells (districts, types) that end before *ends*, looked at before *moments*, and what
    they will hold when all is in; shape (windows, lengths) each.
    """
    depth = np.arange(DAY_LENGTH)
    slots = ends[:, None] - 1 - depth
    everything, timed = history.at(*cells, slots)
    share = complete.of(cells[1][:, None], moments[:, None] - 1 - slots)
    places = np.array(LENGTHS) - 1

    def by_length(factor: Floats | float) -> Floats:
        short = np.cumsum(timed * factor, axis=1)[:, places[:-1]]
        return np.concatenate([short, np.cumsum(everything * factor, axis=1)[:, places[-1:]]], axis=1)

    return by_length(share), by_length(1.0)
