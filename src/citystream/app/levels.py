"""Since when incidents of one type are as many a week as they are: levels of complete weeks, found in retrospect.

Weeks without records, as between files, are missing and not zero; what a series break changed is not compared. See
`citystream.detect.level_changes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from citystream import registry
from citystream.app.completeness import known_of
from citystream.app.weeks import By, days_seen, monday_of, newest_complete, week_counts
from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.errors import ConfigError
from citystream.store.reader import Reader

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
#: A series of fewer weeks says nothing about levels.
LEAST_WEEKS = 26
#: A level of fewer incidents in all is not told.
LEAST = 5


@dataclass(frozen=True, slots=True)
class Level:
    """From the Monday *first* to the Sunday *last*: so many incidents in so many *weeks*; None for 1 to 4."""

    first: date
    last: date
    weeks: int
    incidents: int | None

    @property
    def a_week(self) -> float | None:
        """The mean."""
        return None if self.incidents is None else self.incidents / self.weeks


@dataclass(frozen=True, slots=True)
class Levels:
    """The *levels* of a *type* in a *district*, or in the whole city (None), oldest first; so many weeks between are
    *missing*; *seasonal*: whether the usual course of a year was taken out to find them.
    """

    dataset: str
    kind: str
    type: str
    district: str | None
    levels: tuple[Level, ...]
    missing: int
    seasonal: bool


@dataclass(frozen=True, slots=True)
class Series:
    """What is asked about: a *type*, a *district* (None: the whole city), from which day on (None: from the first)."""

    type: str
    district: str | None = None
    since: date | None = None


def levels_of(reader: Reader, name: str, asked: Series, most: int) -> Levels:
    """The levels of *asked* in dataset *name*, with *most* changes at most. Raises `ConfigError` with the reason if
    there is nothing that could have levels.
    """
    dataset = reader.datasets[name]
    if dataset.kind == READING:
        raise ConfigError(f"{name} has readings, which are measured and not counted", "citystream alerts has theirs")
    mondays, missing = _mondays(reader, dataset, asked.since)
    counts = _counted(reader, dataset, asked, mondays)
    found = registry.load_path("citystream.detect.level_changes:level_changes", "changes")(
        np.array([(each - mondays[0]) // _WEEK for each in mondays]), np.array(counts), most
    )
    edges = [*found.starts, len(mondays)]
    levels = tuple(_level(mondays[first:after], sum(counts[first:after])) for first, after in pairwise(edges))
    return Levels(name, dataset.kind, asked.type, asked.district, levels, missing, found.seasonal)


def _mondays(reader: Reader, dataset: Dataset, since: date | None) -> tuple[list[date], int]:
    """The complete weeks that can be compared, and how many between them are missing."""
    days = days_seen(reader, dataset)
    newest = newest_complete(known_of(reader, dataset), days)
    begins = [days.first, *(each.last + _DAY for each in dataset.series_breaks if each.last < newest)]
    first = max([*begins, *([since] if since else [])])
    first = monday_of(first + 6 * _DAY)
    span = [first + place * _WEEK for place in range((newest - first) // _WEEK + 1)]
    holes = {monday_of(each) for each in days.holes}
    whole = [each for each in span if each not in holes]
    if len(whole) < LEAST_WEEKS:
        raise ConfigError(
            f"{dataset.name} has {len(whole)} complete weeks from {first} to {newest + 6 * _DAY}, and levels are told "
            f"from {LEAST_WEEKS} on",
            "import older files, or wait",
        )
    return whole, len(span) - len(whole)


def _counted(reader: Reader, dataset: Dataset, asked: Series, mondays: Sequence[date]) -> list[int]:
    by: By = "district" if asked.district is not None else "city"
    rows = week_counts(reader, dataset, (mondays[0], mondays[-1] + 6 * _DAY), by)
    own = {
        row["monday"]: int(str(row["n"]))
        for row in rows
        if row["type"] == asked.type and row["district"] == asked.district
    }
    if not own:
        where = f" in district {asked.district}" if asked.district is not None else ""
        types = sorted({str(row["type"]) for row in rows})
        said = f"{dataset.name} has no {asked.type}{where} between {mondays[0]} and {mondays[-1] + 6 * _DAY}"
        if asked.district is not None and asked.type in types:
            raise ConfigError(said, "types of which places are not told are counted for the whole city only")
        raise ConfigError(said, registry.nearest(asked.type, types))
    return [own.get(each, 0) for each in mondays]


def _level(mondays: Sequence[date], incidents: int) -> Level:
    told = incidents if not 0 < incidents < LEAST else None
    return Level(mondays[0], mondays[-1] + 6 * _DAY, len(mondays), told)
