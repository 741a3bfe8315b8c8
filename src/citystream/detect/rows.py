"""The current records of the last weeks as sparse rows, and how many of them each window held at each moment.

A row is (slot in which it occurred, cell code, slot in which it was first seen, how it came, count). A window that
ends before slot e and is looked at before slot c counts the rows with e - length <= slot < e and seen < c. Windows
below a day leave out rows without a time of day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from citystream.detect.arrays import Floats, State, inserted
from citystream.detect.parallel import Whole
from citystream.detect.tail import LENGTHS
from citystream.ports import Booleans, Integers

DAY_LENGTH = LENGTHS[-1]
_DISTRICT_SHIFT = 18


def cell_codes(districts: Integers, types: Integers, timed: Booleans) -> Integers:
    """One number for a cell and whether the time of day is known."""
    return districts << _DISTRICT_SHIFT | types << 1 | timed


def district_of(codes: Integers) -> Integers:
    """The district code."""
    return codes >> _DISTRICT_SHIFT


def type_of(codes: Integers) -> Integers:
    """The type code."""
    return codes >> 1 & ((1 << (_DISTRICT_SHIFT - 1)) - 1)


def is_timed(codes: Integers) -> Booleans:
    """Whether the time of day is known."""
    return np.asarray(codes & 1 == 1)


@dataclass(frozen=True, slots=True)
class Rows(Whole):
    """Rows as parallel arrays."""

    slot: Integers
    code: Integers
    seen: Integers
    origin: Integers
    count: Integers

    def merged(self, other: Rows) -> Rows:
        """Both, sorted by (slot, code, seen, origin), equal ones added up; what is taken away is left out."""
        pairs = zip(self.columns, other.columns, strict=True)
        *names, count = (np.concatenate(pair) for pair in pairs)
        order = np.lexsort((names[3], names[2], names[1], names[0]))
        first = np.ones(len(order), bool)
        first[1:] = np.any([np.diff(name[order]) != 0 for name in names], axis=0)
        at = np.flatnonzero(first)
        total = np.add.reduceat(count[order], at) if len(at) else count
        held = order[at][total > 0]
        return replace(Rows(*(column[held] for column in (*names, count))), count=total[total > 0])

    def inserted(self, other: Rows) -> Rows:
        """Both, sorted by slot; the cheap way for few rows."""
        if not len(other):
            return self
        order = np.argsort(other.slot, kind="stable")
        at = np.searchsorted(self.slot, other.slot[order], side="right")
        pairs = zip(self.columns, other.columns, strict=True)
        return Rows(*(inserted(mine, at, theirs[order]) for mine, theirs in pairs))

    def since(self, slot: int) -> Rows:
        """Those that occurred in *slot* or later, of rows sorted by slot."""
        return self.take(slice(int(np.searchsorted(self.slot, slot)), None))

    def before(self, slot: int) -> Rows:
        """Those that occurred before *slot*, of rows sorted by slot."""
        return self.take(slice(0, int(np.searchsorted(self.slot, slot))))

    def between(self, low: int, high: int) -> Rows:
        """Those that occurred in slots [low, high), of rows sorted by slot."""
        first, after = np.searchsorted(self.slot, [low, high])
        return self.take(slice(int(first), int(after)))

    def state(self) -> State:
        """As small arrays."""
        return {
            "slot": self.slot.astype(np.int32),
            "code": self.code.astype(np.int32),
            "seen": self.seen.astype(np.int32),
            "origin": self.origin.astype(np.int8),
            "count": self.count.astype(np.int32),
        }


def near_of(rows: Rows, first: int, last: int, age: int) -> Rows:
    """Those that a window can hold that is looked at before one of the slots *first* to *last* at *age*."""
    return rows.between(first - age - DAY_LENGTH, last - age)


def cells_with(near: Rows, types: int, least: int) -> Integers:
    """The cells (district * *types* + type) of at least so many of *near*, in order."""
    cell = district_of(near.code) * types + type_of(near.code)
    return np.flatnonzero(np.bincount(cell, near.count) >= least)


def counted(
    rows: Rows, first: int, last: int, age: int, shape: tuple[int, int], *, cells: Integers | None = None
) -> list[Floats]:
    """Records in all windows that are looked at before the slots *first* to *last* at *age*: for each of `LENGTHS` an
    array (slots, *cells*), which are all of *shape* if none are named.
    """
    near = near_of(rows, first, last, age)
    cell = district_of(near.code) * shape[1] + type_of(near.code)
    if cells is None:
        return _counted(near, cell, (first, last, age), shape[0] * shape[1])
    place = np.full(shape[0] * shape[1], -1)
    place[cells] = np.arange(len(cells))
    there = place[cell] >= 0
    return _counted(near.take(there), place[cell[there]], (first, last, age), len(cells))


def counted_apart(rows: Rows, ends: Integers, place: int, age: int, shape: tuple[int, int]) -> Floats:
    """Records in windows of the length at *place* of `LENGTHS` that do not overlap: they end before *ends*, which are
    multiples of it in order, and are looked at *age* later; shape (ends, cells of *shape*).
    """
    length, cells = LENGTHS[place], shape[0] * shape[1]
    near = rows.between(int(ends[0]) - length, int(ends[-1]))
    end = (near.slot // length + 1) * length
    at = np.searchsorted(ends, end)
    held = (ends[at] == end) & (near.seen < end + age)
    if length < DAY_LENGTH:
        held &= is_timed(near.code)
    cell = district_of(near.code) * shape[1] + type_of(near.code)
    counts = np.bincount((at * cells + cell)[held], near.count[held], minlength=len(ends) * cells)
    return np.asarray(counts.reshape(len(ends), cells), np.float64)


def _counted(near: Rows, cell: Integers, looked: tuple[int, int, int], cells: int) -> list[Floats]:
    """`counted` of *near* in columns *cell*, *looked* at before slots from a first to a last one at an age."""
    first, last, age = looked
    moments = last - first + 1
    start = np.maximum(np.maximum(near.slot + 1 + age, near.seen + 1), first)
    timed = is_timed(near.code)
    made: list[Floats] = []
    for length in LENGTHS:
        stop = np.minimum(near.slot + length + age, last) + 1
        held = (start < stop) & timed if length < DAY_LENGTH else start < stop
        ends = held & (stop <= last)
        places = [(start[held] - first) * cells + cell[held], (stop[ends] - first) * cells + cell[ends]]
        signed = np.concatenate([near.count[held], -near.count[ends]])
        steps = np.bincount(np.concatenate(places), signed, minlength=moments * cells)
        made.append(np.cumsum(steps.reshape(moments, cells), axis=0, dtype=np.float64))
    return made


def of_cells(rows: Rows, codes: Integers) -> Rows:
    """Those of the cells of *codes*, timed or not."""
    wanted = np.zeros(max(int(codes.max(initial=0)), int(rows.code.max(initial=0))) // 2 + 1, bool)
    wanted[codes >> 1] = True
    return rows.take(wanted[rows.code >> 1])


def counted_in(rows: Rows, codes: Integers, ends: Integers, moments: Integers) -> Floats:
    """Records in single windows: of cell *codes* (timed), ending before *ends*, looked at before *moments*; shape
    (windows, lengths).
    """
    if not len(codes):
        return np.zeros((0, len(LENGTHS)))
    near = of_cells(rows.between(int(ends.min()) - DAY_LENGTH, int(ends.max())), codes)
    near = near.take(np.lexsort((near.slot, near.code | 1)))
    key = ((near.code | 1) << 32) + near.slot
    low = np.searchsorted(key, (codes << 32) + ends - DAY_LENGTH)
    times = np.searchsorted(key, (codes << 32) + ends) - low
    window = np.repeat(np.arange(len(codes)), times)
    within = np.arange(len(window)) - np.repeat(np.cumsum(times) - times, times)
    at = np.repeat(low, times) + within
    seen = near.seen[at] < moments[window]
    window, at = window[seen], at[seen]
    depth, timed = ends[window] - near.slot[at], is_timed(near.code[at])
    made = np.zeros((len(codes), len(LENGTHS)))
    for place, length in enumerate(LENGTHS):
        held = (depth <= length) & timed if length < DAY_LENGTH else depth <= length
        made[:, place] = np.bincount(window[held], near.count[at[held]], minlength=len(codes))
    return made
