"""Coordinate systems of published positions, by their EPSG codes.

Importing this costs as much as PROJ does, so nothing imports it but for a city file that names a system.
"""

from __future__ import annotations

import re
from functools import cache

from pyproj import CRS
from pyproj.exceptions import CRSError

_CODE = re.compile(r"EPSG:\d{4,6}")


def checked(name: str) -> str:
    """*name* as given; raises ValueError unless it is the EPSG code of a system of two horizontal axes."""
    if not _CODE.fullmatch(name):
        raise ValueError(f"'{name}' is no EPSG code, like EPSG:3435")
    try:
        system = CRS.from_user_input(name)
    except CRSError as unknown:
        raise ValueError(f"nobody knows '{name}': look it up in the EPSG register, or leave crs out") from unknown
    if not (system.is_projected or system.is_geographic):
        raise ValueError(f"'{name}' ({system.name}) has no horizontal axes")
    return name


@cache
def metres(name: str) -> float:
    """How many metres a unit of the system *name* is; 0 for systems of degrees."""
    system = CRS.from_user_input(name)
    return float(system.axis_info[0].unit_conversion_factor) if system.is_projected else 0.0
