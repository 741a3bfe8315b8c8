"""Areas of a city from the catalog's own list, as places are drawn in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from citystream.catalog.districts import District, scheme
from citystream.simulate import places
from citystream.simulate.draws import scattered

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Areas:
    """The areas *listed*, with *blocks* in each of them; *weights*: how much happens in each."""

    listed: tuple[District, ...]
    weights: Floats
    blocks: places.Places

    def by_block(self, texts: list[str]) -> list[str]:
        """Of a text per area one per block."""
        return [texts[area] for area in self.blocks.area.tolist()]

    def nearest(self, others: tuple[District, ...]) -> Integers:
        """For each block the position of the nearest of *others*."""
        (lat, lon), (y, x) = _points(others), (self.blocks.lat / places.NANO, self.blocks.lon / places.NANO)
        squares = (y[:, None] - lat) ** 2 + ((x[:, None] - lon) * 0.75) ** 2
        return np.asarray(np.argmin(squares, axis=1), dtype=np.int64)


def _points(listed: tuple[District, ...]) -> tuple[Floats, Floats]:
    return np.array([each.lat or 0.0 for each in listed]), np.array([each.lon or 0.0 for each in listed])


def known(city: str, name: str) -> tuple[District, ...]:
    """The areas of a scheme of which a point is known."""
    return tuple(each for each in scheme(city, name).values() if each.lat is not None)


@cache
def read(city: str, name: str, each: int) -> Areas:
    """The areas of the scheme *name*, with *each* blocks in every one; what happens where is arbitrary."""
    listed = known(city, name)
    km2 = np.array([area.km2 or 1.0 for area in listed])
    weights = (40 + scattered(np.arange(len(listed)), len(listed)) % 80).astype(np.float64)
    return Areas(listed, weights, places.build(f"{city} {name}", *_points(listed), np.minimum(km2, 30.0), each))
