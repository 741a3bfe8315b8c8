"""Invented streets: blocks with a position, a name, and a popularity, some hundred in every area of a city."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citystream.simulate.draws import Draws

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_HEADS = "Alder Bram Corn Dunn Ever Fenn Gild Hart Isel Juno Kest Lark Mosel Nettle Orr Pem Quill Rook Sorrel Thorn"
_TAILS = "bury dale feather field ford gate hollow holm ley mere more nook ridge row shaw stead thwaite ton vale wick"
NAMES = tuple(head + tail for tail in _TAILS.split() for head in _HEADS.split())

NANO = 10**9


@dataclass(frozen=True, slots=True)
class Places:
    """Blocks, all those of an area next to each other, the busiest first.

    *lat*, *lon* are billionths of a degree; *street* and *cross* are positions in `NAMES`; *number* is the
    hundred of the block; *northward* streets run from south to north.
    """

    area: Integers
    lat: Integers
    lon: Integers
    street: Integers
    cross: Integers
    number: Integers
    northward: npt.NDArray[np.bool_]
    each: int

    def __len__(self) -> int:
        return len(self.area)

    def choose(self, draws: Draws, area: Integers) -> Integers:
        """A block in each *area*, busy ones more often."""
        popularity: Floats = 1.0 / (3.0 + np.arange(self.each, dtype=np.float64))
        return np.asarray(np.add(area * self.each, draws.pick(len(area), popularity)))


def build(city: str, lat: Floats, lon: Floats, km2: Floats, each: int) -> Places:
    """*each* blocks for every area around (*lat*, *lon*), within a square of its size."""
    draws = Draws(0, city, "places")
    n = len(lat) * each
    area = np.repeat(np.arange(len(lat)), each)
    side = np.sqrt(km2)[area] * 0.75 / 111.0  # degrees of latitude
    y = lat[area] + (draws.unit(n) - 0.5) * side
    x = lon[area] + (draws.unit(n) - 0.5) * side * 1.35
    northward = draws.chance(n, 0.5)
    lines = np.where(northward, x * 400, y * 400).astype(np.int64)
    across = np.where(northward, y * 400, x * 400).astype(np.int64)
    number = (np.abs(np.where(northward, (y - lat[0]) * 552, (x - lon[0]) * 412)).astype(np.int64) + 1) * 100
    names = len(NAMES)
    return Places(
        area, (y * NANO).astype(np.int64), (x * NANO).astype(np.int64),
        lines * 7 % names, (across * 7 + 3) % names, number, northward, each,
    )  # fmt: skip


def degrees(nano: Integers, decimals: int) -> list[str]:
    """Billionths of a degree as text with *decimals* digits, cut, not rounded."""
    unit = 10 ** (9 - decimals)
    return [f"{'-' if v < 0 else ''}{abs(v) // NANO}.{abs(v) % NANO // unit:0{decimals}d}" for v in nano.tolist()]
