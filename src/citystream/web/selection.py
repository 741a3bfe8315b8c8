"""Which events are meant, in numbers: what filters come down to, and counting what they leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from citystream.errors import CitystreamError
from citystream.web.coding import NOWHERE, Rows
from citystream.web.columns import Columns, Integers
from citystream.web.words import Codes

Booleans = npt.NDArray[np.bool_]
Piece = slice | npt.NDArray[Any]
#: Whether a newer question made this one idle.
Cancelled = Callable[[], bool]


class Superseded(CitystreamError):
    """A newer question of the same page came."""


def never() -> bool:
    """Nothing makes it idle."""
    return False


@dataclass(frozen=True)
class Box:
    """Positions from *west*, *south* to *east*, *north*, all included, in millionths of a degree."""

    west: int
    south: int
    east: int
    north: int

    def holds(self, rows: Rows, piece: Piece) -> Booleans:
        """Which of some rows lie in it; what has no position does not."""
        lon, lat = rows["lon"][piece], rows["lat"][piece]
        inside: Booleans = (lon >= self.west) & (lon <= self.east) & (lat >= self.south) & (lat <= self.north)
        inside &= lat != NOWHERE
        return inside


@dataclass(frozen=True)
class Span:
    """Values of the number column *column* from *low* to *high*, both included, each open if None."""

    column: str
    low: float | None
    high: float | None

    def holds(self, rows: Rows, piece: Piece) -> Booleans:
        """Which of some rows have such a value; what has none does not."""
        values = rows[self.column][piece]
        inside: Booleans = ~np.isnan(values)
        if self.low is not None:
            inside &= values >= self.low
        if self.high is not None:
            inside &= values <= self.high
        return inside


@dataclass(frozen=True)
class Selection:
    """*keep*: by column, which of its numbers are meant; *days* from one number to another; *boxes* and *spans*."""

    keep: Mapping[str, Booleans] = field(default_factory=dict)
    days: tuple[int, int] | None = None
    boxes: tuple[Box, ...] = ()
    spans: tuple[Span, ...] = ()

    @cached_property
    def districts(self) -> Booleans | None:
        """Which districts, None for all."""
        return self.keep.get("district")

    @property
    def masked(self) -> dict[str, Booleans]:
        """What the order of the rows does not already answer."""
        return {column: keep for column, keep in self.keep.items() if column != "district"}

    def of(self, rows: Rows, piece: Piece) -> Piece:
        """The rows of *piece* that are meant, as far as the order does not answer it."""
        found: Booleans | None = None
        for column, keep in self.masked.items():
            found = _both(found, keep.take(rows[column][piece], mode="clip"))
        tests: tuple[Box | Span, ...] = (*self.boxes, *self.spans)
        for test in tests:
            found = _both(found, test.holds(rows, piece))
        return piece if found is None else _numbers(piece, found)

    def of_unsorted(self, rows: Rows) -> Codes:
        """The rows that are meant where they have no order."""
        day = rows["day"]
        found = np.ones(len(day), bool) if self.days is None else (day >= self.days[0]) & (day <= self.days[1])
        if self.districts is not None:
            found &= self.districts.take(rows["district"], mode="clip")
        numbers: Codes = np.flatnonzero(found)
        left = self.of(rows, numbers)
        return numbers if isinstance(left, slice) else left


def sorted_pieces(columns: Columns, selection: Selection, cancelled: Cancelled = never) -> Iterator[Piece]:
    """The sorted rows that are meant, some at a time. Raises `Superseded`."""
    for piece in columns.pieces(selection.districts, selection.days):
        if cancelled():
            raise Superseded("a newer request came", "drop this answer")
        yield selection.of(columns.base, piece)


@dataclass(frozen=True)
class Unit:
    """What is counted: *column*, or what *fold* makes of its numbers; *size* is how many there are."""

    column: str
    size: int
    fold: Codes | None = None

    def codes(self, rows: Rows, piece: Piece) -> Codes:
        """The numbers of some rows."""
        codes: Codes = rows[self.column][piece]
        return codes if self.fold is None else self.fold.take(codes, mode="clip")


#: One number for everything.
ALL: Final = Unit("district", 1, np.zeros(65_536, np.uint16))


@dataclass(frozen=True)
class Paired(Unit):
    """Pairs of the stretch of days that *fold* puts a row's day in, and its number in *beside*, as one number."""

    beside: Unit = ALL

    @classmethod
    def of(cls, places: Codes, stretches: int, beside: Unit) -> Paired:
        """*places*: from the number of a day to one of *stretches*; the pairs of the first stretch come first."""
        return cls("day", stretches * beside.size, places, beside)

    def codes(self, rows: Rows, piece: Piece) -> Codes:
        """Which pair each row is."""
        stretch = super().codes(rows, piece).astype(np.int64)
        return stretch * self.beside.size + self.beside.codes(rows, piece)


