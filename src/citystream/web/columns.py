"""The current events of one dataset in memory: narrow columns in the order (district, day), and a tail of changes.

The sorted part never changes in place. What a commit brings goes to the tail: a row that began counts once, a row that
ended counts minus once, so counts of both parts add up to what stands. Now and then the tail is merged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.store.narrow import NarrowEvents
from citystream.web.coding import Coder, Rows, joined
from citystream.web.words import Codes

Integers = npt.NDArray[np.int64]
#: Rows that are looked at together: what fits into a processor's cache.
CHUNK: Final = 131_072


@dataclass(frozen=True, slots=True)
class Columns:
    """*base*: sorted rows; *starts*: where each district's begin; *tail* with *weight* 1 or -1: changes since.

    They are the events before log offset *position*. *first* and *last*: the least and greatest number of a day,
    without dates that lie in the future; 0 if there is none.
    """

    base: Rows
    starts: Integers
    tail: Rows
    weight: npt.NDArray[np.int8]
    position: int
    first: int
    last: int

    @property
    def total(self) -> int:
        """How many events there are."""
        return len(self.base["off"]) + int(self.weight.sum())

    def pieces(self, districts: npt.NDArray[np.bool_] | None, days: tuple[int, int] | None) -> Iterator[Codes | slice]:
        """The sorted rows of some districts (all, if None) and of days from one number to another, both included, a
        chunk at a time: as slices where they are long, else as row numbers.
        """
        small: list[tuple[int, int]] = []
        for start, stop in self._runs(districts, days):
            if stop - start >= CHUNK // 4:
                yield from (slice(at, min(at + CHUNK, stop)) for at in range(start, stop, CHUNK))
            else:
                small.append((start, stop))
        yield from _gathered(small)

    def _runs(self, districts: npt.NDArray[np.bool_] | None, days: tuple[int, int] | None) -> Iterator[tuple[int, int]]:
        """Neighbouring districts are one run, where there is no period."""
        wanted = np.ones(len(self.starts) - 1, bool) if districts is None else districts[: len(self.starts) - 1]
        if days is None:
            edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(np.int8)))
            yield from zip(self.starts[edges[::2]].tolist(), self.starts[edges[1::2]].tolist(), strict=True)
            return
        # days of another type than the column's would have it copied for each search
        day = self.base["day"]
        first, last = (day.dtype.type(each) for each in days)
        for district in np.flatnonzero(wanted).tolist():
            start, stop = int(self.starts[district]), int(self.starts[district + 1])
            low = start + int(day[start:stop].searchsorted(first, "left"))
            high = start + int(day[start:stop].searchsorted(last, "right"))
            if low < high:
                yield low, high


@dataclass(frozen=True, slots=True)
class Unsorted:
    """All current events as they came; to be sorted once the store is closed, which frees what it cached."""

    rows: Rows
    position: int
    first: int
    last: int

    def sorted(self, coder: Coder) -> Columns:
        """The same in the order (district, day); uses up *rows*, because there is no room for both."""
        order = _order(self.rows["district"], self.rows["day"])
        for name in self.rows:
            self.rows[name] = self.rows[name].take(order, mode="clip")
        starts, none = _starts(self.rows["district"], coder), _none_of(self.rows)
        return Columns(self.rows, starts, none, np.zeros(0, np.int8), self.position, self.first, self.last)


def read(events: NarrowEvents, coder: Coder) -> Unsorted:
    """All current events; an attribute with too many values is left out."""
    position, filled, seen = events.position(), _Filled(events.count()), _Days()
    for batch in events.all()[1]:
        rows = coder.rows(batch)
        seen.take(rows)
        filled.take(rows)
    coder.drop_too_many()
    base = filled.rows or coder.rows(_nothing(events))
    for name in ("future", *coder.dropped):
        base.pop(name, None)
    return Unsorted(base, position, seen.first, seen.last)


@dataclass
class _Days:
    """The least and greatest day that does not lie in the future; 0 if there was none."""

    first: int = 0
    last: int = 0

    def take(self, rows: Rows) -> None:
        days = rows["day"][(rows["day"] > 0) & ~rows["future"]]
        if len(days):
            self.first = min(self.first or 65_535, int(days.min()))
            self.last = max(self.last, int(days.max()))


class _Filled:
    """Columns of *size* rows, filled in place: joining parts would need twice the memory."""

    def __init__(self, size: int) -> None:
        self.rows: Rows = {}
        self._size, self._at = size, 0

    def take(self, rows: Rows) -> None:
        """Put *rows* behind those before; a wider number widens its column."""
        upto = self._at + len(rows["off"])
        for name, values in rows.items():
            column = self.rows.get(name)
            if column is None:
                column = np.zeros(self._size, values.dtype)
            self.rows[name] = column.astype(np.promote_types(column.dtype, values.dtype), copy=False)
            self.rows[name][self._at : upto] = values
        self._at = upto


def changed(columns: Columns, events: NarrowEvents, coder: Coder) -> Columns:
    """With what began and ended since its position, in the tail."""
    position = events.position()
    names = list(columns.base)
    began = [coder.rows(batch) for batch in events.began(columns.position)[1]]
    ended = [coder.rows(batch) for batch in events.ended(columns.position)[1]]
    seen = _Days(columns.first, columns.last)
    for rows in began:
        seen.take(rows)
    signs = [
        np.full(sum(len(rows["off"]) for rows in parts), sign, np.int8) for parts, sign in ((began, 1), (ended, -1))
    ]
    return replace(
        columns,
        tail=joined([columns.tail, *began, *ended], names),
        weight=np.concatenate([columns.weight, *signs]),
        position=position,
        first=seen.first,
        last=seen.last,
    )


def merged(columns: Columns, coder: Coder) -> Columns:
    """The same events, all of them sorted. Uses up *columns*, because there is no room for both."""
    ended = columns.tail["off"][columns.weight < 0]
    standing = (columns.weight > 0) & ~np.isin(columns.tail["off"], ended)
    new = {name: column[standing] for name, column in columns.tail.items()}
    order = _order(new["district"], new["day"])
    base, none = columns.base, _none_of(columns.base)
    if len(ended):
        keep = ~_among(base["off"], ended)
        for name in base:
            base[name] = base[name][keep]
    at = _places(base, _starts(base["district"], coder), new, order)
    for name in base:
        base[name] = _inserted(base[name], at, new[name][order])
    return replace(columns, base=base, starts=_starts(base["district"], coder), tail=none, weight=np.zeros(0, np.int8))


def _nothing(events: NarrowEvents) -> pa.RecordBatch:
    """A batch without rows."""
    return pa.RecordBatch.from_pylist([], events.all()[0])


def _order(districts: Codes, days: Codes) -> Integers:
    """The order (district, day): two sorts of short numbers cost less than one of their pairs."""
    by_day = np.argsort(days, kind="stable").astype(np.uint32)
    return by_day.take(np.argsort(districts.take(by_day), kind="stable"), mode="clip").astype(np.int64)


def _starts(districts: Codes, coder: Coder) -> Integers:
    counts = np.bincount(districts, minlength=coder.size("district"))
    return np.concatenate(([0], np.cumsum(counts)))


def _among(offsets: Codes, some: Codes) -> npt.NDArray[np.bool_]:
    """Which of *offsets* are in *some*; offsets are dense, so that a table of all of them is small."""
    table = np.zeros(int(max(offsets.max(initial=0), some.max(initial=0))) + 1, bool)
    table[some] = True
    return table[offsets]


def _places(kept: Rows, starts: Integers, new: Rows, order: Integers) -> Integers:
    """Before which sorted row each new one goes, the new ones in *order*."""
    districts, days = new["district"][order], new["day"][order]
    at = np.zeros(len(order), np.int64)
    for district in np.unique(districts).tolist():
        start, stop = int(starts[district]), int(starts[district + 1])
        mine = districts == district
        at[mine] = start + np.searchsorted(kept["day"][start:stop], days[mine], "right")
    return at


def _inserted(column: Codes, at: Integers, values: Codes) -> Codes:
    """A wider number widens the column."""
    return np.insert(column.astype(np.promote_types(column.dtype, values.dtype), copy=False), at, values)


def _none_of(rows: Rows) -> Rows:
    """No rows, and no hold on those that there are."""
    return {name: np.zeros(0, column.dtype) for name, column in rows.items()}


def _gathered(runs: list[tuple[int, int]]) -> Iterator[Codes]:
    """Row numbers of short *runs*, a chunk at a time."""
    waiting: list[npt.NDArray[np.int64]] = []
    for start, stop in runs:
        waiting.append(np.arange(start, stop))
        if sum(map(len, waiting)) >= CHUNK:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)
