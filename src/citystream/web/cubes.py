"""Counts made beforehand: for one filter at a time, each view by year, summed up from the beginning.

A cube has, for each number of a filter's column and each of a view's, how many sorted rows came before each year. Any
choice of values over any years is then a difference of two rows of numbers; what is left of a period at its two ends is
counted from the rows. A second sort has the days: for each number of a filter's column, how many rows each day has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from citystream.web.columns import Columns, Integers
from citystream.web.selection import Booleans, Unit

#: Bytes that all cubes together may have.
ROOM: Final = 128 << 20
#: Views with more numbers than this are counted from the rows.
_MOST: Final = 2_048

Counts = npt.NDArray[np.int32]


@dataclass
class Cubes:
    """*years*: the day number with which each stretch begins, the first being 0 (no date), the last behind all.

    *views*: by filter and view, int32 of shape (stretches + 1, filter, view). *days*: by filter, int32 of shape
    (filter, day from *first* on); a column that is a filter here is named, '' is no filter at all.
    """

    years: Integers
    filters: Mapping[str, Unit]
    views: dict[tuple[str, str], Counts]
    days: dict[str, Counts]
    first: int

    def stretch(self, day: int) -> int:
        """The number of the year's beginning that is nearest to *day*."""
        return int(np.argmin(np.abs(self.years - day)))

    def between(self, chosen: str, keep: Booleans | None, view: str, start: int, stop: int) -> Integers:
        """Counts of *view* from stretch *start* to before *stop*, of the numbers *keep* of the filter *chosen*."""
        cube = self.views[chosen, view]
        difference = cube[stop] - cube[start]
        return _kept(difference, keep)

    def by_day(self, chosen: str, keep: Booleans | None) -> Integers:
        """Counts of each day from `first` on."""
        return _kept(self.days[chosen], keep)

    def add(self, columns: Columns, filters: Mapping[str, Unit], units: Mapping[str, Unit]) -> None:
        """Count the tail of *columns* too, in place; *filters* and *units* as of `build`, with what was given since."""
        self.filters = {name: filters[name] for name in self.filters}
        self._widen(columns, units)
        rows, weight = columns.tail, columns.weight.astype(np.int32)
        stretches = np.searchsorted(self.years, rows["day"], "right")
        place = rows["day"].astype(np.int64) - self.first
        for f, unit in self.filters.items():
            picked = unit.codes(rows, slice(None))
            dated = (rows["day"] > 0) & (place >= 0) & (place < self.days[f].shape[1])
            np.add.at(self.days[f], (picked[dated], place[dated]), weight[dated])
            for (chosen, view), cube in self.views.items():
                if chosen == f:
                    _add_from(cube, stretches, picked, units[view].codes(rows, slice(None)), weight)

    def _widen(self, columns: Columns, units: Mapping[str, Unit]) -> None:
        """Room for numbers and days that were given since."""
        for key in self.views:
            self.views[key] = _padded(self.views[key], (0, self.filters[key[0]].size, units[key[1]].size))
        earlier = max(self.first - columns.first, 0) if self.first else 0
        first = columns.first if earlier or not self.first else self.first
        span = columns.last - first + 1 if columns.last else 1
        for name, unit in self.filters.items():
            moved = np.pad(self.days[name], ((0, 0), (earlier, 0))) if earlier else self.days[name]
            self.days[name] = _padded(moved, (unit.size, span))
        self.first = first

    @property
    def bytes(self) -> int:
        """How much memory they take."""
        return sum(each.nbytes for each in (*self.views.values(), *self.days.values()))


