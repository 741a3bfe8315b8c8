"""Events that are published as several rows: offences of one report, units of one call."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citystream.simulate.draws import Draws

Integers = npt.NDArray[np.int64]


def rows(draws: Draws, events: int, shares: tuple[float, ...]) -> tuple[Integers, Integers]:
    """For each row its event, and its place among the rows of that event, from 0.

    *shares*: how many of the events have a second row, how many of these a third, and so on.
    """
    more, count = np.full(events, True), np.ones(events, dtype=np.int64)
    for share in shares:
        more &= draws.chance(events, share)
        count += more
    event = np.repeat(np.arange(events), count)
    return event, np.arange(len(event)) - np.repeat(np.cumsum(count) - count, count)


def numbered(key: Integers) -> Integers:
    """A number from 1 for each distinct value of the ascending *key*."""
    return np.cumsum(np.append(np.ones(min(1, len(key)), dtype=np.int64), np.diff(key) != 0))


def within(key: Integers) -> Integers:
    """The place of each among those of equal, neighbouring *key*, from 0."""
    return np.arange(len(key)) - np.searchsorted(key, key)
