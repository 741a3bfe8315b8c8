"""Residents of the cities by year: the denominators of rates.

A rate names its denominator, its year and its *kind*: a census, an estimate and a projection are different series,
and rates over time use one of them only. Numbers whose *status* is ``unverified`` are not shown as facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

from citystream.catalog.crosswalk_file import read_rows
from citystream.errors import CatalogError

FILE = Path(__file__).parent / "population.csv"
HEADER = ("city", "year", "residents", "kind", "status")
PopulationKind = Literal["census", "estimate", "projection"]
Status = Literal["stored", "stored_secondary", "unverified"]


@dataclass(frozen=True, slots=True)
class Population:
    """How many people live in a city; *city* is the name of its city file.

    *status*: ``stored`` was read in a published source, ``stored_secondary`` in one that quotes it.
    """

    city: str
    year: int
    residents: int
    kind: PopulationKind
    status: Status


@cache
def load_population(path: Path = FILE) -> tuple[Population, ...]:
    """All numbers of *path* in its order; raises `CatalogError` with one line for each mistake."""
    rows, mistakes = read_rows(path, HEADER)
    found = []
    for line, row in rows:
        try:
            found.append(_population(row))
        except ValueError as wrong:
            mistakes.append(f"{path.name}:{line}: {wrong}")
    if mistakes:
        raise CatalogError("\n".join(mistakes), "the columns are " + ", ".join(HEADER))
    return tuple(found)


def series(city: str, kind: PopulationKind) -> tuple[Population, ...]:
    """The numbers of one kind for *city*, by year, without those nobody verified."""
    numbers = [each for each in load_population() if (each.city, each.kind) == (city, kind)]
    return tuple(sorted((each for each in numbers if each.status != "unverified"), key=lambda each: each.year))


def _population(row: dict[str, str]) -> Population:
    for name, known in (("kind", get_args(PopulationKind)), ("status", get_args(Status))):
        if row[name] not in known:
            raise ValueError(f"unknown {name} '{row[name]}' (known: {', '.join(known)})")
    year, residents = int(row["year"]), int(row["residents"])
    if residents <= 0:
        raise ValueError("residents must be more than 0")
    return Population(row["city"], year, residents, cast(PopulationKind, row["kind"]), cast(Status, row["status"]))
