"""Filters as an address has them, by names, and as numbers of one dataset."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from citystream.errors import QueryError
from citystream.registry import nearest
from citystream.web.dimensions import Dimension
from citystream.web.engine import Engine
from citystream.web.selection import Booleans, Box, Selection, Span

Period = tuple[int, int]
_MONTH: Final = re.compile(r"\d{4}-\d{2}")
_NOT: Final = "not."
#: Values of one filter.
_MOST: Final = 2_000
_MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Pick:
    """Numbers of *dimension* that are meant: *only* these if there are any, *without* those."""

    dimension: str
    only: tuple[int, ...] = ()
    without: tuple[int, ...] = ()

    def keep(self, size: int) -> Booleans:
        """Which of *size* numbers are meant."""
        keep = np.zeros(size, bool) if self.only else np.ones(size, bool)
        keep[list(self.only)] = True
        keep[list(self.without)] = False
        return keep


@dataclass(frozen=True)
class Dropped:
    """A value of a filter that was left out, and why."""

    parameter: str
    value: str
    why: str


@dataclass(frozen=True)
class Filters:
    """What is asked of one dataset; hashable, so that answers can be kept by it. *period*: numbers of days."""

    picks: tuple[Pick, ...] = ()
    spans: tuple[Span, ...] = ()
    boxes: tuple[Box, ...] = ()
    period: Period | None = None
    dropped: tuple[Dropped, ...] = field(default=(), compare=False)

    def without(self, own: Iterable[str]) -> Filters:
        """The same but for some dimensions; ``t`` is the period, ``box`` and ``cell`` are the map's."""
        names = set(own)
        return replace(
            self,
            picks=tuple(each for each in self.picks if each.dimension not in names),
            spans=tuple(each for each in self.spans if each.column not in names),
            boxes=() if "box" in names else self.boxes,
            period=None if "t" in names else self.period,
        )

    def selection(self, engine: Engine) -> Selection:
        """In the numbers of the columns."""
        keep: dict[str, Booleans] = {}
        for pick in self.picks:
            column, wanted = column_keep(engine, pick)
            keep[column] = keep[column] & wanted if column in keep else wanted
        return Selection(keep, self.period, self.boxes, self.spans)


def column_keep(engine: Engine, pick: Pick) -> tuple[str, Booleans]:
    """The column of a pick, and which of its numbers are meant."""
    unit = engine.unit(_VIEW_OF.get(pick.dimension, pick.dimension), engine.state.columns)
    keep = pick.keep(unit.size)
    return unit.column, keep if unit.fold is None else keep[unit.fold]


#: The filters by cells, and the views whose numbers they are.
_VIEW_OF: Final = {"cell.coarse": "coarse", "cell.fine": "fine"}
#: What a view of the map leaves out.
MAP_OWN: Final = ("box", "cell.coarse", "cell.fine")


def parse(engine: Engine, asked: Sequence[tuple[str, str]], known: Iterable[str]) -> Filters:
    """Filters from the parameters of an address; *known* are those that mean something else there.

    A value that the dataset does not have is dropped. Raises `QueryError` for a parameter that is none.
    """
    reading = _Reading(engine, dict(asked).get("cells") == "fine")
    for parameter, value in asked:
        if parameter not in known:
            reading.take(parameter, value)
    return reading.filters()


class _Reading:
    """The parameters of one address, one after the other."""

    def __init__(self, engine: Engine, fine: bool) -> None:
        self._engine, self._dims, self._fine = engine, engine.dims, fine
        self._only: dict[str, set[int]] = {}
        self._without: dict[str, set[int]] = {}
        self._spans: list[Span] = []
        self._boxes: list[Box] = []
        self._period: Period | None = None
        self._dropped: list[Dropped] = []

    def take(self, parameter: str, value: str) -> None:
        """One parameter."""
        name = parameter.removeprefix(_NOT)
        if parameter == "t":
            self._period = _period(self._engine, value)
        elif parameter == "box":
            self._boxes.append(_box(value))
        elif parameter == "cell":
            self._cell(value)
        elif name not in self._dims:
            raise QueryError(
                f"{self._engine.dataset.name} has no dimension '{name}'", nearest(name, [*self._dims, "t", "box"])
            )
        elif self._dims[name].form == "number":
            self._spans.append(_span(self._dims[name], value))
        else:
            self._name(parameter, name, value)

    def filters(self) -> Filters:
        """All of them, in one order whatever the address's."""
        names = sorted(self._only.keys() | self._without.keys())
        if any(len(each) > _MOST for each in (*self._only.values(), *self._without.values())):
            raise QueryError(f"a filter has more than {_MOST} values", "choose a coarser one")
        picks = tuple(
            Pick(name, tuple(sorted(self._only.get(name, ()))), tuple(sorted(self._without.get(name, ()))))
            for name in names
        )
        spans = tuple(sorted(self._spans, key=repr))
        return Filters(picks, spans, tuple(self._boxes), self._period, tuple(self._dropped))

    def _name(self, parameter: str, name: str, value: str) -> None:
        values = self._engine.names(name).values
        wanted = _hours(value) if name == "hour" and ".." in value else [value or None]
        chosen = self._without if parameter.startswith(_NOT) else self._only
        for each in wanted:
            if each in values:
                chosen.setdefault(name, set()).add(values.index(each))
            else:
                self._drop(parameter, value, f"{self._engine.dataset.name} has no such {self._dims[name].title}")

    def _cell(self, value: str) -> None:
        size = "fine" if self._fine else "coarse"
        count = self._engine.unit(size, self._engine.state.columns).size
        if value.isascii() and value.isdecimal() and 0 < int(value) < count:
            self._only.setdefault(f"cell.{size}", set()).add(int(value))
        else:
            self._drop("cell", value, "there is no such cell")

    def _drop(self, parameter: str, value: str, why: str) -> None:
        self._dropped.append(Dropped(parameter, value, why))


