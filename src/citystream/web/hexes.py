"""Hexagons over a city: small ones, and large ones that each hold the small ones whose centres lie in them.

Positions are millionths of a degree, as the narrow columns have them. Distances are those of a plane that touches the
city in its middle; over a city that is true to a few per mille.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

#: Metres from one side of a hexagon to the opposite one.
FINE: Final = 350.0
COARSE: Final = 920.0
_METRES: Final = 111_320.0
_MOST_CELLS: Final = 60_000

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Lattice:
    """Pointy hexagons of *width* metres; *west*, *south* is the centre of hexagon (0, 0), in degrees."""

    west: float
    south: float
    width: float
    stretch: float
    """how much shorter a degree of longitude is than one of latitude"""

    @property
    def _side(self) -> float:
        return self.width / math.sqrt(3)

    def place(self, lon: Floats, lat: Floats) -> tuple[Integers, Integers]:
        """Column and row (axial q and r) of the hexagon in which each position lies."""
        x = (lon - self.west) * (_METRES * self.stretch)
        y = (lat - self.south) * _METRES
        r = y * (2 / 3 / self._side)
        q = x * (1 / self.width) - r * 0.5
        near_q, near_r, near_s = np.rint(q), np.rint(r), np.rint(-q - r)
        off_q, off_r, off_s = np.abs(near_q - q), np.abs(near_r - r), np.abs(near_s + q + r)
        fix_q = (off_q > off_r) & (off_q > off_s)
        fix_r = ~fix_q & (off_r > off_s)
        near_q = np.where(fix_q, -near_r - near_s, near_q)
        near_r = np.where(fix_r, -near_q - near_s, near_r)
        return near_q.astype(np.int64), near_r.astype(np.int64)

    def centre(self, q: Integers, r: Integers) -> tuple[Floats, Floats]:
        """Longitude and latitude of the middle of hexagons."""
        x = self.width * (q + r / 2)
        y = 1.5 * self._side * r
        return self.west + x / (_METRES * self.stretch), self.south + y / _METRES

    def corners(self) -> list[tuple[float, float]]:
        """The six corners, in degrees from the centre."""
        turns = (math.radians(60 * n + 30) for n in range(6))
        return [
            (self._side * math.cos(t) / (_METRES * self.stretch), self._side * math.sin(t) / _METRES) for t in turns
        ]


class Cells:
    """The hexagons of a city that have something in them, numbered from 1 as they came; 0 is none.

    *box* is west, south, east, north in degrees. What lies outside of it is put at its edge: `conform` lets no such
    position through.
    """

    def __init__(self, box: tuple[float, float, float, float]) -> None:
        west, south, east, north = box
        stretch = math.cos(math.radians((south + north) / 2))
        area = (east - west) * (north - south) * stretch * _METRES**2
        least = math.sqrt(area / _MOST_CELLS / (math.sqrt(3) / 2))
        self.fine = Lattice(west, south, max(FINE, least), stretch)
        self.coarse = Lattice(west, south, max(FINE, least) * COARSE / FINE, stretch)
        _, rows = self.fine.place(np.array([west]), np.array([north]))
        columns, _ = self.fine.place(np.array([east]), np.array([south]))
        self._rows = int(rows[0]) + 2
        self._shift = self._rows  # a column reaches further west the higher its row is
        self._columns = int(columns[0]) + 2 + self._shift
        self._known = np.zeros(self._columns * self._rows, np.uint16)
        self._axial: list[tuple[int, int]] = [(0, 0)]
        self._coarse: dict[tuple[int, int], int] = {}
        self._fold: list[int] = [0]

    def __len__(self) -> int:
        return len(self._axial)

    @property
    def coarse_count(self) -> int:
        """How many large hexagons there are, the 0 included."""
        return len(self._coarse) + 1

    def encode(self, lat: npt.NDArray[np.int32], lon: npt.NDArray[np.int32]) -> npt.NDArray[np.uint16]:
        """The number of the small hexagon of each position."""
        q, r = self.fine.place(lon * 1e-6, lat * 1e-6)
        q, r = np.clip(q + self._shift, 0, self._columns - 1), np.clip(r, 0, self._rows - 1)
        place = q * self._rows + r
        codes: npt.NDArray[np.uint16] = self._known[place]
        if not codes.all():
            self._add(np.unique(place[codes == 0]))
            codes = self._known[place]
        return codes

    def fold(self) -> npt.NDArray[np.uint16]:
        """For each small hexagon the large one that it is counted in."""
        return np.array(self._fold, np.uint16)

    def centres(self, size: str) -> tuple[Floats, Floats]:
        """Longitudes and latitudes of all hexagons of *size* (``fine`` or ``coarse``) but the 0, in order."""
        lattice, axial = (self.fine, self._axial[1:]) if size == "fine" else (self.coarse, list(self._coarse))
        q, r = np.array(axial, np.int64).reshape(-1, 2).T
        return lattice.centre(q, r)

    def _add(self, places: Integers) -> None:
        q, r = places // self._rows - self._shift, places % self._rows
        large = zip(*(each.tolist() for each in self.coarse.place(*self.fine.centre(q, r))), strict=True)
        self._fold += [self._coarse.setdefault(each, len(self._coarse) + 1) for each in large]
        self._known[places] = np.arange(len(self._axial), len(self._axial) + len(places))
        self._axial += zip(q.tolist(), r.tolist(), strict=True)
