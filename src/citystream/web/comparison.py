"""The comparison table: the last 28 complete days and the year to date, beside what they are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from citystream.catalog.districts import District, scheme
from citystream.errors import QueryError
from citystream.web.changes import broken, change
from citystream.web.columns import Integers
from citystream.web.filters import Filters, own_of
from citystream.web.periods import YEAR, complete_until
from citystream.web.query import Query

Days = tuple[date, date]
_RECENT: Final = 28
#: What is compared: the count, what it is compared with, and the ending of their change's names.
_PAIRS: Final = (("days28", "before28", "28"), ("days28", "year28", "_year28"), ("ytd", "ytd_before", "_ytd"))
_RATE_NOTE: Final = "residents of the area's list; their year is not known where the list does not say it"


def windows(until: date) -> dict[str, Days]:
    """The days that are counted, all of them complete, the last being *until*."""
    back = until - timedelta(days=_RECENT)
    return {
        "days28": (back + timedelta(days=1), until),
        "before28": (back - timedelta(days=_RECENT - 1), back),
        "year28": (back + timedelta(days=1 - YEAR), until - timedelta(days=YEAR)),
        "ytd": (date(until.year, 1, 1), until),
        "ytd_before": (date(until.year - 1, 1, 1), _year_before(until)),
        "last12": (_year_before(until) + timedelta(days=1), until),
    }


def comparison(
    query: Query, filters: Filters, by: str, until: date | None, fetched_at: datetime | None
) -> dict[str, object]:
    """One row for each value of the dimension *by*. Raises `QueryError` if *until* is not complete, or before
    the first day."""
    engine, columns = query.engine, query.state.columns
    complete = complete_until(engine, columns, fetched_at)
    if complete is None:
        raise QueryError(f"{engine.dataset.name} has no complete day yet", "wait for its next visit")
    if until is not None and until > complete:
        raise QueryError(f"{until} is not complete", f"the last complete day is {complete}")
    if until is not None and until < (first := engine.day(columns.first)):
        raise QueryError(f"{until} is before the first day", f"the first day is {first}")
    spans = windows(until or complete)
    counts = _counted(query, filters.without(["t", *own_of(engine.dims, by)]), by, spans)
    breaks = {name: broken(engine, spans[name][0], spans["days28"][1]) for name in ("before28", "year28", "ytd_before")}
    areas = _areas(query, by)
    names = engine.names(by).values
    rows = [_row(name, {key: int(each[n]) for key, each in counts.items()}, breaks, areas.get(name))
            for n, name in enumerate(names) if any(each[n] for each in counts.values())]  # fmt: skip
    total = {key: int(each.sum()) for key, each in counts.items()}
    return {
        "dataset": engine.dataset.name,
        "by": by,
        "until": (until or complete).isoformat(),
        "windows": {name: [first.isoformat(), last.isoformat()] for name, (first, last) in spans.items()},
        "breaks": breaks,
        "rate": {"per": 1000, "note": _RATE_NOTE} if any(each.residents for each in areas.values()) else None,
        "rows": rows,
        "total": _row(None, total, breaks, None),
    }


def _counted(query: Query, filters: Filters, by: str, spans: Mapping[str, Days]) -> dict[str, Integers]:
    """The counts of each window; None where it begins before the first day."""
    found = {}
    for name, (first, last) in spans.items():
        period = (query.engine.number(first), query.engine.number(last))
        found[name] = query.view(by, replace(filters, period=period))
    size = max(len(each) for each in found.values())
    return {name: np.pad(each, (0, size - len(each))) for name, each in found.items()}


def _row(
    name: str | None, counts: Mapping[str, int], breaks: Mapping[str, object], area: District | None
) -> dict[str, object]:
    row: dict[str, object] = {"name": name, **counts}
    for now, before, ending in _PAIRS:
        found = change(counts[now], counts[before], breaks[before])
        row |= {f"change{ending}": found.change, f"low{ending}": found.low, f"high{ending}": found.high}
    residents = area.residents if area else None
    row["residents"] = residents
    row["rate"] = counts["last12"] / residents * 1000 if residents else None
    return row


def _areas(query: Query, by: str) -> Mapping[str | None, District]:
    """What is known about the areas that a dimension's values name."""
    dataset, name = query.engine.dataset, query.engine.dims[by].scheme
    listed = scheme(dataset.name.partition("/")[0], name) if name else {}
    return dict(listed.items())


def _year_before(day: date) -> date:
    """The same day of the calendar; of 29 February the day before."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
