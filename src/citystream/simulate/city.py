"""The synthetic cities: everything that four datasets ever published about a stretch of days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from citystream.errors import ConfigError, UnknownName
from citystream.simulate import chicago, san_diego, seattle, toronto
from citystream.simulate.published import PublishedTable

Generator = Callable[[Sequence[date], int, float], PublishedTable]

_GENERATORS: dict[str, tuple[str, Generator]] = {
    chicago.DATASET: (chicago.RESOURCE, chicago.generate),
    toronto.DATASET: (toronto.RESOURCE, toronto.generate),
    san_diego.DATASET: (san_diego.RESOURCE, san_diego.generate),
    seattle.DATASET: (seattle.RESOURCE, seattle.generate),
}

#: Where each publisher writes when it happened.
OCCURRED = ("date", "datetime", "date_time", "occ_date")

#: Dataset -> its id on the simulated portal. Chicago and Seattle have their real ones.
RESOURCES: dict[str, str] = {dataset: resource for dataset, (resource, _) in _GENERATORS.items()}


@dataclass(frozen=True, slots=True)
class History:
    """All versions of all records of *dataset*; *table* is what a portal serves."""

    dataset: str
    resource: str
    table: PublishedTable

    def at(self, when: datetime) -> pa.Table:
        """The rows as published at *when*, API names, text."""
        return self.table.at(when)


def generate(dataset: str, *, start: date, end: date, seed: int = 1, scale: float = 1.0) -> History:
    """The history of *dataset*: every event from *start* to *end*, both included.

    Whole months are drawn and then cut, so that a history that ends later begins with the same records.
    *scale* 1.0 is about 690 Chicago records a day, 205 in San Diego, 160 in Seattle and 10 in Toronto. The same
    arguments give the same bytes on every machine.
    Raises `UnknownName` for a dataset that is not simulated, `ConfigError` if *end* is before *start*.
    """
    if dataset not in _GENERATORS:
        raise UnknownName(f"{dataset} is not simulated", f"one of: {', '.join(_GENERATORS)}")
    if end < start:
        raise ConfigError(f"the end {end} is before the start {start}")
    resource, draw = _GENERATORS[dataset]
    return History(dataset, resource, _within(draw(_months(start, end), seed, scale), start, end))


def _within(table: PublishedTable, start: date, end: date) -> PublishedTable:
    """The records that occurred from *start* to *end*."""
    happened = table.rows[next(c for c in OCCURRED if c in table.types)]
    after = (end + timedelta(days=1)).isoformat()
    inside = pc.and_(pc.greater_equal(happened, start.isoformat()), pc.less(happened, after))
    which = inside.to_numpy(zero_copy_only=False)
    return replace(
        table,
        rows=table.rows.filter(inside),
        key=table.key[which],
        published_at=table.published_at[which],
        ended_at=table.ended_at[which],
        created_at=table.created_at[which],
    )  # fmt: skip


def _months(start: date, end: date) -> list[date]:
    first, last = start.year * 12 + start.month - 1, end.year * 12 + end.month - 1
    return [date(m // 12, m % 12 + 1, 1) for m in range(first, last + 1)]
