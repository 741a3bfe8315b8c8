"""Outlines of the areas of `districts`: ``boundaries/<city>.<scheme>.geojson``, one area a line.

Positions are degrees (WGS84), simplified to about 30 m, so that a place near an edge may lie on either side. Sources
and editions are in the files and in ``boundaries/README.md``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "boundaries"


@dataclass(frozen=True, slots=True)
class Boundaries:
    """*codes* are those of `districts`; *outlines*, in the same order, are geometries as GeoJSON."""

    codes: tuple[str, ...]
    outlines: tuple[str, ...]
    source: str


def boundary_file(city: str, scheme: str) -> Path | None:
    """Where the outlines of a *scheme* are, if there are any; *city* is the name of its city file."""
    path = FOLDER / f"{city}.{scheme}.geojson"
    return path if scheme and path.exists() else None


def load_boundaries(path: Path) -> Boundaries:
    """The outlines in *path*, in its order."""
    document = json.loads(path.read_text(encoding="utf-8"))
    features = document["features"]
    return Boundaries(
        tuple(each["properties"]["code"] for each in features),
        tuple(json.dumps(each["geometry"]) for each in features),
        document["source"],
    )