def counted(
    columns: Columns, selection: Selection, units: Mapping[str, Unit], cancelled: Cancelled = never
) -> dict[str, Integers]:
    """Counts of the sorted rows that are meant, by each of *units*."""
    sums = {name: np.zeros(unit.size, np.int64) for name, unit in units.items()}
    for piece in sorted_pieces(columns, selection, cancelled):
        for name, unit in units.items():
            sums[name] += np.bincount(unit.codes(columns.base, piece), minlength=unit.size)
    return sums


def counted_in_tail(columns: Columns, selection: Selection, units: Mapping[str, Unit]) -> dict[str, Integers]:
    """What the tail adds to the counts, or takes away."""
    if not len(columns.weight):
        return {name: np.zeros(unit.size, np.int64) for name, unit in units.items()}
    rows = selection.of_unsorted(columns.tail)
    weight = columns.weight[rows]
    return {
        name: np.bincount(unit.codes(columns.tail, rows), weights=weight, minlength=unit.size).astype(np.int64)
        for name, unit in units.items()
    }


def summed(columns: Columns, selection: Selection, column: str, cancelled: Cancelled = never) -> tuple[float, int, int]:
    """Of a number column: the sum, how many have a value, and of how many it is 0."""
    total, known, zero = 0.0, 0, 0
    for piece in sorted_pieces(columns, selection, cancelled):
        values = columns.base[column][piece]
        total += float(np.nansum(values))
        known += int(np.count_nonzero(~np.isnan(values)))
        zero += int(np.count_nonzero(values == 0))
    rows = selection.of_unsorted(columns.tail)
    values, weight = columns.tail[column][rows], columns.weight[rows]
    total += float(np.nansum(values * weight))
    return total, known + int(weight[~np.isnan(values)].sum()), zero + int(weight[values == 0].sum())


def values_of(columns: Columns, selection: Selection, names: Sequence[str], cancelled: Cancelled = never) -> Rows:
    """The columns *names* of all events that are meant, in no order."""
    parts = [
        {name: columns.base[name][piece] for name in (*names, "off")}
        for piece in sorted_pieces(columns, selection, cancelled)
    ]
    ended = columns.tail["off"][columns.weight < 0]
    tail = selection.of_unsorted(columns.tail)
    parts.append({name: columns.tail[name][tail[columns.weight[tail] > 0]] for name in (*names, "off")})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in (*names, "off")}
    standing = ~np.isin(joined["off"], ended) if len(ended) else slice(None)
    return {name: column[standing] for name, column in joined.items()}


def _both(before: Booleans | None, more: Booleans) -> Booleans:
    return more if before is None else before & more


def _numbers(piece: Piece, found: Booleans) -> Codes:
    numbers: Codes = np.flatnonzero(found)
    if isinstance(piece, slice):
        return numbers + (piece.start or 0)
    return piece[numbers]
