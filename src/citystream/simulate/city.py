"""The synthetic cities: everything that datasets ever published about a stretch of days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from citystream.errors import ConfigError, UnknownName
from citystream.simulate import chicago, san_diego, seattle, sheet, toronto
from citystream.simulate.occurrences import months_of
from citystream.simulate.published import PublishedTable
from citystream.simulate.sheet import Part
from citystream.simulate.sheets import SHEETS

#: First day, last day, seed, scale -> the table.
Generator = Callable[[date, date, int, float], PublishedTable]

#: Where each publisher writes when it happened, unless the table says it.
OCCURRED = ("date", "datetime", "date_time", "occ_date")


@dataclass(frozen=True, slots=True)
class History:
    """All versions of all records of *dataset*, and as which *parts* (tables with an id) a portal serves them."""

    dataset: str
    parts: tuple[Part, ...]
    table: PublishedTable

    @property
    def resource(self) -> str:
        """The id of the first part, '' if nobody serves it."""
        return self.parts[0].resource if self.parts else ""

    def at(self, when: datetime) -> pa.Table:
        """The rows as published at *when*, API names, text."""
        return self.table.at(when)

    def served(self) -> dict[str, PublishedTable]:
        """Id at the portal -> the table there."""
        if len(self.parts) == 1:
            return {self.resource: self.table}
        return {part.resource: between(self.table, part.first, part.last) for part in self.parts}


def generate(dataset: str, *, start: date, end: date, seed: int = 1, scale: float = 1.0) -> History:
    """The history of *dataset*: every event from *start* to *end*, both included.

    Whole months are drawn and then cut, so that a history that ends later begins with the same records.
    *scale* 1.0 is about 690 Chicago records a day, 205 calls in San Diego, 160 in Seattle, 20 to 70 of each other
    dataset, and every report of an instrument. The same arguments give the same bytes on every machine.
    Raises `UnknownName` for a dataset that is not simulated, `ConfigError` if *end* is before *start*.
    """
    if dataset not in _GENERATORS:
        raise UnknownName(f"{dataset} is not simulated", f"one of: {', '.join(_GENERATORS)}")
    if end < start:
        raise ConfigError(f"the end {end} is before the start {start}")
    parts, draw = _GENERATORS[dataset]
    return History(dataset, parts, draw(start, end, seed, scale))


def occurred_in(table: PublishedTable) -> str:
    """The column that says when an event was."""
    return table.occurred or next(column for column in OCCURRED if column in table.types)


def between(table: PublishedTable, start: date | None, end: date | None) -> PublishedTable:
    """The records that occurred from *start* to *end*; open where it is None."""
    happened = table.rows[occurred_in(table)]
    which = np.full(table.rows.num_rows, True)
    if start is not None:
        which &= _true(pc.greater_equal(happened, start.isoformat()))
    if end is not None:
        which &= _true(pc.less(happened, (end + timedelta(days=1)).isoformat()))
    return replace(
        table,
        rows=table.rows.filter(pa.array(which)),
        key=table.key[which],
        published_at=table.published_at[which],
        ended_at=table.ended_at[which],
        created_at=table.created_at[which],
    )


def _true(answers: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.fill_null(answers, False).to_numpy(zero_copy_only=False), dtype=bool)


def _cut(draw: Callable[[Sequence[date], int, float], PublishedTable]) -> Generator:
    """A generator of whole months as one of days."""
    return lambda start, end, seed, scale: between(draw(months_of(start, end), seed, scale), start, end)


_GENERATORS: dict[str, tuple[tuple[Part, ...], Generator]] = {
    **{city.DATASET: ((Part(city.RESOURCE),), _cut(city.generate)) for city in (chicago, toronto, san_diego, seattle)},
    **{each.dataset: (each.parts, partial(sheet.generate, each)) for each in SHEETS},
}

#: Everything that can be drawn.
DATASETS: tuple[str, ...] = tuple(_GENERATORS)

#: Dataset -> its id on the simulated portal (of its first part), the real one where it has one; without what is only
#: to be had as a file.
RESOURCES: dict[str, str] = {dataset: parts[0].resource for dataset, (parts, _) in _GENERATORS.items() if parts}
