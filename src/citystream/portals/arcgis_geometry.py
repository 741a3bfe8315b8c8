"""Esri's geometries as GeoJSON text; coordinates stay as they are written.

Esri: https://developers.arcgis.com/documentation/common-data-types/geometry-objects.htm, GeoJSON: RFC 7946.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from citystream.portals.json_values import Number, compact

Ring = list[list[Any]]


def geojson(geometry: Any) -> str | None:
    """*geometry* as the server gives it (longitude and latitude) as GeoJSON; None for none, and for an empty one."""
    if not isinstance(geometry, dict):
        return None
    if "x" in geometry:
        position = [geometry["x"], geometry.get("y")]
        # an empty point has the text "NaN" for a coordinate
        known = all(isinstance(each, Number) and each != "NaN" for each in position)
        return _text("Point", position) if known else None
    for name, kind in (("points", "MultiPoint"), ("paths", "MultiLineString")):
        if geometry.get(name):
            return _text(kind, geometry[name])
    return _polygons(geometry["rings"]) if geometry.get("rings") else None


def _polygons(rings: list[Ring]) -> str:
    """Rings that go clockwise are outlines, the others are holes in the outline before them."""
    polygons: list[list[Ring]] = []
    for ring in rings:
        if not polygons or _clockwise(ring):
            polygons.append([ring])
        else:
            polygons[-1].append(ring)
    return _text("Polygon", polygons[0]) if len(polygons) == 1 else _text("MultiPolygon", polygons)


def _clockwise(ring: Ring) -> bool:
    points = [(float(x), float(y)) for x, y, *_ in ring]
    return sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairwise(points)) > 0


def _text(kind: str, coordinates: Any) -> str:
    return compact({"type": kind, "coordinates": coordinates})
