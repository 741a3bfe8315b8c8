"""Which published column may be which of ours: guessed from names first, and from values where they can tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from citystream.catalog.drafting_names import (
    HOUSE,
    NAMES,
    OTHER_TIMES,
    PARTS,
    PERSON,
    ROUND,
    TEXTS,
    TIMED,
    UPDATED,
    WHO,
    X,
    Y,
)
from citystream.catalog.drafting_values import (
    MOST,
    Form,
    Times,
    Typed,
    coordinates,
    degrees,
    form_of,
    present,
    time_of_day,
    times,
    typed,
)
from citystream.catalog.look import Look
from citystream.catalog.naming import folded


@dataclass(frozen=True, eq=False)
class Column:
    """A published column: its *name*, the publisher's *kind*, and its *values* in the sample that are not blank.

    *told*: whether kinds say anything; in a file all columns are text.
    """

    name: str
    kind: str
    values: tuple[str, ...] = field(repr=False)
    rows: int
    told: bool = False

    @property
    def folded(self) -> str:
        """Its name as names are compared."""
        return folded(self.name)

    @cached_property
    def times(self) -> Times | None:
        """How its times are written, if it has any; a clock alone is none."""
        found = times(self.values)
        counted = found is not None and all(each.startswith("unix") for each in found.formats)
        return None if counted and not (TIMED.search(self.folded) or "date" in self.kind.lower()) else found

    @cached_property
    def clock(self) -> str:
        """The format of its times of day, '' if it has none."""
        return time_of_day(self.values)

    @cached_property
    def form(self) -> Form | None:
        """How its positions are written, if it has any."""
        return form_of(self.values)

    @cached_property
    def typed(self) -> Typed:
        """Its type as an attribute."""
        found = typed(self.values, self.kind)
        text = self.told and self.kind.lower() in TEXTS and found.type != "boolean"
        return Typed("text") if text else found

    @property
    def unique(self) -> bool:
        """Whether it has a value in every row of the sample, and none twice."""
        return 0 < self.rows == len(self.values) == len(set(self.values))

    @property
    def few(self) -> bool:
        """Whether its values come again and again, as words for something do."""
        return not self.values or len(set(self.values)) <= max(3, 0.5 * len(self.values))


@dataclass(frozen=True)
class Roles:
    """The published columns that ours may be made of; a role that none may have is not in *found*.

    *who*, *persons*: columns about persons; *spare*: those that have no role.
    """

    columns: tuple[Column, ...]
    found: Mapping[str, Column]
    who: tuple[Column, ...]
    persons: tuple[Column, ...]

    @property
    def spare(self) -> tuple[Column, ...]:
        """Columns that become attributes."""
        taken = {id(each) for each in (*self.found.values(), *self.who, *self.persons)}
        return tuple(each for each in self.columns if id(each) not in taken and not each.form)

    @cached_property
    def points(self) -> list[tuple[float, float]]:
        """(lat, lon) of the sample in degrees, without (0, 0)."""
        if "lat" in self.found:
            pairs = [_floats(a, b) for a, b in zip(self.found["lat"].values, self.found["lon"].values, strict=False)]
            return [pair for pair in pairs if pair and any(pair)]
        position = self.found.get("position")
        read = coordinates(position.values, position.form) if position and position.form else []
        return [(lat, lon) for lat, lon in read if abs(lat) <= 90 and abs(lon) <= 180 and (lat or lon)]


def columns_of(look: Look) -> tuple[Column, ...]:
    """The columns of *look* with what the sample has of them."""
    rows = min(look.rows, MOST)
    told = any(kind.lower() not in TEXTS for kind in look.columns.values())
    return tuple(
        Column(name, kind, tuple(present(look.sample.get(name, ()))), rows, told) for name, kind in look.columns.items()
    )


def roles(look: Look) -> Roles:
    """The guess of which column is what."""
    columns = columns_of(look)
    who = tuple(each for each in columns if WHO.fullmatch(each.folded) and not each.times)
    persons = tuple(each for each in columns if PERSON.fullmatch(each.folded) and each not in who)
    free = [each for each in columns if each not in (*who, *persons)]
    identifier = [each for each in free if look.identifier and each.folded == folded(look.identifier)]
    found = dict(zip(("event_id",), identifier, strict=False))
    for role, fits in _FITS.items():
        if role in found:
            continue
        rest = [each for each in free if each not in found.values()]
        chosen = _chosen(role, rest, fits)
        if chosen:
            found[role] = chosen
    _pair(found)
    return Roles(columns, found, who, persons)


def _pair(found: dict[str, Column]) -> None:
    """Latitude and longitude come together, and a position beside them is not needed."""
    if not {"lat", "lon"} <= found.keys():
        for role in ("lat", "lon"):
            found.pop(role, None)
    else:
        found.pop("position", None)


def _chosen(role: str, columns: Sequence[Column], fits: Callable[[Column], bool]) -> Column | None:
    """The first column that *fits*, of the first names that any has."""
    possible = [each for each in columns if fits(each)]
    for names in NAMES.get(role, (".*",)):
        for column in possible:
            if re.fullmatch(names, column.folded):
                return column
    return None


def _is_key(column: Column) -> bool:
    return column.unique and not column.form and not (column.times and column.kind != "number")


def _is_time(column: Column) -> bool:
    return bool(column.times) and not column.clock


def _is_occurrence(column: Column) -> bool:
    return _is_time(column) and not OTHER_TIMES.fullmatch(column.folded)


def _is_word(column: Column) -> bool:
    return not column.times and not column.form and column.typed.type in ("text", "integer") and column.few


def _is_text(column: Column) -> bool:
    return not column.times and not column.form and column.typed.type == "text"


def _is_area(column: Column) -> bool:
    return not column.times and not column.form and column.typed.type in ("text", "integer") and not column.unique


def _is_degree(most: float) -> Callable[[Column], bool]:
    return lambda column: degrees(column.values, most)


#: In the order in which columns are given away.
_FITS: Final[Mapping[str, Callable[[Column], bool]]] = {
    "event_id": _is_key,
    "lat": _is_degree(90),
    "lon": _is_degree(180),
    "position": lambda column: column.form is not None,
    "occurred_end": _is_time,
    "reported": _is_time,
    "occurred": _is_occurrence,
    "time": lambda column: bool(column.clock) and column.typed.type != "boolean",
    "reported_time": lambda column: bool(column.clock),
    "incident_id": lambda column: not column.times and not column.form and not column.few,
    "code": _is_word,
    "type": lambda column: _is_word(column) and column.typed.type == "text",
    "label": _is_text,
    "district": _is_area,
    "beat": _is_area,
    "neighbourhood": _is_area,
    "address": lambda column: _is_text(column) and not PARTS.fullmatch(column.folded),
    "domestic": lambda column: column.typed.type == "boolean",
    "arrest": lambda column: column.typed.type == "boolean",
    "status": _is_word,
}


def crosswalked(column: Column, codes: Iterable[str]) -> bool:
    """Whether nearly all values of *column* are among *codes*."""
    known = set(codes)
    inside = sum(value.upper() in known for value in column.values)
    return bool(column.values) and inside >= 0.9 * len(column.values)


def exact_addresses(column: Column) -> bool:
    """Whether a fifth of the addresses or more have house numbers that are not those of a block."""
    houses = [value for value in column.values if HOUSE.match(value)]
    return sum(not ROUND.match(value) for value in houses) >= 0.2 * max(1, len(column.values))


def projected(columns: Iterable[Column]) -> tuple[Column, Column] | None:
    """Columns of x and y that are no degrees."""
    numbers = [each for each in columns if each.typed.type in ("integer", "number")]
    x = next((each for each in numbers if X.fullmatch(each.folded) and not degrees(each.values, 180)), None)
    y = next((each for each in numbers if Y.fullmatch(each.folded) and not degrees(each.values, 90)), None)
    return (x, y) if x and y else None


def updated(columns: Iterable[Column]) -> Column | None:
    """The column that says when a row was last changed."""
    return next((each for each in columns if each.times and UPDATED.fullmatch(each.folded)), None)


def _floats(a: str, b: str) -> tuple[float, float] | None:
    try:
        return float(a), float(b)
    except ValueError:
        return None
