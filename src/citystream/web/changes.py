"""How much a count changed, and whether that can be chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from citystream.catalog.dataset import SeriesBreak
from citystream.web.engine import Engine

#: A change is said from so many on, on both sides.
LEAST: Final = 20
LACKING: Final = "records of this day are missing: its feed was silent, or brought a part"
_WIDTH: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Change:
    """*change* as a share (0.031 is 3.1 % more), with its 95 % interval from *low* to *high* if counts vary by chance
    alone: the ratio of two Poisson counts, on the scale of logarithms. None where it may not be said.
    """

    change: float | None = None
    low: float | None = None
    high: float | None = None


def change(now: int, before: int, broken: object = None) -> Change:
    """From *before* to *now*; nothing across a series break, and nothing of small numbers."""
    if broken is not None or min(now, before) < LEAST:
        return Change()
    ratio, width = now / before, _WIDTH * math.sqrt(1 / now + 1 / before)
    return Change(ratio - 1, ratio * math.exp(-width) - 1, ratio * math.exp(width) - 1)


def broken(engine: Engine, first: date, last: date) -> dict[str, str] | None:
    """Why nothing from *first* to *last* can be compared: the first series break that is crossed or touched, or a day
    that lacks records: fewer of them are no fall.
    """
    found: Sequence[SeriesBreak] = engine.dataset.breaks_between(first, last)
    if found:
        return said(found[0])
    lacking = engine.arriving.lacks(first, last)
    if lacking is None:
        return None
    return {"from": lacking.isoformat(), "until": lacking.isoformat(), "why": LACKING, "kind": "missing"}


def said(one: SeriesBreak) -> dict[str, str]:
    """A series break for an answer."""
    return {"from": one.first.isoformat(), "until": one.last.isoformat(), "why": one.why}
