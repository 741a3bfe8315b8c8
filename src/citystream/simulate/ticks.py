"""What instruments say at fixed times: as occurrences, of which an area is a station, and weather in curves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from citystream.simulate import zones
from citystream.simulate.draws import Draws
from citystream.simulate.occurrences import MINUTES_A_DAY, Occurrences

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ticks:
    """*stations* of *dataset* that report every so many *minutes*; the share *kept* of the reports arrives.

    *zone*: of the clock on the wall, which skips an hour in spring ('': UTC).
    """

    dataset: str
    minutes: int
    stations: int
    kept: float
    zone: str = ""

    def month(self, seed: int, month: date, scale: float) -> Occurrences:
        """All reports of the month that begins on *month*; below 1, *scale* is the share of them that there are."""
        after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        begin, end = ((day - date(1970, 1, 1)).days * MINUTES_A_DAY for day in (month, after))
        at = np.arange(begin, end, self.minutes, dtype=np.int64)
        for gap in zones.gaps(self.zone) // zones.MINUTE if self.zone else []:
            at = at[(at < gap) | (at >= gap + 60)]
        minute, station = np.repeat(at, self.stations), np.tile(np.arange(self.stations), len(at))
        draws = Draws(seed, self.dataset, "ticks", month.year, month.month)
        there = draws.chance(len(minute), min(1.0, scale) * self.kept)
        return Occurrences(minute[there], np.zeros(int(there.sum()), dtype=np.int64), station[there])


def curve(at: Integers, period: int, values: tuple[float, ...]) -> Floats:
    """*values*, equally spaced over a *period* that repeats, with straight lines between them, at each of *at*."""
    marks = np.array([*values, values[0]])
    place = (at % period) * (len(values) / period)
    left = place.astype(np.int64)
    return np.asarray(marks[left] + (marks[left + 1] - marks[left]) * (place - left))
