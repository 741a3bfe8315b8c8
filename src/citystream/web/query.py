"""Counting views under filters: from cubes where they answer it, else from the rows; and remembering what was counted.

What is remembered are counts of the sorted rows, by (view, filters, period): the sorted rows do not change until the
tail is merged, so a commit makes nothing of it wrong. The tail is short and is counted anew each time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from citystream.web.columns import Integers
from citystream.web.cubes import Cubes
from citystream.web.engine import Engine, State
from citystream.web.filters import Filters, Period, column_keep
from citystream.web.selection import Booleans, Cancelled, Selection, Unit, counted, counted_in_tail, never

#: Bytes of counts that are remembered.
_MEMORY: Final = 16 << 20

#: Views that are counted as what their column folds to, because the column has too many numbers.
_FOLDED: Final = ("days", "coarse")

Key = tuple[str, Filters]


class Memory:
    """Counts of sorted rows by (view, filters), the least recently asked forgotten first; of one generation only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation = -1
        self._counts: OrderedDict[Key, Integers] = OrderedDict()
        self._bytes = 0

    def get(self, state: State, key: Key) -> Integers | None:
        """What was counted, if it was."""
        with self._lock:
            self._renew(state)
            found = self._counts.get(key)
            if found is not None:
                self._counts.move_to_end(key)
            return found

    def put(self, state: State, key: Key, counts: Integers) -> None:
        """Remember *counts*."""
        with self._lock:
            self._renew(state)
            if key not in self._counts:
                self._counts[key] = counts
                self._bytes += counts.nbytes
            while self._bytes > _MEMORY:
                self._bytes -= self._counts.popitem(last=False)[1].nbytes

    def _renew(self, state: State) -> None:
        """Other sorted rows have other counts."""
        if state.generation != self._generation:
            self._generation, self._bytes = state.generation, 0
            self._counts.clear()


@dataclass(frozen=True, slots=True)
class Query:
    """Questions of one *engine* in one *state* of it, whose lock is held by who asks."""

    engine: Engine
    state: State
    memory: Memory
    cancelled: Cancelled = never

    def views(self, names: Iterable[str], filters: Filters) -> dict[str, Integers]:
        """The events that *filters* leave, by each of the views *names*, in the numbers of their values."""
        units = {name: self.engine.unit(name, self.state.columns) for name in names}
        columns = {self._stored_as(name, unit): self._stored(name, unit) for name, unit in units.items()}
        found = self.columns(columns, filters)
        counts = {name: found[self._stored_as(name, unit)] for name, unit in units.items()}
        return {name: counts[name] if name in _FOLDED else _folded(counts[name], unit) for name, unit in units.items()}

    def prepare(self, wanted: Iterable[tuple[str, Filters]]) -> None:
        """Count views under filters beforehand, all that have equal filters in one pass over the rows."""
        together: dict[Filters, dict[str, Unit]] = {}
        for name, filters in wanted:
            unit = self.engine.unit(name, self.state.columns)
            together.setdefault(filters, {})[self._stored_as(name, unit)] = self._stored(name, unit)
        for filters, units in together.items():
            self._sorted(units, filters)

    def columns(self, units: Mapping[str, Unit], filters: Filters) -> dict[str, Integers]:
        """The events that *filters* leave, by all numbers of columns."""
        found = self._sorted(units, filters)
        tail = counted_in_tail(self.state.columns, filters.selection(self.engine), units)
        return {name: _added(found[name], tail[name]) for name in units}

    def view(self, name: str, filters: Filters) -> Integers:
        """One view by its name."""
        return self.views([name], filters)[name]

    def marks(self, filters: Filters) -> Integers:
        """The events that *filters* leave, by their marks; the sum is how many there are."""
        return self.columns({"marks": self.engine.column_unit("marks")}, filters)["marks"]

    def days(self, filters: Filters) -> Integers:
        """How many events each day has, from the first of `Columns` to the last."""
        return self.view("days", filters)[1:]

    def _stored_as(self, name: str, unit: Unit) -> str:
        """Under which name the counts of a view are remembered and cubed: those of a column serve all its views."""
        if name == "days":
            return f"days.{self.state.columns.first}"
        return "coarse" if name == "coarse" else unit.column

    def _stored(self, name: str, unit: Unit) -> Unit:
        return unit if name in _FOLDED else self.engine.column_unit(unit.column)

    def _sorted(self, views: Mapping[str, Unit], filters: Filters) -> dict[str, Integers]:
        known = {name: self.memory.get(self.state, (name, filters)) for name in views}
        found = {name: counts for name, counts in known.items() if counts is not None}
        missing = {name: unit for name, unit in views.items() if name not in found}
        if missing:
            made = self._made(missing, filters)
            for name, counts in made.items():
                self.memory.put(self.state, (name, filters), counts)
            found |= made
        return found

    def _made(self, views: Mapping[str, Unit], filters: Filters) -> dict[str, Integers]:
        plan = self._plan(filters)
        selection = filters.selection(self.engine)
        if plan is None:
            return counted(self.state.columns, selection, views, self.cancelled)
        cubed = {name: unit for name, unit in views.items() if plan.has(name, filters.period)}
        left = {name: unit for name, unit in views.items() if name not in cubed}
        made = counted(self.state.columns, selection, left, self.cancelled) if left else {}
        return made | self._cubed(plan, cubed, selection, filters.period)

    def _cubed(
        self, plan: Plan, views: Mapping[str, Unit], selection: Selection, period: Period | None
    ) -> dict[str, Integers]:
        """From cubes; what a period has beside whole years is counted from the rows."""
        first = self.state.columns.first
        sums = {name: _filled(plan.counts(name, period, first), unit.size) for name, unit in views.items()}
        for sign, days in plan.edges(period):
            if not sums:
                break
            part = counted(self.state.columns, replace(selection, days=days), views, self.cancelled)
            for name, counts in part.items():
                sums[name] += sign * counts
        return sums

    def _plan(self, filters: Filters) -> Plan | None:
        """How cubes answer *filters*: by none, by districts, or by one other column."""
        cubes = self.state.cubes
        if cubes is None or filters.spans or filters.boxes:
            return None
        keeps = [column_keep(self.engine, pick) for pick in filters.picks]
        columns = {column for column, _ in keeps}
        if not columns:
            return Plan(cubes, "", None)
        if len(columns) > 1:
            return None
        (column,) = columns
        if column in cubes.filters:
            return Plan(cubes, column, np.logical_and.reduce([keep for _, keep in keeps]))
        if len(filters.picks) == 1 and (name := filters.picks[0].dimension) in cubes.filters:
            # there may be more numbers by now than the cube has, and they are counted in the tail
            return Plan(cubes, name, filters.picks[0].keep(self.engine.unit(name, self.state.columns).size))
        return None