def build(columns: Columns, filters: Mapping[str, Unit], units: Mapping[str, Unit], epoch: int) -> Cubes:
    """Cubes of the sorted rows of *columns* for as many *filters*, in their order, as there is room for.

    *epoch*: the day, counted from 1970, of the day number 1.
    """
    years = _years(columns, epoch)
    small = {name: unit for name, unit in units.items() if unit.size <= _MOST}
    span = max(columns.last - columns.first + 1, 1)
    chosen = _fitting(filters, small, len(years), span)
    views = {(f, v): np.zeros((len(years), chosen[f].size, small[v].size), np.int32) for f in chosen for v in small}
    days = {f: np.zeros((unit.size, span), np.int32) for f, unit in chosen.items()}
    for stretch in range(len(years) - 1):
        for piece in columns.pieces(None, (int(years[stretch]), int(years[stretch + 1]) - 1)):
            seen = {name: unit.codes(columns.base, piece).astype(np.int32) for name, unit in small.items()}
            place = columns.base["day"][piece].astype(np.int32) - columns.first
            within = None if stretch and int(place.max(initial=0)) < span else (place >= 0) & (place < span)
            for f, unit in chosen.items():
                picked = unit.codes(columns.base, piece).astype(np.int32)
                for v, codes in seen.items():
                    views[f, v][stretch + 1] += _pairs(picked, codes, unit.size, small[v].size)
                if columns.last:
                    _add_days(days[f], picked, place, within)
    for cube in views.values():
        np.cumsum(cube, axis=0, out=cube)
    return Cubes(years, chosen, views, days, columns.first)


def _years(columns: Columns, epoch: int) -> Integers:
    """Where stretches begin: all that has no date, then each year, then what is behind all."""
    start = date(1970, 1, 1).toordinal() + epoch - 1
    first, last = date.fromordinal(start + max(columns.first, 1)), date.fromordinal(start + max(columns.last, 1))
    begins = [date(year, 1, 1).toordinal() - start for year in range(first.year + 1, last.year + 1)]
    return np.array([0, 1, *begins, 65_536])


def _fitting(filters: Mapping[str, Unit], units: Mapping[str, Unit], stretches: int, span: int) -> dict[str, Unit]:
    """Those of *filters* for which there is room."""
    each, left, found = sum(unit.size for unit in units.values()), ROOM, {}
    for name, unit in filters.items():
        needed = 4 * unit.size * (stretches * each + span)
        if needed <= left:
            left -= needed
            found[name] = unit
    return found


def _padded(counts: Counts, shape: tuple[int, ...]) -> Counts:
    """*counts* with zeros up to at least *shape*."""
    more = [(0, max(least - size, 0)) for size, least in zip(counts.shape, shape, strict=True)]
    return np.pad(counts, more) if any(after for _, after in more) else counts


def _add_from(cube: Counts, stretches: Integers, picked: Counts, codes: Counts, weight: Counts) -> None:
    """Add rows to what came before every later year."""
    for stretch in np.unique(stretches).tolist():
        mine = stretches == stretch
        added = np.zeros(cube.shape[1:], np.int32)
        np.add.at(added, (picked[mine], codes[mine]), weight[mine])
        cube[stretch:] += added


def _pairs(picked: Counts, codes: Counts, rows: int, width: int) -> Counts:
    """How often each pair occurs."""
    if rows == 1:
        return np.bincount(codes, minlength=width).astype(np.int32).reshape(1, width)
    return np.bincount(picked * np.int32(width) + codes, minlength=rows * width).astype(np.int32).reshape(rows, width)


def _add_days(days: Counts, picked: Counts, place: Counts, within: Booleans | None) -> None:
    """Only the stretch of days that the rows lie in is touched."""
    if within is not None:
        picked, place = picked[within], place[within]
    if not len(place):
        return
    low = int(place.min())
    width = int(place.max()) - low + 1
    days[:, low : low + width] += _pairs(picked, place - np.int32(low), days.shape[0], width)


def _kept(counts: Counts, keep: Booleans | None) -> Integers:
    """The sum over the numbers of a filter that are meant."""
    size = counts.shape[0]
    if keep is None or bool(keep[:size].all()):
        return _sum(counts)
    chosen = np.flatnonzero(keep[:size])
    return _sum(counts[chosen]) if len(chosen) * 2 <= size else _sum(counts) - _sum(counts[~keep[:size]])


def _sum(counts: Counts) -> Integers:
    """Over the numbers of a filter."""
    sums: Integers = np.sum(counts, axis=0, dtype=np.int64)
    return sums
