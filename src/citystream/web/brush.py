"""The brush index: each view by month, summed up from the beginning, so that dragging a period asks nobody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from citystream.web.columns import Integers
from citystream.web.filters import Filters, own_of
from citystream.web.query import Query
from citystream.web.selection import Paired, counted, counted_in_tail
from citystream.web.series import stretches


def index(query: Query, filters: Filters, views: Sequence[str]) -> tuple[list[str], dict[str, Integers]]:
    """The months, and of each view (months + 1) rows of running sums, one row after the other."""
    columns, engine = query.state.columns, query.engine
    starts, places = stretches(engine, columns, "month", Filters())
    names = [f"{start:%Y-%m}" for start in starts]
    found = {}
    for name in views:
        rest = filters.without(["t", *own_of(engine.dims, name)])
        unit = engine.unit(name, columns)
        pairs = Paired.of(places, len(names) + 1, unit)
        selection = rest.selection(engine)
        counts = counted(columns, selection, {name: pairs}, query.cancelled)[name]
        counts = counts + counted_in_tail(columns, selection, {name: pairs})[name]
        table = counts.reshape(len(names) + 1, unit.size)
        table[0] = 0  # what has no month is in no period
        found[name] = np.cumsum(table, axis=0).reshape(-1)
    return names, found
