"""Names of the areas that publishers count by: police districts, beats, neighbourhoods.

`districts.csv` holds facts gathered from the cities' own lists and boundary files; editions differ by some years. A
*scheme* is one list of one city. Schemes are never joined by number: Toronto's 140 and 158 neighbourhoods share
numbers and not places. Positions are degrees (WGS84) of a point inside the area, areas square kilometres.

Beats of Chicago and Austin are where their records are: at the mean of the published positions, rounded to a thousandth
of a degree, in the district that most of them have. Those are Chicago's of 2014 to 2016 and of October 2018, 320 or
more of each beat (they were drawn anew in December 2012, and older labels are not listed), and Austin's that the portal
showed in December 2023 and June 2024. Austin's beats with fewer than five such records are left out: nobody would know
where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from citystream.catalog.crosswalk_file import read_rows
from citystream.errors import CatalogError

FILE = Path(__file__).parent / "districts.csv"
HEADER = ("city", "scheme", "code", "name", "parent", "lat", "lon", "km2", "residents")


@dataclass(frozen=True, slots=True)
class District:
    """One area. *city* is the name of its city file; *parent* the code of the larger area, '' if not known."""

    city: str
    scheme: str
    code: str
    name: str
    parent: str
    lat: float | None
    lon: float | None
    km2: float | None
    residents: int | None


@cache
def load_districts(path: Path = FILE) -> tuple[District, ...]:
    """All areas of *path* in its order; raises `CatalogError` with one line for each mistake."""
    rows, mistakes = read_rows(path, HEADER)
    found: dict[tuple[str, str, str], District] = {}
    for line, row in rows:
        key = (row["city"], row["scheme"], row["code"])
        try:
            district = _district(row)
        except ValueError as wrong:
            mistakes.append(f"{path.name}:{line}: {wrong}")
            continue
        if not all(key) or key in found:
            mistakes.append(f"{path.name}:{line}: {'/'.join(key)} is {'listed twice' if all(key) else 'incomplete'}")
        found[key] = district
    if mistakes:
        raise CatalogError("\n".join(mistakes), "the columns are " + ", ".join(HEADER))
    return tuple(found.values())


@cache
def scheme(city: str, name: str) -> Mapping[str, District]:
    """Code -> area of one list; empty if nobody knows it."""
    return MappingProxyType({each.code: each for each in load_districts() if (each.city, each.scheme) == (city, name)})


def with_places(every: Iterable[District], city: str, name: str, districts: str) -> tuple[District, ...]:
    """The areas of the list *name* of which a point is known, each with the area of the list *districts* in which it is
    as parent: by its parents' parents, and itself where that says nothing. Only lists of *city* count.
    """
    listed = [each for each in every if each.city == city]
    parents = {each.code: each.parent for each in listed if each.scheme != name and each.parent}
    larger = {each.code for each in listed if each.scheme == districts != name}
    return tuple(
        replace(each, parent=_inside(each, parents, larger))
        for each in listed
        if each.scheme == name and each.lat is not None
    )


def _inside(area: District, parents: Mapping[str, str], larger: set[str]) -> str:
    code, seen = area.parent, set[str]()
    while code and code not in larger and code not in seen:
        seen.add(code)
        code = parents.get(code, "")
    return code if code in larger else area.code


def _district(row: dict[str, str]) -> District:
    lat, lon, km2 = (float(row[name]) if row[name] else None for name in ("lat", "lon", "km2"))
    if (lat is None) != (lon is None):
        raise ValueError("lat and lon come together")
    residents = int(row["residents"]) if row["residents"] else None
    return District(row["city"], row["scheme"], row["code"], row["name"], row["parent"], lat, lon, km2, residents)
