"""One dataset in memory: its columns, cubes and words, and keeping them up with the store.

Counts are asked of `query.Query`. Everything that a count needs is in one `State`, which is replaced as a whole, so
that a question sees one state of the store from its beginning to its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from threading import RLock
from typing import Final

import numpy as np

from citystream.catalog.dataset import Dataset
from citystream.store.narrow import NarrowEvents
from citystream.store.reader import Reader
from citystream.store.views import quoted
from citystream.web.arriving import Arriving
from citystream.web.coding import MARK_COUNT, Coder
from citystream.web.columns import Columns, Unsorted, changed, merged, read
from citystream.web.cubes import Cubes, build
from citystream.web.dimensions import (
    DAYS,
    HOURS,
    MARKS,
    MEANINGS,
    NO_HOUR,
    PLACES,
    WHEN,
    Dimension,
    dimensions,
    premises_of,
)
from citystream.web.selection import ALL, Unit
from citystream.web.words import Codes

#: Changes that wait in the tail before they are sorted in, at most.
MOST_WAITING: Final = 50_000
#: Of the sorted rows, the share from which on reading all anew is cheaper than following.
_ANEW: Final = 0.2
#: The filters that have cubes, while there is room.
_CUBED: Final = ("type", "when", "premises", "arrest", "category", "neighbourhood", "status")
_VIEWED: Final = ("meaning", "when", "marks", "district", "neighbourhood", "status")


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of a dimension stand for, and how a column's numbers fold to them."""

    values: tuple[str | None, ...]
    fold: Codes | None = None


class Engine:
    """*dataset* in memory, as *reader* sees it when it is made; `refresh` follows the store."""

    def __init__(self, dataset: Dataset, made_by: str = "") -> None:
        self.dataset, self.made_by = dataset, made_by
        self._dims = dimensions(dataset)
        self.coder = Coder(dataset, self._dims)
        self.state = State(_empty(), None)
        #: how complete days are; replaced as a whole
        self.arriving = Arriving(dataset.lag)
        #: held by who counts, and by who sorts the tail in, which is done in place
        self.lock = RLock()

    @classmethod
    def of(cls, reader: Reader, dataset: Dataset) -> Loading:
        """All of *dataset*, still to be sorted once *reader* is closed."""
        engine = cls(dataset, reader.made_by.get(dataset.name, ""))
        events = NarrowEvents(reader, dataset, engine.coder.asked)
        engine.coder.meanings.take(events.meanings())
        return Loading(engine, read(events, engine.coder))

    @property
    def dims(self) -> Mapping[str, Dimension]:
        """The dimensions, without attributes that have too many values."""
        dropped = self.coder.dropped
        return {name: each for name, each in self._dims.items() if each.column not in dropped}

    @property
    def premises(self) -> str | None:
        """The attribute that says at what sort of place an event was, if it can be counted."""
        name = premises_of(self.dataset)
        return name if name in self.dims else None

    def names(self, name: str) -> Names:
        """The values of a dimension with names."""
        coder = self.coder
        if name in MEANINGS:
            return Names(tuple(coder.meanings.parts[name].names), coder.meanings.folds[name])
        if name in HOURS:
            return _HOURS[name]
        if name in MARKS:
            return _MARKS[name]
        return Names(tuple(coder.words[self._dims[name].column].names))

    def unit(self, view: str, columns: Columns) -> Unit:
        """What a view counts: a dimension, ``coarse``, ``fine``, or the ``days`` that *columns* has."""
        if view == "days":
            return Unit("day", span(columns) + 1, _days(columns))
        if view in ("coarse", "fine"):
            fine = view == "fine"
            size = len(self.coder.cells) if fine else self.coder.cells.coarse_count
            return Unit("cell", size, None if fine else self.coder.cells.fold())
        names = self.names(view)
        return Unit(self._dims[view].column, len(names.values), names.fold)

    def column_unit(self, column: str) -> Unit:
        """All numbers of a column."""
        return Unit(column, self.coder.size(column))

    def day(self, number: int) -> date:
        """The day that has a *number* in the columns."""
        return date(1970, 1, 1) + timedelta(days=number - 1 + self.coder.epoch)

    def number(self, day: date) -> int:
        """The number of a *day* in the columns; what is before or behind all numbers is put at their ends."""
        return min(max((day - date(1970, 1, 1)).days - self.coder.epoch + 1, 1), 65_535)

    def start(self, unsorted: Unsorted) -> None:
        """Have what was read; sorts it and makes the cubes."""
        columns = unsorted.sorted(self.coder)
        filters, units = self._cubed(columns)
        self.state = State(columns, build(columns, filters, units, self.coder.epoch))

    def refresh(self, reader: Reader) -> Columns | None:
        """Follow the store; the columns before if something changed, None if nothing did.

        Raises `Anew` if the tables are not those that were read, or too much changed.
        """
        if reader.made_by.get(self.dataset.name) != self.made_by:
            raise Anew
        before = self.state.columns
        events = NarrowEvents(reader, self.dataset, self.coder.asked)
        position = events.position()
        if position == before.position:
            return None
        sorted_rows = len(before.base["off"])
        if position < before.position or position - before.position > max(MOST_WAITING * 4, _ANEW * sorted_rows):
            raise Anew
        if not self.coder.meanings.take(events.meanings()):
            raise Anew
        after = changed(before, events, self.coder)
        if after.total != _standing(reader, self.dataset) or self.coder.full():
            raise Anew
        self.state = replace(self.state, columns=after)
        return before

    def settle(self, least: int = MOST_WAITING) -> bool:
        """Sort the tail in, if it has more than *least* rows; whether it had."""
        with self.lock:
            columns, cubes = self.state.columns, self.state.cubes
            if len(columns.weight) <= least or cubes is None:
                return False
            filters, units = self._cubed(columns)
            cubes.add(columns, filters, units)
            self.state = State(merged(columns, self.coder), cubes, self.state.generation + 1)
            return True

    def _cubed(self, columns: Columns) -> tuple[dict[str, Unit], dict[str, Unit]]:
        """The filters that get cubes if there is room, and the views that are in them."""
        premises = self.premises
        filters = {"": ALL, "district": self.column_unit("district")}
        for name in _CUBED:
            if dimension := premises if name == "premises" else name:
                filters[dimension] = self.unit(dimension, columns)
        units = {name: self.column_unit(name) for name in (*_VIEWED, *([premises] if premises else []))}
        # what nobody publishes here needs no cube
        filters = {name: unit for name, unit in filters.items() if not name or unit.size > 1}
        units = {name: unit for name, unit in units.items() if unit.size > 1}
        return filters, units | {"coarse": self.unit("coarse", columns)}


