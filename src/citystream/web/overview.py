"""The answer to "show me everything under these filters": figures under all of them, views each without its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

import numpy as np

from citystream.catalog.dataset import Dataset
from citystream.web import changes
from citystream.web.columns import Integers
from citystream.web.dimensions import NO_HOUR, PLACES
from citystream.web.filters import Filters, Period, own_of, said
from citystream.web.parts import Answer, View
from citystream.web.periods import YEAR, Compared, How, compared, complete_until, window
from citystream.web.query import Query
from citystream.web.resolution import Resolution, resolution
from citystream.web.selection import summed

RECENT: Final = 28
#: The views that the figures are read from.
_FIGURES: Final = ("arrest", "place", "when", "ucr_group")


@dataclass(frozen=True, slots=True)
class Overview:
    """What is asked: *views* by name, how to compare, which hexagons (``none`` for none); *fetched_at*: when the
    newest record was.
    """

    query: Query
    filters: Filters
    views: Sequence[str]
    how: How
    cells: str
    fetched_at: datetime | None

    @property
    def _dataset(self) -> Dataset:
        return self.query.engine.dataset

    def answer(self, meta: str) -> Answer:
        """All of it; *meta* is the version of what is known beforehand."""
        engine, columns = self.query.engine, self.query.state.columns
        complete = complete_until(engine, columns, self.fetched_at)
        pair = compared(engine, columns, self.filters.period, complete, self.how)
        self.query.prepare(self._wanted(pair))
        days = self.query.days(self.filters.without(["t"]))
        head: dict[str, object] = {
            "dataset": self._dataset.name,
            "kind": self._dataset.kind,
            "units": units_of(self._dataset),
            "version": self.query.state.version,
            "meta": meta,
            "filters": said(self.query.engine, self.filters),
            "dropped": [
                {"parameter": each.parameter, "value": each.value, "why": each.why} for each in self.filters.dropped
            ],
            "period": self._period(complete),
            "compared": self._compared(pair),
            "kpis": self._figures(pair, complete, days),
        }
        return Answer(head, self._views(pair, days))

    def _wanted(self, pair: Compared | None) -> Iterator[tuple[str, Filters]]:
        """Everything that is counted, so that it is counted together."""
        yield "days", self.filters.without(["t"])
        for name in _FIGURES:
            yield name, self.filters
        periods = [pair.now, pair.before, *([pair.rest] if pair.rest else [])] if pair else []
        for days in periods:
            yield "place", replace(self.filters, period=days)
        for name, own in self._own.items():
            rest = self.filters.without(own)
            for days in periods:
                yield name, replace(rest, period=days)
            if not periods:
                yield name, rest

    @property
    def _own(self) -> dict[str, tuple[str, ...]]:
        """The views but the days, each with the filters that it leaves out."""
        names = [*self.views, *([self.cells] if self.cells != "none" else [])]
        return {name: own_of(self.query.engine.dims, name) for name in names if name != "days"}

    def _views(self, pair: Compared | None, days: Integers) -> dict[str, View]:
        found = {}
        for name, own in self._own.items():
            shown = "cells" if name in ("coarse", "fine") else name
            left_out = ("box", "cell") if shown == "cells" else own
            found[shown] = View(left_out, *_evaluated(self.query, name, self.filters.without(own), pair))
        if "days" in self.views:
            first = self.query.state.columns.first
            since = self.query.engine.day(first).isoformat() if first else None
            found["days"] = View(("t",), days, first=since)
        return found

    def _period(self, complete: date | None) -> dict[str, object]:
        engine, period = self.query.engine, self.filters.period
        columns = self.query.state.columns
        low, high = period or (columns.first, columns.last)
        first, last = max(low, columns.first), min(high, columns.last)
        open_days = 0 if complete is None else max(0, last - max(first - 1, engine.number(complete)))
        return {
            "first": engine.day(first).isoformat() if columns.last else None,
            "last": engine.day(last).isoformat() if columns.last else None,
            "complete_until": complete.isoformat() if complete else None,
            "provisional_days": open_days,
        }

    def _compared(self, pair: Compared | None) -> dict[str, object] | None:
        if pair is None:
            return None
        day = self.query.engine.day
        return {
            "how": self.how,
            "first": day(pair.now[0]).isoformat(),
            "last": day(pair.now[1]).isoformat(),
            "before_first": day(pair.before[0]).isoformat(),
            "before_last": day(pair.before[1]).isoformat(),
            "days": pair.days,
            "break": changes.broken(self.query.engine, day(pair.before[0]), day(pair.now[1])),
        }

    def _figures(self, pair: Compared | None, complete: date | None, days: Integers) -> dict[str, object]:
        query, filters = self.query, self.filters
        seen = query.views(_FIGURES, filters)
        total = int(seen["place"].sum())
        found: dict[str, object] = {"total": total, "of": query.state.columns.total}
        found["provisional"] = self._provisional(complete)
        found["compared"], found["before"] = (
            (_total(query, filters, pair.now), _total(query, filters, pair.before)) if pair else (None, None)
        )
        found["recent"] = _recent(query, complete, days)
        found["resolved"] = self._resolved(seen["arrest"])
        found["place"] = {name: int(n) for name, n in zip(PLACES, seen["place"], strict=True)}
        without = int(seen["when"][NO_HOUR])
        found["hours"] = {"known": total - without, "without": without, "share": without / total if total else None}
        groups = query.engine.names("ucr_group").values
        found["groups"] = {name or "none": int(n) for name, n in zip(groups, seen["ucr_group"], strict=False)}
        found["sums"] = self._sums()
        return found

    def _provisional(self, complete: date | None) -> int:
        """How many of the events lie behind the last complete day."""
        if complete is None:
            return 0
        low, high = self.filters.period or (1, 65_535)
        low = max(low, self.query.engine.number(complete) + 1)
        return _total(self.query, self.filters, (low, high)) if low <= high else 0

    def _resolved(self, arrest: Integers) -> dict[str, object] | None:
        found: Resolution | None = resolution(self.query.engine)
        if found is None:
            return None
        counts = arrest if found.dimension == "arrest" else self.query.view(found.dimension, self.filters)
        known = int(counts[1:].sum())
        yes = int(sum(counts[code] for code in found.codes if code < len(counts)))
        return {"what": found.dimension, "n": yes, "known": known, "share": yes / known if known else None}

    def _sums(self) -> dict[str, object]:
        engine = self.query.engine
        found: dict[str, object] = {}
        for name, dimension in engine.dims.items():
            if dimension.form == "number":
                selection = self.filters.selection(engine)
                total, known, zero = summed(self.query.state.columns, selection, dimension.column, self.query.cancelled)
                found[name] = {"sum": total, "known": known, "zero": zero}
        return found


def units_of(dataset: Dataset) -> str:
    """What several rows of a dataset are called."""
    return {"offense": "offences", "dispatch": "dispatches"}.get(dataset.kind, f"{dataset.kind}s")


def _evaluated(
    query: Query, name: str, filters: Filters, pair: Compared | None
) -> tuple[Integers, Integers | None, Integers | None]:
    """A view's counts, those of complete days, and those before."""
    if pair is None:
        return query.view(name, filters), None, None
    now, before = (query.view(name, replace(filters, period=days)) for days in (pair.now, pair.before))
    rest = query.view(name, replace(filters, period=pair.rest)) if pair.rest else 0
    return now + rest, now, before


