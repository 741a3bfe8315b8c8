"""Stretches of days: which are complete, and which are compared with which."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from citystream.web.columns import Columns
from citystream.web.engine import Engine
from citystream.web.filters import Period

How = Literal["previous", "year", "none"]
#: A year of whole weeks, so that equal weekdays are compared.
YEAR = 364


def complete_until(engine: Engine, columns: Columns, fetched_at: datetime | None) -> date | None:
    """The last day that is complete: it ended at least the dataset's lag before its newest record was fetched, and as
    long as that takes by what this store saw come (`arriving`).

    None if there is no day, or nothing was fetched.
    """
    if not columns.last or fetched_at is None:
        return None
    return min(engine.day(columns.last), engine.arriving.complete_until(engine.dataset, fetched_at))


@dataclass(frozen=True, slots=True)
class Compared:
    """Complete days *now* and the days *before* that they are compared with, as numbers; *rest* is provisional."""

    now: Period
    before: Period
    rest: Period | None

    @property
    def days(self) -> int:
        """How many days each side has."""
        return self.now[1] - self.now[0] + 1


def compared(
    engine: Engine, columns: Columns, period: Period | None, complete: date | None, how: How
) -> Compared | None:
    """What the complete days of *period* are compared with; None without a period, or if there is nothing before."""
    if how == "none" or period is None or complete is None:
        return None
    first, last = max(period[0], columns.first), min(period[1], engine.number(complete))
    if first > last:
        return None
    days = last - first + 1
    back = YEAR * math.ceil(days / YEAR) if how == "year" else days
    if first - back < columns.first:
        return None
    rest = (last + 1, period[1]) if period[1] > last else None
    return Compared((first, last), (first - back, last - back), rest)


def window(last: int, days: int, back: int = 0) -> Period:
    """The *days* days that end with number *last*, *back* days earlier."""
    return last - back - days + 1, last - back
