"""Socrata portals: the open data sites of Chicago, Seattle, Austin, Los Angeles and many more.

A table that people see at ``https://data.cityofchicago.org/d/ijzp-q8t2`` is, in a city file::

    { portal = "socrata", host = "data.cityofchicago.org", resource = "ijzp-q8t2", cursor = "updated_on" }

It is asked through SODA 2; with ``api = "soda3"`` through SODA 3, which wants an app token with every question.

A visit asks for the table's description, the number of its rows, the rows, and their number again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from citystream.catalog.dataset import Dataset, Source
from citystream.catalog.look import Look
from citystream.errors import PortalError
from citystream.portals.addresses import root
from citystream.portals.columns import other_columns, require
from citystream.portals.http import HttpClient
from citystream.portals.json_values import Row, names_of, table_of
from citystream.portals.looking import look_at_soda
from citystream.portals.soda import Order, Position, behind, parse
from citystream.portals.soda_table import Described, SodaTable
from citystream.ports import Listing, Page


class SocrataPortal:
    """A Socrata portal.

    *token*: an app token, sent as a header and never shown; *page_size*: rows per request.
    """

    def __init__(self, client: HttpClient | None = None, token: str = "", page_size: int = 50_000) -> None:
        self._client = client or HttpClient()
        self._token, self._page_size = token, page_size

    def visit(self, dataset: Dataset, source: Source, cursor: str, *, full: bool, overlap: bool) -> SocrataVisit:
        """Continue a listing that was interrupted, or read what is newer than *cursor*.

        *full*, or a source without a cursor column, begins a complete listing. Raises `PortalError`.
        """
        table = self._table(source)
        described = table.describe()
        require(dataset, described.columns, table.home, _no_cursor(source, described))
        # rows that are numbered within a listing cannot be numbered from its middle
        start = parse("" if dataset.columns.event_id.counter else cursor, source.cursor)
        if start.unfinished:
            if table.count(Order().after(start)):
                return SocrataVisit(table, described, start)
            # it broke off after its last row: there is no page that could carry the cursor of its end
            start = start.finished()
        if full or start.mode == "full" or not source.cursor:
            at = table.newest(source.cursor) if source.cursor else ""
            return SocrataVisit(table, described, Position(by=source.cursor, at=at))
        return SocrataVisit(table, described, behind(start, source.overlap) if overlap else start)

    def look(self, source: Source, rows: int) -> Look:
        """What the portal says about the table, and *rows* of it as a sample. Raises `PortalError`."""
        return look_at_soda(replace(self._table(source), page_size=rows or 1), rows)

    def _table(self, source: Source) -> SodaTable:
        soda3 = source.api == "soda3"
        if soda3 and not self._token:
            raise PortalError(
                f"{source.host}: SODA 3 answers nobody without an app token",
                'set CITYSTREAM_SOCRATA_TOKEN (a token is free), or leave out api = "soda3"',
            )
        return SodaTable(self._client, root(source, "Socrata"), source.resource, self._token, self._page_size, soda3)


class SocrataVisit:
    """A `Visit` to a Socrata table.

    `listing.count` is how many rows this visit should bring. `listing.complete` is True only for a full listing
    from its beginning, and turns False (look again after the last page) if the portal called its copy out of
    date or changed rows meanwhile. A listing that was continued is not complete, though it ends with a cursor
    from which to go on incrementally.
    """

    def __init__(self, table: SodaTable, described: Described, start: Position) -> None:
        self._table, self._start = table, start
        whole = start.mode == "full"
        self._order = Order() if whole else Order(start.by, described.columns.get(start.by, ""))
        self._before = table.count(self._order.after(start))
        self._after: int | None = None
        self._stale = self._renamed = False
        self.listing = Listing(
            described.columns, self._before, described.updated_at, whole and not start.unfinished, start.mode
        )

    def pages(self) -> Iterator[Page]:
        """Pages in the order of the key; the cursor of each is where to go on after it."""
        held: tuple[pa.Table, Position] | None = None
        try:
            for rows, position in self._read():
                if held:
                    yield Page(held[0], held[1].text())
                held = (rows, position)
            self._end()
        except PortalError:
            # what was read whole is not lost: the next visit goes on after it
            if held:
                yield Page(held[0], held[1].text())
            raise
        if held:
            # what an old copy lacked would be passed over by going on from the newest cursor: begin anew
            again = (self._stale or self._renamed) and held[1].mode == "full"
            yield Page(held[0], (Position(by=self._start.by) if again else held[1].finished()).text())

    def verify(self, received: int) -> str:
        """'' if *received* lies between the counts before and after, from a copy that is not out of date."""
        home = self._table.home
        if self._after is None:
            return f"{home} was not read to its end"
        low, high = sorted((self._before, self._after))
        said = ["says that its own copy is out of date"] if self._stale else []
        said += ["got other columns while it was read"] if self._renamed else []
        if not low <= received <= high:
            said.append(f"claims {low if low == high else f'{low} to {high}'} rows, {received} came")
        return f"{home} {' and '.join(said)}" if said else ""

    def _read(self) -> Iterator[tuple[pa.Table, Position]]:
        """Rows and the position after them, until nothing comes, or a short page and the count agree."""
        position, received, last = self._start, 0, ""
        while rows := self._next(position):
            if rows[-1][":id"] == last:
                raise self._not_paging()
            last = str(rows[-1][":id"])
            position = self._past(rows[-1], position)
            received += len(rows)
            yield self._published(rows), position
            if len(rows) < self._table.page_size and self._recount() == received:
                return
        self._recount()

    def _next(self, position: Position) -> list[Row]:
        rows, stale = self._table.page(self._order, position)
        self._stale = self._stale or stale
        return rows

    def _past(self, row: Row, position: Position) -> Position:
        at = position.at if position.mode == "full" else str(row.get(position.by) or position.at)
        return replace(position, row=str(row[":id"]), at=at)

    def _recount(self) -> int:
        self._after = self._table.count(self._order.after(self._start))
        return self._after

    def _end(self) -> None:
        """See whether a complete listing still is one.

        A row that was taken away and published again under another ``:id`` can be missed without a trace in
        the count: so a listing during which rows changed must not tell which records are gone.
        """
        if not self.listing.complete:
            return
        described = self._table.describe()
        self._renamed = described.columns != self.listing.columns
        if self._stale or self._renamed or described.updated_at != self.listing.updated_at:
            self.listing = replace(self.listing, complete=False)

    def _published(self, rows: list[Row]) -> pa.Table:
        """Rows without the portal's own fields; a column that no row of the page has is null."""
        names = dict.fromkeys(self.listing.columns) | dict.fromkeys(names_of(rows))
        unknown = [name for name in names if name not in self.listing.columns and not name.startswith(":")]
        if unknown and self._table.describe().columns != self.listing.columns:
            raise other_columns(self._table.home, unknown)
        return table_of(rows, [name for name in names if not name.startswith(":")])

    def _not_paging(self) -> PortalError:
        home = self._table.home
        return PortalError(
            f"{home}: the same page came twice, so it cannot be read to its end", "tell the portal", url=home
        )


def _no_cursor(source: Source, described: Described) -> list[str]:
    """Its cursor column in words, if the table does not have it."""
    known = not source.cursor or source.cursor in described.columns or source.cursor.startswith(":")
    return [] if known else [f"its cursor ({source.cursor})"]
