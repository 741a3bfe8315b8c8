"""One file on a web server: fetched if it changed, read from disk, refused if it is not what it should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.errors import FileRefused, PortalError
from citystream.portals.files import FileVisit, open_export
from citystream.portals.http import HttpClient
from citystream.portals.shelf import Stamp

#: A file's last page is cut so short, since its cursor, which is long, stands beside each of its rows.
TAIL: Final = 1_000


@dataclass(frozen=True, slots=True)
class WebFile:
    """The file that was at *url*, now on disk and opened; *stamp* is what the server called this version."""

    url: str
    path: Path
    stamp: Stamp
    content: FileVisit

    def tables(self) -> Iterator[tuple[pa.Table, bool]]:
        """The rows in file order, and whether they are its last; removes the file. Raises `PortalError`."""
        try:
            held = pa.table({})
            for page in self.content.pages():
                if held.num_rows:
                    yield held, False
                held = page.rows
            yield from _with_tail(held)
        except FileRefused as refusal:
            raise refused(refusal, self.url, self.path) from refusal
        finally:
            self.path.unlink(missing_ok=True)


def _with_tail(rows: pa.Table) -> Iterator[tuple[pa.Table, bool]]:
    cut = max(0, rows.num_rows - TAIL)
    if cut:
        yield rows.slice(0, cut), False
    if rows.num_rows:
        yield rows.slice(cut), True


def fetch(client: HttpClient, url: str, known: Stamp, dataset: Dataset, folder: Path) -> WebFile | None:
    """The file at *url* as rows of *dataset*, by way of *folder*; None if it is the one *known*.

    Raises `PortalError`, also for a web page in its place.
    """
    path = folder / (url.rpartition("/")[2] or "file")
    headers = client.download(url, path, known.conditions)
    if headers is None:
        return None
    stamp = Stamp(headers.get("ETag", ""), headers.get("Last-Modified", ""))
    try:
        return WebFile(url, path, stamp, open_export(path, dataset))
    except FileRefused as refusal:
        path.unlink(missing_ok=True)
        raise refused(refusal, url, path) from refusal


def refused(refusal: FileRefused, url: str, path: Path) -> PortalError:
    """What is wrong with the file that was written to *path*, said of *url*."""
    return PortalError(refusal.message.replace(str(path), url), refusal.hint, url=url)


def today_at(client: HttpClient, url: str) -> date:
    """The day (UTC) by the clock of the server that has *url*. Raises `PortalError` if it does not tell.

    A copy from a cache has the time of its making, and beside it how many seconds ago that was.
    """
    told = client.head(url)
    made, age = moment(told.get("Date", "")), told.get("Age", "")
    if made is None:
        raise PortalError(
            f"{url}: the server does not say what day it is",
            "name the years in the city file: one source without {year} for each",
            url=url,
        )
    return (made + timedelta(seconds=int(age) if age.isdigit() else 0)).date()


def moment(text: str) -> datetime | None:
    """A time in a header as naive UTC; None if it is none."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
