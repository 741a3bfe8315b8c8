"""One visit to a table that is read page by page with an offset, as CKAN and ArcGIS have them.

An offset is only worth something while the table stands still: rows that come or go move all that follow, and both
kinds number their rows anew at every reload. So a listing is complete only if the portal claims the same number of
rows before and after, that many came, in ascending order of their numbers, and its own time of change did not move.
If it moved, the next visit begins anew; if it moved back, an old copy answers, from which nothing is gone; if it did
not move since a whole listing, the next visit brings nothing.

Where equal rows are told apart by their number in the listing, a row that comes twice because others moved would pass
for one more record. The listing of such a dataset is kept on disk until it is known to be complete, or refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.errors import PortalError
from citystream.portals.spool import Spool
from citystream.ports import Listing, Page


@dataclass(frozen=True, slots=True)
class Stand:
    """What a portal says about a table just now.

    *columns*: published name -> type; *count*: its rows, *exact* unless the portal estimates; *version*: a text that
    is another one after every change, '' if the portal has none; *updated_at*: when it last changed (UTC).
    """

    columns: dict[str, str]
    count: int
    version: str
    updated_at: datetime | None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows from some offset on, *first* and *last* of the numbers they are ordered by, and whether more follow."""

    rows: pa.Table
    first: int
    last: int
    more: bool


class PagedTable(Protocol):
    """What a kind of portal knows about one of its tables; *home* is the address that messages name."""

    @property
    def home(self) -> str: ...

    def stand(self) -> Stand: ...

    def slice(self, offset: int) -> Slice: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the listing of a *version* was read: the first *offset* rows, or the *whole* of it.

    *at*: the newest time of change that the portal ever gave, in ISO form; '' if it gave none.
    """

    version: str = ""
    offset: int = 0
    whole: bool = False
    at: str = ""

    def text(self) -> str:
        """As compact JSON, for `Page.cursor`."""
        return json.dumps(asdict(self), separators=(",", ":"))


def parse(cursor: str) -> Progress:
    """The progress in *cursor*; the beginning for '' and for the cursor of another kind of portal.

    A dataset may change its portal, and nothing is lost by reading a listing from its beginning.
    """
    try:
        known = Progress(**json.loads(cursor)) if cursor else Progress()
    except (ValueError, TypeError):
        return Progress()
    types = (type(known.version), type(known.offset), type(known.whole), type(known.at))
    return known if types == (str, int, bool, str) and known.offset >= 0 else Progress()


def begin(table: PagedTable, stand: Stand, dataset: Dataset, cursor: str, *, full: bool) -> PagedVisit:
    """Continue the listing that broke off in *cursor*, bring nothing if the table is as it was, or read it all.

    *full* reads it all even if it is as it was. Where rows are *numbered* within a listing, none is continued.
    """
    known, numbered = parse(cursor), dataset.columns.event_id.counter
    same = known.version != "" and known.version == stand.version
    nothing_new = same and known.whole and not full
    rest = same and not known.whole and known.offset < stand.count and not numbered
    newest = max(known.at, stand.updated_at.isoformat() if stand.updated_at else "")
    start = known if nothing_new or rest else Progress(stand.version, at=newest)
    return PagedVisit(table, stand, start, numbered=numbered)


class PagedVisit:
    """A `Visit` to a table that is read with an offset.

    A table that is as it was is shown as ``incremental`` with 0 rows, for that is what is new since the cursor: as
    ``full`` it would pass for a listing that found nothing gone. `listing.complete` may turn False while the pages
    are read (look again after the last); a listing that was continued is never complete. With *numbered* a listing
    that is not complete is an error, and none of its pages is given out.
    """

    def __init__(self, table: PagedTable, stand: Stand, start: Progress, *, numbered: bool = False) -> None:
        self._table, self._before, self._start, self._numbered = table, stand, start, numbered
        self._after: Stand | None = stand if start.whole else None
        self._received = 0
        expected = 0 if start.whole else stand.count - start.offset
        self._stale = stand.updated_at is not None and stand.updated_at.isoformat() < start.at
        complete = stand.exact and not start.whole and not start.offset and not self._stale
        mode: Literal["full", "incremental"] = "incremental" if start.whole else "full"
        self.listing = Listing(stand.columns, expected, stand.updated_at, complete, mode)

    def pages(self) -> Iterator[Page]:
        """Pages in ascending order of the portal's row numbers; the cursor of each is where to go on after it."""
        if self._start.whole:
            return iter(())
        return self._believed() if self._numbered else self._as_they_come()

    def _as_they_come(self) -> Iterator[Page]:
        held: tuple[pa.Table, int] | None = None
        try:
            for rows, offset in self._read():
                if held:
                    yield self._page(*held)
                held = (rows, offset)
            self._end()
        except PortalError:
            # what was read whole is not lost: the next visit goes on after it
            if held:
                yield self._page(*held)
            raise
        if held:
            yield Page(held[0], self._finished().text())

    def _believed(self) -> Iterator[Page]:
        """All pages, once the listing was read to its end and agreed; there is nothing to go on from before."""
        with Spool() as spool:
            for rows, _ in self._read():
                spool.add(rows)
            self._end()
            if problem := self.verify(self._received):
                raise PortalError(problem, "nothing of it was taken: try again", url=self._table.home)
            given = 0
            for rows in spool.tables():
                given += rows.num_rows
                yield Page(rows, self._finished().text() if given == self._received else "")

    def verify(self, received: int) -> str:
        """'' if *received* rows are what the portal claims, before and after, and nothing changed meanwhile."""
        home, before, after = self._table.home, self._before, self._after
        if after is None:
            return f"{home} was not read to its end"
        if self._stale:
            return f"{home} was last changed at {before.updated_at}, it says, and was newer before ({self._start.at})"
        if before.columns != after.columns:
            return f"{home} got other columns while it was read"
        if before.version != after.version:
            return f"{home} was changed while it was read ({before.count} rows before, {after.count} after)"
        due, low, high = self._start.offset, *sorted((before.count, after.count))
        if low != high or (received != (self.listing.count or 0) and before.exact):
            claimed = str(low - due) if low == high else f"{low - due} to {high - due}"
            return f"{home} claims {claimed} rows, {received} came"
        return ""

    def _page(self, rows: pa.Table, offset: int) -> Page:
        return Page(rows, replace(self._start, offset=offset).text())

    def _read(self) -> Iterator[tuple[pa.Table, int]]:
        """Rows and the offset after them, until nothing comes, or no more is announced and the count is reached."""
        offset, last = self._start.offset, -1
        while (found := self._table.slice(offset)).rows.num_rows:
            if found.first <= last:
                raise self._not_in_order()
            last = found.last
            offset += found.rows.num_rows
            self._received += found.rows.num_rows
            yield found.rows, offset
            if not found.more and offset >= self._before.count:
                return

    def _end(self) -> None:
        """See whether a complete listing still is one."""
        self._after = self._table.stand()
        if self.verify(self._received):
            self.listing = replace(self.listing, complete=False)

    def _finished(self) -> Progress:
        """Where the next visit begins: nothing is due only after a listing that was complete."""
        at = self._start.at
        return Progress(self._before.version, 0, whole=True, at=at) if self.listing.complete else Progress(at=at)

    def _not_in_order(self) -> PortalError:
        home = self._table.home
        return PortalError(
            f"{home}: a page does not follow the one before it, so the table cannot be read to its end",
            "it was probably reloaded meanwhile: try again; if it stays so, tell the portal",
            url=home,
        )
