"""Plain files on a web server, one for all or one for each year, as San Diego publishes its calls.

In a city file::

    { portal = "files", url = "https://seshat.datasd.org/.../pd_calls_for_service_{year}_datasd.csv",
      covers_from = 2015-01-01, relist = "P30D" }

The years go from *covers_from* (or *valid_from*) to the one it is at the publisher's: the server's own clock tells
with every answer. A file is asked for with the stamp of its last reading, so that one that did not change costs
nothing; it is written to a temporary file and read from there, whatever its size. A visit asks for the newest file,
for that of last year while records of it may still come (by the dataset's cadence and lag), and for all once per
*relist*: past years are nearly static.

A complete listing has every file, changed or not: only then can be told which records are gone.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import pyarrow as pa

from citystream.catalog.dataset import Dataset, Source
from citystream.catalog.look import Look
from citystream.errors import PortalError
from citystream.portals.file_look import look_at_web_file
from citystream.portals.http import HttpClient
from citystream.portals.shelf import Shelf, Stamp, parse
from citystream.portals.web_file import WebFile, fetch, moment, today_at
from citystream.portals.year_files import Plan, address, plan, years_known
from citystream.ports import Listing, Page
from citystream.schema import UNREADABLE

_ABSENT = frozenset({403, 404, 410})


class FilePortal:
    """A web server with files; *token* and *page_size* are for other kinds of portals."""

    def __init__(self, client: HttpClient | None = None, token: str = "", page_size: int = 0) -> None:
        del token, page_size
        self._client = client or HttpClient()

    def visit(self, dataset: Dataset, source: Source, cursor: str, *, full: bool, overlap: bool) -> WebFilesVisit:
        """What changed since *cursor*, or with *full* all files, or the rest of a complete listing that broke off.

        Files are read whole, so *overlap* means nothing here. Raises `PortalError`.
        """
        shelf = parse(cursor)
        today = today_at(self._client, address(source, years_known(source, shelf)))
        asked = plan(source, shelf, today, full=full, late=dataset.cadence + dataset.lag)
        return WebFilesVisit(self._client, dataset, source, asked)

    def look(self, source: Source, rows: int) -> Look:
        """The header and the first *rows* rows of the newest file. Raises `PortalError`."""
        shelf = Shelf()
        today = today_at(self._client, address(source, years_known(source, shelf)))
        asked = plan(source, shelf, today, full=True)
        try:
            return look_at_web_file(self._client, address(source, asked.years[0]), rows)
        except PortalError as refusal:
            if not (asked.new_year and refusal.status in _ABSENT):
                raise
        return look_at_web_file(self._client, address(source, asked.years[1]), rows)


class WebFilesVisit:
    """A `Visit` to the files of a *plan*, the newest first; that one is fetched at once, for its header.

    Pages within a file have no cursor, since a file is read whole; the one at its end has. `listing.complete` is
    True only if every file is read in this visit.
    """

    def __init__(self, client: HttpClient, dataset: Dataset, source: Source, asked: Plan) -> None:
        self._client, self._dataset, self._source = client, dataset, source
        self._folder = Path(tempfile.mkdtemp(prefix="citystream-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._read, self._ended, self._cut_off = 0, False, ""
        self._plan, self._newest = self._with_newest(asked)
        self._shelf = self._plan.shelf
        if self._newest:
            self._shelf = replace(self._shelf, columns=tuple(self._newest.content.listing.columns))
        complete = self._plan.whole and not self._plan.continued
        columns = dict.fromkeys(self._shelf.columns, "text")
        mode: Literal["full", "incremental"] = "full" if self._plan.whole else "incremental"
        self.listing = Listing(columns, None, self._updated_at(), complete, mode)

    def pages(self) -> Iterator[Page]:
        """Pages of the files, the newest first, each in its order. Raises `PortalError`."""
        held: tuple[pa.Table, Shelf] | None = None
        try:
            for rows, shelf in self._tables():
                if held:
                    yield Page(held[0], held[1].text())
                held = (rows, shelf) if shelf else None
                if not shelf:
                    yield Page(rows, "")
        except PortalError:
            # the file that was read whole is not lost: the next visit goes on with the others
            if held:
                yield Page(held[0], held[1].text())
            raise
        self._ended = True
        if held:
            yield Page(held[0], self._plan.finished(self._shelf).text())

    def verify(self, received: int) -> str:
        """'' if *received* is the number of records in the files; how many there should be no server says."""
        if not self._ended:
            return f"{self._source.url} was not read to its end"
        if self._cut_off:
            return f"{self._cut_off} ends within a record, so it was probably cut off"
        return "" if received == self._read else f"the files have {self._read} records, {received} were received"

    def _with_newest(self, asked: Plan) -> tuple[Plan, WebFile | None]:
        """The newest file. Early in a year it may be last year's: the plan is then without this year."""
        try:
            return asked, self._fetch(asked.years[0], asked.shelf)
        except PortalError as refusal:
            if not (asked.new_year and refusal.status in _ABSENT):
                raise
        rest = replace(asked, years=asked.years[1:])
        return rest, self._fetch(rest.years[0], rest.shelf)

    def _fetch(self, year: str, shelf: Shelf) -> WebFile | None:
        known = shelf.files.get(year, Stamp())
        return fetch(self._client, address(self._source, year), known, self._dataset, self._folder)

    def _tables(self) -> Iterator[tuple[pa.Table, Shelf | None]]:
        """Rows, and at the end of each file what is then on the shelf."""
        for place, year in enumerate(self._plan.years):
            file = self._fetch(year, self._shelf) if place else self._newest
            if file is None:
                continue
            for rows, last in file.tables():
                self._read += rows.num_rows
                if last and _ends_within_a_record(rows):
                    self._cut_off = address(self._source, year)
                elif last:
                    self._shelf = self._shelf.read(year, file.stamp)
                yield rows, self._shelf if last else None
            # a file with a header and no rows was read too; one that was cut off is asked for again
            if self._cut_off != address(self._source, year):
                self._shelf = self._shelf.read(year, file.stamp)

    def _updated_at(self) -> datetime | None:
        """When the newest file was last changed."""
        known = self._shelf.files.get(self._plan.years[0], Stamp())
        return moment((self._newest.stamp if self._newest else known).modified)


def _ends_within_a_record(rows: pa.Table) -> bool:
    """Whether the last of *rows* could not be split into columns."""
    return UNREADABLE in rows.column_names and rows[UNREADABLE][-1].is_valid