def _total(query: Query, filters: Filters, days: Period) -> int:
    return int(query.marks(replace(filters, period=days)).sum())


def _recent(query: Query, complete: date | None, days: Integers) -> dict[str, object] | None:
    """The newest complete days beside those before, and beside the same weekdays a year earlier."""
    columns = query.state.columns
    if complete is None:
        return None
    last = query.engine.number(complete)
    now = window(last, RECENT)
    n = _within(days, columns.first, now)
    found: dict[str, object] = {"days": RECENT, "n": n} | _dates(query, now)
    for name, back in (("before", RECENT), ("year", YEAR)):
        then = window(last, RECENT, back)
        if then[0] < columns.first:
            found[name] = None
            continue
        count = _within(days, columns.first, then)
        gap = changes.broken(query.engine, query.engine.day(then[0]), complete)
        how = changes.change(n, count, gap)
        told = {"change": how.change, "low": how.low, "high": how.high, "break": gap}
        found[name] = {"n": count} | _dates(query, then) | told
    return found


def _within(days: Integers, first: int, period: Period) -> int:
    """The sum of the counts of *days*, which begin with number *first*, over a period."""
    return int(np.sum(days[max(period[0] - first, 0) : max(period[1] - first + 1, 0)]))


def _dates(query: Query, period: Period) -> dict[str, object]:
    return {"first": query.engine.day(period[0]).isoformat(), "last": query.engine.day(period[1]).isoformat()}
