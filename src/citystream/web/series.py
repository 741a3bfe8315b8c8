"""Counts over time, one series for each value of a dimension: small multiples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

import numpy as np

from citystream.web.columns import Columns, Integers
from citystream.web.engine import Engine
from citystream.web.filters import Filters, own_of
from citystream.web.query import Query
from citystream.web.selection import ALL, Paired, counted, counted_in_tail
from citystream.web.words import Codes

Grain = Literal["day", "week", "month", "year"]
#: Series that are told apart, at most; the rest is one.
MOST_SERIES: Final = 100


@dataclass(frozen=True, slots=True)
class Series:
    """*starts* of the stretches; *counts* of shape (value, stretch); *names* of the values."""

    starts: list[str]
    names: tuple[str | None, ...]
    counts: Integers

    def told(self, top: int) -> dict[str, object]:
        """The *top* largest for an answer, in order, and the sum of the others."""
        totals = self.counts.sum(axis=1)
        order = np.argsort(-totals, kind="stable")
        order = order[totals[order] > 0]
        shown, rest = order[:top], order[top:]
        series = [
            {"name": self.names[n], "counts": self.counts[n].tolist(), "total": int(totals[n])} for n in shown.tolist()
        ]
        return {"starts": self.starts, "series": series, "others": self.counts[rest].sum(axis=0).tolist()}


def series(query: Query, filters: Filters, by: str, grain: Grain) -> Series:
    """The events that *filters* leave, without the filter on *by* ('' for one series of all)."""
    engine, columns = query.engine, query.state.columns
    rest = filters.without(own_of(engine.dims, by)) if by else filters
    unit = engine.unit(by, columns) if by else ALL
    starts, places = stretches(engine, columns, grain, filters)
    paired = Paired.of(places, len(starts) + 1, unit)
    selection = rest.selection(engine)
    counts = counted(columns, selection, {by: paired}, query.cancelled)[by]
    counts = counts + counted_in_tail(columns, selection, {by: paired})[by]
    table = counts.reshape(len(starts) + 1, unit.size)[1:].T
    return Series([each.isoformat() for each in starts], engine.names(by).values if by else (None,), table)


def stretches(engine: Engine, columns: Columns, grain: Grain, filters: Filters) -> tuple[list[date], Codes]:
    """The stretches from the first to the last day, and from the number of a day to its stretch from 1 on."""
    places = np.zeros(65_536, np.uint16)
    low, high = filters.period or (columns.first, columns.last)
    first, last = max(low, columns.first), min(high, columns.last)
    if not columns.last or first > last:
        return [], places
    starts = [_start(engine.day(first), grain)]
    while (following := _next(starts[-1], grain)) <= engine.day(last):
        starts.append(following)
    for number, start in enumerate(starts, 1):
        places[max(engine.number(start), first) : last + 1] = number
    return starts, places


def _start(day: date, grain: Grain) -> date:
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day if grain == "day" else day.replace(day=1) if grain == "month" else day.replace(month=1, day=1)


def _next(start: date, grain: Grain) -> date:
    if grain in ("day", "week"):
        return start + timedelta(days=7 if grain == "week" else 1)
    if grain == "month":
        return (start + timedelta(days=31)).replace(day=1)
    return start.replace(year=start.year + 1)
