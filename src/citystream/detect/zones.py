"""Zones: the sets of neighbouring areas in which `scan` and `scan_tables` look for an excess.

The usual zones are all nested sets of nearest neighbours: of each area's k nearest centroids (itself is the first), for
k = 1 ... 12, each set once. Zones may also be given as lists.

>>> import numpy as np
>>> line = nearest_zones(np.array([[0.0, 0], [1, 0], [2.5, 0]]), most=2)
>>> [zone.tolist() for zone in line.members]
[[0], [0, 1], [1], [2], [1, 2]]
>>> line.sums(np.array([[5.0], [1], [2]])).ravel().tolist()
[5.0, 6.0, 1.0, 2.0, 3.0]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from citystream.detect.arrays import Floats
from citystream.ports import Integers

MOST_AREAS = 12


@dataclass(frozen=True)
class Zones:
    """Sets of areas; *members* of each are numbers of areas, in ascending order."""

    members: tuple[Integers, ...]
    areas: int
    _matrix: csr_matrix
    _narrow: csr_matrix

    def __len__(self) -> int:
        return len(self.members)

    def areas_of(self, zones: Integers) -> tuple[Integers, Integers]:
        """The areas of each of *zones*, one after the other: the place in *zones*, and the area."""
        rows = self._matrix[zones]
        return np.repeat(np.arange(len(zones)), np.diff(rows.indptr)), np.asarray(rows.indices, np.int64)

    def sums(self, values: Floats) -> Floats:
        """Sums of *values* (areas, columns) over the areas of each zone: (zones, columns)."""
        return np.asarray(self._matrix @ values, np.float64)

    def narrow_sums(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The same in single precision, in half the time; exact for whole numbers below 2**24."""
        return np.asarray(self._narrow @ values, np.float32)


def given_zones(members: Iterable[Iterable[int]], areas: int) -> Zones:
    """Zones as lists of numbers of areas, each set once; an empty list is an error."""
    distinct = dict.fromkeys(tuple(sorted(set(each))) for each in members)
    if not distinct or () in distinct:
        raise ValueError("a scan needs zones, each of at least one area")
    flat = np.array([area for zone in distinct for area in zone], np.int64)
    ends = np.cumsum([0, *(len(zone) for zone in distinct)])
    matrix = csr_matrix((np.ones(len(flat)), flat, ends), (len(distinct), areas))
    made = tuple(np.array(zone, np.int64) for zone in distinct)
    return Zones(made, areas, matrix, matrix.astype(np.float32))


def nearest_zones(places: Floats, most: int = MOST_AREAS) -> Zones:
    """All nested sets of nearest centroids; *places* (areas, 2) in a plane. Ties go to the smaller number."""
    apart = ((places[:, None, :] - places[None, :, :]) ** 2).sum(axis=2)
    apart[np.diag_indices(len(places))] = -1.0
    order = np.argsort(apart, axis=1, kind="stable")[:, :most]
    nested = (row[:size] for row in order.tolist() for size in range(1, len(row) + 1))
    return given_zones(nested, len(places))