@dataclass(frozen=True)
class State:
    """*columns* and the *cubes* of their sorted part, which is the *generation*-th."""

    columns: Columns
    cubes: Cubes | None
    generation: int = 0

    @property
    def version(self) -> str:
        """What tells one state of the data from another."""
        return str(self.columns.position)


@dataclass(frozen=True, slots=True)
class Loading:
    """An engine whose rows are read and not sorted yet."""

    engine: Engine
    unsorted: Unsorted

    def done(self) -> Engine:
        """The engine, ready."""
        self.engine.start(self.unsorted)
        return self.engine


class Anew(Exception):
    """The tables must be read anew."""


def _standing(reader: Reader, dataset: Dataset) -> int:
    """How many events there are, by the ledger."""
    found = reader.query(
        f"SELECT inserted + returned - vanished AS n FROM ledger WHERE dataset = {quoted(dataset.name)}"
    )
    return int(found["n"][0].as_py()) if found.num_rows else 0


def span(columns: Columns) -> int:
    """How many days there are from the first to the last."""
    return columns.last - columns.first + 1 if columns.last else 0


def _days(columns: Columns) -> Codes:
    """From the number of a day to its place from 1 on; 0 is what has no date, or one in the future."""
    places = np.zeros(65_536, np.uint16)
    if columns.last:
        places[columns.first : columns.last + 1] = np.arange(1, span(columns) + 1)
    return places


def _empty() -> Columns:
    none = np.zeros(0, np.uint16)
    rows = dict.fromkeys(("off", "day", "district", "cell"), none)
    return Columns(rows, np.zeros(2, np.int64), rows, np.zeros(0, np.int8), 0, 0, 0)


def _hours() -> dict[str, Names]:
    when = np.arange(NO_HOUR + 1, dtype=np.uint16)
    hour, weekday = when % 24, when // 24
    hour[NO_HOUR], weekday[NO_HOUR] = 24, 7
    return {
        "hour": Names((*(str(n) for n in range(24)), None), hour),
        "weekday": Names((*DAYS, None), weekday),
        "when": Names((*WHEN, None)),
    }


def _marks() -> dict[str, Names]:
    marks, places = np.arange(MARK_COUNT, dtype=np.uint16), len(PLACES)
    booleans = (None, "false", "true")
    return {
        "arrest": Names(booleans, marks // (3 * places)),
        "domestic": Names(booleans, marks // places % 3),
        "place": Names(PLACES, marks % places),
    }


_HOURS: Final = _hours()
_MARKS: Final = _marks()
