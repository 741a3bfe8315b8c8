"""SQL for positions: where it was, how near to the truth that is, and why there is none.

A position is never made finer than the publisher's, and a row without one stays in every total with the reason:
a word for "withheld" comes before blank, then text that is no number, (0, 0), and what lies outside the city.
"""

from __future__ import annotations

from citystream.catalog.dataset import Dataset
from citystream.catalog.rules import Mapping, PositionRule
from citystream.conform import binary
from citystream.conform.texts import listed, number
from citystream.schema import PlacePrecision, PlaceReason

_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_PAIR = rf"({_NUMBER})[^-+\d]+({_NUMBER})"


def published(mapping: Mapping) -> dict[str, tuple[str, str]]:
    """SQL for latitude and longitude as published, in whatever units, over the texts ``t_lat``, ``t_lon`` and
    ``t_position``: from two ``columns``, and from one ``position``.
    """
    ways: dict[str, tuple[str, str]] = {}
    if mapping.lat and mapping.lon:
        lat, lon = number("t_lat", mapping.lat), number("t_lon", mapping.lon)
        ways["columns"] = (f"try_cast({lat} AS DOUBLE)", f"try_cast({lon} AS DOUBLE)")
    if mapping.position and mapping.position.form == "wkb":
        ways["position"] = binary.point("t_position")
    elif mapping.position:
        texts = (f"regexp_extract(t_position, '{_PAIR}', {group})" for group in _groups(mapping.position))
        lat, lon = (f"try_cast({text} AS DOUBLE)" for text in texts)
        ways["position"] = (lat, lon)
    return ways


def projected(way: str) -> tuple[str, str]:
    """The columns in which `projection` leaves the degrees of a *way*."""
    return f"lat_{way}", f"lon_{way}"


def degrees(mapping: Mapping) -> tuple[str, str]:
    """SQL for both coordinates as numbers, in degrees."""
    ways = published(mapping) | {way: projected(way) for way in mapping.systems}
    both = [way[0] if len(way) == 1 else f"coalesce({', '.join(way)})" for way in zip(*ways.values(), strict=True)]
    return (both[0], both[1]) if both else ("NULL::DOUBLE", "NULL::DOUBLE")


def _groups(rule: PositionRule) -> tuple[int, int]:
    return (1, 2) if rule.form == "latlon" else (2, 1)


def place(dataset: Dataset, texts: tuple[str, ...]) -> dict[str, str]:
    """SQL for lat, lon, place_precision and place_reason over the numbers ``lat`` and ``lon``.

    *texts*: the names of the texts in which the publisher may say that it withholds the position.
    """
    if not dataset.columns.placed:
        return _not_published()
    west, south, east, north = dataset.city.bbox
    inside = f"lat BETWEEN {south} AND {north} AND lon BETWEEN {west} AND {east}"
    withheld = " OR ".join(f"upper({text}) IN {listed(dataset.withheld)}" for text in texts)
    withheld = f"coalesce({withheld}, false)" if dataset.withheld else "false"
    blank = _blank(dataset)
    finest = PlacePrecision[dataset.precision].value
    return {
        "lat": f"CASE WHEN {inside} THEN lat END",
        "lon": f"CASE WHEN {inside} THEN lon END",
        "place_precision": f"CASE WHEN {inside} THEN {finest} WHEN {withheld} THEN {PlacePrecision.withheld.value} "
        f"ELSE {PlacePrecision.missing.value} END::UTINYINT",
        "place_reason": f"CASE WHEN {inside} THEN 0 WHEN {withheld} THEN {PlaceReason.redacted.value} "
        f"WHEN {blank} THEN {PlaceReason.blank.value} "
        f"WHEN lat IS NULL OR lon IS NULL OR NOT isfinite(lat) OR NOT isfinite(lon) "
        f"THEN {PlaceReason.unreadable.value} "
        f"WHEN lat = 0 AND lon = 0 THEN {PlaceReason.zero.value} "
        f"ELSE {PlaceReason.outside_city.value} END::UTINYINT",
    }


def _blank(dataset: Dataset) -> str:
    columns = [f"(t_{name} IS NULL)" for name in ("lat", "lon") if getattr(dataset.columns, name)]
    ways = [f"({' OR '.join(columns)})"] if columns else []
    ways += ["t_position IS NULL"] if dataset.columns.position else []
    return " AND ".join(ways)


def _not_published() -> dict[str, str]:
    """A publisher without positions still names areas, and nothing finer is claimed."""
    return {
        "lat": "NULL::DOUBLE",
        "lon": "NULL::DOUBLE",
        "place_precision": f"{PlacePrecision.area.value}::UTINYINT",
        "place_reason": f"{PlaceReason.not_published.value}::UTINYINT",
    }
