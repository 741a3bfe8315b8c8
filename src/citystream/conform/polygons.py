"""Which area a place lies in, for many places at once. Loading this loads GEOS: only what needs it does."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from citystream.catalog.boundary_file import load_boundaries

Floats = npt.NDArray[np.float64]


@cache
def polygons(path: Path) -> Polygons:
    """The areas in the file *path*, read once."""
    return Polygons(path)


class Polygons:
    """The areas whose outlines are in the file *path*."""

    def __init__(self, path: Path) -> None:
        boundaries = load_boundaries(path)
        self._codes = pa.array(boundaries.codes, pa.string())
        # simplified outlines may cross themselves
        self._outlines = shapely.make_valid(
            shapely.from_geojson(boundaries.outlines), method="structure", keep_collapsed=False
        )

    def codes(self, *, lon: Floats, lat: Floats) -> pa.Array:
        """The code (text) of the area in which each place lies; null outside of all, and where two claim it."""
        places = shapely.STRtree(shapely.points(lon, lat))
        # the outlines are asked and not the places, because each of those that are asked is prepared once
        area, place = places.query(self._outlines, predicate="intersects")
        claims = np.bincount(place, minlength=len(lon))
        found = np.zeros(len(lon), np.int64)
        found[place] = area
        return self._codes.take(pa.array(found, mask=claims != 1))
