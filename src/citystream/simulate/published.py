"""A published table with its whole past: versions of rows, each with the time at which it came and went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from citystream.errors import ConfigError
from citystream.simulate.versions import FOREVER
from citystream.simulate.zones import microseconds, moment

Integers = npt.NDArray[np.int64]

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_SLASHED = "%m/%d/%Y %I:%M:%S %p"


@dataclass(frozen=True, slots=True, eq=False)
class PublishedTable:
    """Rows as published (text), one for each version, and when each stood.

    *types*: the columns that are shown, in order, with the portal's type of each (*rows* may have more, which
    only file layouts use), *occurred* the one that says when an event was. Times are microseconds UTC; a version
    stands from *published_at* until before *ended_at*; *key* says which record it is a version of, *created_at* when
    that first appeared. Positions are written ``(lat, lon)``, booleans ``true`` or ``false``, times
    ``2024-05-01T13:30:00.000``.
    """

    name: str
    types: dict[str, str]
    rows: pa.Table
    key: Integers
    published_at: Integers
    ended_at: Integers
    created_at: Integers
    row_identifier: str = ""
    attribution: str = "Simulated city"
    licence: str = "Public domain (synthetic)"
    description: str = field(default="Invented rows in the publisher's format")
    occurred: str = ""

    @classmethod
    def from_arrow(
        cls,
        rows: pa.Table,
        *,
        types: Mapping[str, str] | None = None,
        name: str = "table",
        row_identifier: str = "",
        published_at: datetime = LONG_AGO,
    ) -> PublishedTable:
        """A table of text rows that were all published at one time; a column without a type is text.

        Empty text is no value; ``05/01/2024 01:30:00 PM`` becomes ISO where the type is a calendar date.
        """
        known = types or {}
        kinds = {column: known.get(column, "text") for column in rows.column_names}
        columns = [_as_text(rows[column], kind) for column, kind in kinds.items()]
        n = rows.num_rows
        at = np.full(n, microseconds(published_at), dtype=np.int64)
        forever = np.full(n, FOREVER, dtype=np.int64)
        text = pa.table(columns, names=list(kinds))
        return cls(name, kinds, text, np.arange(n, dtype=np.int64), at, forever, at, row_identifier)

    def then(self, rows: pa.Table, at: datetime) -> PublishedTable:
        """The same table, whose whole listing from *at* on is *rows* (text, same columns).

        Rows are recognised by the row identifier, which must be set: equal rows stand, others are revised,
        published, or taken away. Raises `ConfigError` without a row identifier.
        """
        if not self.row_identifier:
            raise ConfigError(f"table {self.name} has no row identifier, so rows cannot be followed")
        return _followed(self, rows, microseconds(at))

    def standing(self, at: datetime) -> Integers:
        """Positions of the versions that stand at *at*, in the order they were published."""
        us = microseconds(at)
        return np.flatnonzero((self.published_at <= us) & (us < self.ended_at)).astype(np.int64)

    def at(self, when: datetime) -> pa.Table:
        """The listing at *when*: the shown columns of all rows that stand then."""
        return self.rows.select(list(self.types)).take(pa.array(self.standing(when)))

    def moments(self) -> Integers:
        """All times at which the listing changed, ascending."""
        both = np.concatenate([self.published_at, self.ended_at[self.ended_at != FOREVER]])
        return np.unique(both)

    def last_change(self, at: datetime | None = None) -> datetime:
        """The newest change of the listing (by *at*)."""
        moments = self.moments()
        if at is not None:
            moments = moments[moments <= microseconds(at)]
        return moment(int(moments[-1])) if len(moments) else LONG_AGO


def _as_text(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    text = column.cast(pa.string())
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    if kind == "checkbox":
        return pc.utf8_lower(text)
    return _iso(text) if kind == "calendar_date" else text


def _iso(text: pa.ChunkedArray) -> pa.ChunkedArray:
    slashed = pc.strptime(text, format=_SLASHED, unit="ms", error_is_null=True)
    iso = pc.replace_substring(slashed.cast(pa.string()), " ", "T")
    return pc.coalesce(iso, text)


def _followed(table: PublishedTable, rows: pa.Table, at: int) -> PublishedTable:
    columns = [_as_text(rows[c], table.types[c]) for c in table.types]
    new = pa.table(columns, names=list(table.types))
    standing = np.flatnonzero(table.ended_at == FOREVER)
    old = table.rows.select(list(table.types)).take(pa.array(standing))
    where = {v: i for i, v in enumerate(old[table.row_identifier].to_pylist())}
    match = np.array([where.get(v, -1) for v in new[table.row_identifier].to_pylist()], dtype=np.int64)
    known = match >= 0
    same = np.zeros(len(match), dtype=bool)
    same[known] = _equal_rows(new.filter(pa.array(known)), old.take(pa.array(match[known])))
    ended = table.ended_at.copy()
    ended[np.delete(standing, match[same])] = at
    return _appended(replace(table, ended_at=ended), new, ~same, np.where(known, standing[match], -1), at)


def _appended(
    table: PublishedTable, new: pa.Table, fresh: npt.NDArray[np.bool_], ancestor: Integers, at: int
) -> PublishedTable:
    """*table* and the *fresh* rows of *new*; *ancestor* is the version that each one follows, -1 if none."""
    before = ancestor[fresh]
    n = len(before)
    unseen = int(table.key.max(initial=-1)) + 1 + np.arange(n)
    key = np.where(before < 0, unseen, table.key[before]) if n else unseen
    created = np.where(before < 0, at, table.created_at[before]) if n else unseen
    return replace(
        table,
        rows=pa.concat_tables([table.rows, new.filter(pa.array(fresh))]),
        key=np.concatenate([table.key, key]),
        published_at=np.concatenate([table.published_at, np.full(n, at, dtype=np.int64)]),
        ended_at=np.concatenate([table.ended_at, np.full(n, FOREVER, dtype=np.int64)]),
        created_at=np.concatenate([table.created_at, created]),
    )


def _equal_rows(left: pa.Table, right: pa.Table) -> npt.NDArray[np.bool_]:
    equal = np.ones(left.num_rows, dtype=bool)
    for name in left.column_names:
        a, b = left[name], right[name]
        same = pc.or_(pc.fill_null(pc.equal(a, b), False), pc.and_(pc.is_null(a), pc.is_null(b)))
        equal &= same.to_numpy(zero_copy_only=False).astype(bool)
    return equal