def said(engine: Engine, filters: Filters) -> list[dict[str, object]]:
    """*filters* by names, for an answer."""
    found: list[dict[str, object]] = []
    for pick in filters.picks:
        for exclude, codes in ((False, pick.only), (True, pick.without)):
            if codes:
                found.append({"name": pick.dimension, "exclude": exclude, "values": _names(engine, pick, codes)})
    found += [{"name": each.column, "from": each.low, "to": each.high} for each in filters.spans]
    found += [
        {"name": "box", "box": [each / _MILLION for each in (box.west, box.south, box.east, box.north)]}
        for box in filters.boxes
    ]
    if filters.period:
        first, last = (engine.day(number).isoformat() for number in filters.period)
        found.append({"name": "t", "from": first, "to": last})
    return found


def _names(engine: Engine, pick: Pick, codes: tuple[int, ...]) -> list[object]:
    if pick.dimension in _VIEW_OF:
        return list(codes)
    values = engine.names(pick.dimension).values
    return [values[code] for code in codes]


def _hours(value: str) -> list[str | None]:
    """``22..5`` as its hours."""
    low, _, high = value.partition("..")
    if not (low.isascii() and high.isascii() and low.isdecimal() and high.isdecimal()):
        raise QueryError(f"hour={value} is no range of hours", "for example hour=22..5")
    first, last = int(low), int(high)
    if max(first, last) > 23:
        raise QueryError(f"hour={value}: a day has the hours 0 to 23", "for example hour=22..5")
    return [str(hour % 24) for hour in range(first, last + 1 if last >= first else last + 25)]


def _period(engine: Engine, value: str) -> Period:
    first, dots, last = value.partition("..")
    if not dots:
        raise QueryError(f"t={value} is no period", "write t=2026-01-01..2026-06-30, or t=2026-01..2026-06")
    low = engine.number(_day(first, end=False)) if first else 1
    high = engine.number(_day(last, end=True)) if last else 65_535
    if low > high:
        raise QueryError(f"t={value} ends before it begins", "write the earlier day first")
    return low, high


def _day(text: str, *, end: bool) -> date:
    try:
        if not _MONTH.fullmatch(text):
            return date.fromisoformat(text)
        first = date.fromisoformat(f"{text}-01")
        return first if not end else (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"'{text}' is no day", "write 2026-03-01, or 2026-03 for a month") from error


def _box(value: str) -> Box:
    try:
        west, south, east, north = (round(min(max(float(part), -360.0), 360.0) * _MILLION) for part in value.split(","))
    except (ValueError, OverflowError) as error:
        raise QueryError(f"box={value} is no box", "write west,south,east,north in degrees") from error
    return Box(west, south, east, north)


def _span(dimension: Dimension, value: str) -> Span:
    low, dots, high = value.partition("..")
    try:
        bounds = [float(part) if part else None for part in (low, high if dots else low)]
    except ValueError as error:
        raise QueryError(f"{dimension.name}={value} is no range of numbers", "for example 100..500") from error
    if any(bound is not None and not np.isfinite(bound) for bound in bounds):
        raise QueryError(f"{dimension.name}={value} is no range of numbers", "for example 100..500")
    return Span(dimension.column, *bounds)


def own_of(dims: Mapping[str, Dimension], view: str) -> tuple[str, ...]:
    """The filters that a view leaves out."""
    if view == "days":
        return ("t",)
    return MAP_OWN if view in ("coarse", "fine") else dims[view].own
