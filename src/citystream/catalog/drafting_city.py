"""The lines at the head of a drafted city file: of which city a table is, guessed from positions and from words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from citystream.catalog.dataset import City
from citystream.catalog.drafting_columns import Roles
from citystream.catalog.drafting_text import REQUIRED, Line, said
from citystream.catalog.look import Look

#: Longitudes up to which a time zone of the 48 states reaches, roughly.
_ZONES: Final = (
    (-114.5, "America/Los_Angeles"),
    (-101.5, "America/Denver"),
    (-85.5, "America/Chicago"),
    (-66.0, "America/New_York"),
)
_STATES: Final = (-125.0, 24.0, -66.0, 49.5)
#: So far around the sample's positions a city may reach, in degrees.
_MARGIN: Final = 0.1


def head(look: Look, guess: Roles, known: Sequence[City]) -> Iterator[Line]:
    """City, country, time zone and box: those of a city that is *known*, if the positions lie in it."""
    city, sure = _known_city(look, guess, known)
    if city:
        doubt = "" if sure else "the city that the description names; is it this one?"
        yield said("city", city.city, doubt)
        yield said("country", city.country)
        yield said("timezone", city.timezone)
        yield said("bbox", city.bbox)
        return
    box = _box(guess.points)
    here = box and _STATES[0] <= box[0] and box[2] <= _STATES[2] and _STATES[1] <= box[1] and box[3] <= _STATES[3]
    zone = next((zone for west, zone in _ZONES if here and box and (box[0] + box[2]) / 2 <= west), "")
    yield said("city", city_name(look), "the name of the city")
    yield said("country", "US" if here else "", "two letters")
    yield said("timezone", zone, "by longitude alone" if zone else f"{REQUIRED}, like America/Chicago")
    doubt = (
        "west, south, east, north; wide enough for the whole city?" if box else f"{REQUIRED}: west, south, east, north"
    )
    yield said("bbox", box or [], doubt)


def _known_city(look: Look, guess: Roles, known: Sequence[City]) -> tuple[City | None, bool]:
    """A city that we know, by its box or by its name, and whether its box says so."""
    for city in known:
        west, south, east, north = city.bbox
        inside = sum(south <= lat <= north and west <= lon <= east for lat, lon in guess.points)
        if guess.points and inside >= 0.9 * len(guess.points):
            return city, True
    words = f"{look.title} {look.publisher} {look.description} {look.home}".lower()
    named = (city for city in known if city.city and city.city.lower().replace(" ", "") in words.replace(" ", ""))
    return (None if guess.points else next(named, None)), False


def _box(points: Sequence[tuple[float, float]]) -> tuple[float, float, float, float] | None:
    """West, south, east, north around all but the outermost points."""
    if not points:
        return None
    cut = len(points) // 50
    lats, lons = (sorted(each)[cut : len(points) - cut] for each in zip(*points, strict=True))
    edges = (lons[0] - _MARGIN, lats[0] - _MARGIN, lons[-1] + _MARGIN, lats[-1] + _MARGIN)
    west, south, east, north = (round(edge, 2) for edge in edges)
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def city_name(look: Look) -> str:
    """What the city may be called, '' if nothing says so."""
    for text in (look.publisher, look.title):
        if found := re.search(r"\b(?:City|Town|County) of ((?:[A-Z][\w.'-]+ ?)+)", text):
            return found[1].strip()
        if found := re.match(r"((?:[A-Z][\w.'-]+ ){1,3})(?:Police|Sheriff|Fire)\b", text):
            return found[1].strip()
    host = re.sub(r"^https?://", "", look.home).partition("/")[0].partition(":")[0]
    found = re.search(r"cityof(\w+)", host)
    return found[1].capitalize() if found else ""
