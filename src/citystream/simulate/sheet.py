"""A dataset in a few words: what is drawn about each record, what becomes of it, and how its publisher writes it.

Everything is a column of whole numbers with one value per record: drawn once, months apart from each other, and
written as text at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.simulate import zones
from citystream.simulate.draws import Draws
from citystream.simulate.occurrences import MINUTES_A_DAY, Occurrences, Traffic, draw_month, months_of
from citystream.simulate.published import PublishedTable
from citystream.simulate.versions import BACK, FOREVER, GONE, Changes, build

Integers = npt.NDArray[np.int64]
Columns = dict[str, Integers]
#: Seed, first day of a month, scale -> what happened in it.
Happen = Callable[[int, date, float], Occurrences]
Value = Callable[[Draws, Columns], Integers]

#: A later unit of time than any that is published.
_NEVER = 10**9


@dataclass(frozen=True, slots=True)
class Revision:
    """A *share* of the records gets another value of *field*, some time *after* it was published.

    *value* gives the new values of all records, *after* the quantiles of the delay in the units of ``first``;
    *only*: the records it may happen to.
    """

    field: str
    share: float
    value: Value
    after: tuple[float, ...] = (1, 2, 4, 9, 20, 60)
    only: Callable[[Columns], npt.NDArray[np.bool_]] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A table under an id of its own, which has the records of some days; open where a day is None."""

    resource: str
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A dataset.

    *types*: published columns and their types at the portal, *occurred* the one with the day of an event;
    *parts*: the tables it is published as, none where there are only files. *happen* gives what happened in a month
    (seed, month, scale). *draw* makes of it one value per record of each column that *write* turns into text; three
    have a meaning: ``minute`` (when it happened, wall clock, minutes since 1970), ``first`` (when it is published
    first), and ``number``, which is added: the record's place. *moment* turns a ``first`` into microseconds UTC.
    *gone* and *back*: the share of records that vanish, and of these the share that comes back. *headers*: names in
    files where they are no capitalised words.
    """

    dataset: str
    title: str
    parts: tuple[Part, ...]
    types: Mapping[str, str]
    occurred: str
    happen: Happen
    draw: Callable[[Draws, Occurrences], Columns]
    write: Callable[[Columns], Mapping[str, pa.Array | pa.ChunkedArray]]
    moment: Callable[[Integers], Integers]
    identifier: str = ""
    revisions: tuple[Revision, ...] = ()
    gone: float = 0.001
    back: float = 0.3
    headers: Mapping[str, str] = field(default_factory=dict)


def happening(traffic: Callable[[], Traffic]) -> Happen:
    """Events as *traffic* says."""
    return lambda seed, month, scale: draw_month(traffic(), seed, month, scale)


def picked(weights: Callable[[], npt.NDArray[np.float64]]) -> Value:
    """One of so many, each as often as its weight says, whatever it was before."""
    return lambda draws, drawn: draws.pick(len(drawn["first"]), weights())


def daily(zone: str, hour: int = 6) -> Callable[[Integers], Integers]:
    """Of a day: the moment when its batch is published, at a full *hour* in *zone*."""
    return lambda day: zones.to_utc(day * zones.DAY + hour * zones.HOUR, zone)


def generate(sheet: Sheet, start: date, end: date, seed: int, scale: float) -> PublishedTable:
    """Everything that is ever published about events from *start* to *end*, both included."""
    parts, revisions = [], []
    first = 0
    for month in months_of(start, end):
        found = sheet.happen(seed, month, scale)
        draws = Draws(seed, sheet.dataset, "records", month.year, month.month)
        parts.append(sheet.draw(draws, found))
        revisions += _revisions(sheet, draws, parts[-1], first)
        first += len(parts[-1]["first"])
    drawn = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    drawn["number"] = np.arange(first)
    return _table(sheet, drawn, Changes.joined(revisions), start, end)


def _revisions(sheet: Sheet, draws: Draws, drawn: Columns, start: int) -> list[Changes]:
    first = drawn["first"]
    n = len(first)
    found = []
    for number, revision in enumerate(sheet.revisions):
        chosen = draws.chance(n, revision.share)
        if revision.only is not None:
            chosen &= revision.only(drawn)
        at = first + np.maximum(1, draws.spread(n, revision.after).astype(np.int64))
        key = np.flatnonzero(chosen)
        found.append(Changes.of(key + start, at[key], number, revision.value(draws, drawn)[key]))
    key = np.flatnonzero(draws.chance(n, sheet.gone))
    gone = first[key] + 3 + draws.below(len(key), 40)
    back = draws.chance(len(key), sheet.back)
    again = gone + 2 + draws.below(len(key), 20)
    return [*found, Changes.of(key + start, gone, GONE), Changes.of(key[back] + start, again[back], BACK)]


def _table(sheet: Sheet, drawn: Columns, changes: Changes, start: date, end: date) -> PublishedTable:
    revised = [revision.field for revision in sheet.revisions]
    versions = build(drawn["first"], {name: drawn[name] for name in revised}, changes)
    inside = np.flatnonzero(_within(drawn["minute"], start, end)[versions.key])
    key = versions.key[inside]
    record = {name: values[key] for name, values in drawn.items()}
    record |= {name: values[inside] for name, values in versions.fields.items()}
    written = sheet.write(record)
    return PublishedTable(
        f"{sheet.title} (simulated)", dict(sheet.types), pa.table({name: written[name] for name in sheet.types}), key,
        _moments(sheet, versions.published_at[inside]), _moments(sheet, versions.ended_at[inside]),
        _moments(sheet, versions.created_at[inside]), sheet.identifier, occurred=sheet.occurred,
    )  # fmt: skip


def _within(minute: Integers, start: date, end: date) -> npt.NDArray[np.bool_]:
    first, last = ((day - date(1970, 1, 1)).days for day in (start, end))
    return np.asarray((minute >= first * MINUTES_A_DAY) & (minute < (last + 1) * MINUTES_A_DAY))


def _moments(sheet: Sheet, units: Integers) -> Integers:
    known = units < _NEVER
    return np.where(known, sheet.moment(np.where(known, units, 0)), FOREVER)
