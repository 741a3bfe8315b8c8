"""Since when counts are what they are: the weeks in which a level changed, found in retrospect.

`drift` says while it happens that a level moves; this says afterwards when it did. A count y becomes 2 sqrt(y + 3/8),
which scatters alike at every level (Anscombe 1948, Biometrika 35:246-254). For each number of changes k the cuts with
the least squared error E(k) are found exactly, by dynamic programming (`ruptures.Dynp`, model l2; Truong, Oudre and
Vayatis 2020, Signal Processing 167:107299), and of all k the one with the least::

    E(k) / v + 2 k ln n        (Yao 1988, Statistics & Probability Letters 6:181-189)

v, at least 1, is the scatter from one week to the next, so that counts that scatter more than chance need more to say
that something changed. From two years on the usual course of a year is taken out before: two harmonics, fitted together
with a trend.

>>> import numpy as np
>>> counts = np.array([11, 9, 10, 12, 8, 10, 9, 11, 10, 10, 31, 28, 30, 33, 29, 27, 30, 32, 30, 31])
>>> level_changes(np.arange(20), counts)
Levels(starts=(0, 10), means=(10.0, 30.1), seasonal=False)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ruptures import Dynp

from citystream.detect.arrays import Floats
from citystream.ports import Integers

#: A level lasts so many weeks at least.
SHORTEST = 4
_YEAR = 365.2425 / 7
#: So many weeks show what is usual in a year.
_TWO_YEARS = 104
_HARMONICS = 2
_SPREAD_OF_NORMAL = 1.4826


@dataclass(frozen=True, slots=True)
class Levels:
    """The places of the weeks in which each level *starts*, the first one included, and the *means* of counts in each;
    *seasonal*: whether the usual course of a year was taken out to find them.
    """

    starts: tuple[int, ...]
    means: tuple[float, ...]
    seasonal: bool


def level_changes(weeks: Integers, counts: Integers, most: int = 3) -> Levels:
    """The levels of *counts* in *weeks* (numbers that rise; some may be missing), with *most* changes at most."""
    scaled = 2 * np.sqrt(counts + 0.375)
    seasonal = len(weeks) >= _TWO_YEARS
    if seasonal:
        scaled -= _course_of_a_year(weeks, scaled)
    starts = (0, *_cuts(scaled, min(most, len(counts) // SHORTEST - 1)))
    means = tuple(float(part.mean()) for part in np.split(np.asarray(counts, np.float64), starts[1:]))
    return Levels(starts, means, seasonal)


def _cuts(scaled: Floats, most: int) -> list[int]:
    """Where levels change."""
    if most < 1:
        return []
    search = Dynp(model="l2", min_size=SHORTEST, jump=1).fit(scaled)
    found: list[list[int]] = [[], *(search.predict(n_bkps=k)[:-1] for k in range(1, most + 1))]
    each = 2 * np.log(len(scaled)) * _variance(scaled)
    costs = [_error(scaled, cuts) + each * len(cuts) for cuts in found]
    return found[int(np.argmin(costs))]


def _error(scaled: Floats, cuts: list[int]) -> float:
    return sum(float(((part - part.mean()) ** 2).sum()) for part in np.split(scaled, cuts))


def _variance(scaled: Floats) -> float:
    """By what comes after what, which a change of level touches once."""
    steps = np.diff(scaled)
    spread = _SPREAD_OF_NORMAL * float(np.median(np.abs(steps - np.median(steps))))
    return max(spread**2 / 2, 1.0)


def _course_of_a_year(weeks: Integers, scaled: Floats) -> Floats:
    """What is usual for the time of the year, around 0."""
    turn = 2 * np.pi * np.arange(1, _HARMONICS + 1) * weeks[:, None] / _YEAR
    waves = np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    rest = np.stack([np.ones(len(weeks)), weeks - weeks.mean()], axis=1)
    fitted, *_ = np.linalg.lstsq(np.concatenate([waves, rest], axis=1), scaled, rcond=None)
    course = waves @ fitted[: 2 * _HARMONICS]
    return np.asarray(course - course.mean())