@dataclass(frozen=True, slots=True)
class Plan:
    """The cubes of the filter *chosen*, of which the numbers *keep* are meant."""

    cubes: Cubes
    chosen: str
    keep: Booleans | None

    def has(self, view: str, period: Period | None) -> bool:
        """Whether cubes answer *view* cheaper than the rows."""
        if view.startswith("days."):
            return period is None and self.chosen in self.cubes.days
        if (self.chosen, view) not in self.cubes.views:
            return False
        if period is None:
            return True
        edges = sum(high - low + 1 for _, (low, high) in self.edges(period))
        return edges < period[1] - period[0] + 1

    def counts(self, view: str, period: Period | None, first: int) -> Integers:
        """The part of whole years; of days the first one is *first*."""
        if view.startswith("days."):
            before = np.zeros(1 + max(self.cubes.first - first, 0), np.int64)
            return np.concatenate((before, self.cubes.by_day(self.chosen, self.keep))) if self.cubes.first else before
        start, stop = self._stretches(period)
        return self.cubes.between(self.chosen, self.keep, view, start, stop)

    def edges(self, period: Period | None) -> Iterator[tuple[int, Period]]:
        """The days that whole years lack of *period* (1), or have too much (-1)."""
        if period is None:
            return
        start, stop = (int(self.cubes.years[stretch]) for stretch in self._stretches(period))
        first, last = period[0], min(period[1], 65_535)
        if first != start:
            yield (1, (first, start - 1)) if first < start else (-1, (start, first - 1))
        if last + 1 != stop:
            yield (1, (stop, last)) if last + 1 > stop else (-1, (last + 1, stop - 1))

    def _stretches(self, period: Period | None) -> tuple[int, int]:
        """From which stretch to before which; the one without dates is in no period."""
        last = len(self.cubes.years) - 1
        if period is None:
            return 0, last
        return max(self.cubes.stretch(period[0]), 1), max(self.cubes.stretch(min(period[1] + 1, 65_536)), 1)


def _filled(counts: Integers, size: int) -> Integers:
    """*counts* with zeros for numbers that were given since."""
    sums = np.zeros(size, np.int64)
    sums[: len(counts)] = counts
    return sums


def _added(counts: Integers, more: Integers) -> Integers:
    """Both together; one may have numbers that were given later."""
    size = max(len(counts), len(more))
    return _filled(counts, size) + _filled(more, size)


def _folded(counts: Integers, unit: Unit) -> Integers:
    """Counts of a column's numbers as counts of what they fold to."""
    if unit.fold is None:
        return counts
    return np.bincount(unit.fold[: len(counts)], weights=counts, minlength=unit.size).astype(np.int64)
