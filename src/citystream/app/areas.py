"""The small areas of a dataset, as detectors that compare neighbours see them: in a plane, in kilometres."""

from __future__ import annotations

from math import cos, radians

from citystream.catalog.dataset import Dataset
from citystream.detect.engines import Area

_KM_A_DEGREE = 111.195


def areas_of(dataset: Dataset) -> tuple[Area, ...]:
    """The beats of *dataset* that are listed with a place, in the order of their names; east and north of where the
    equator meets Greenwich, as a city's own latitude shortens degrees of longitude.
    """
    _, south, _, north = dataset.city.bbox
    east = _KM_A_DEGREE * cos(radians((south + north) / 2))
    return tuple(
        Area(each.code, each.parent, round(each.lon * east, 3), round(each.lat * _KM_A_DEGREE, 3))
        for each in sorted(dataset.beats, key=lambda each: each.code)
        if each.lat is not None and each.lon is not None
    )
