"""A table as plain CSV files, one for each year, on a web server that knows ETag and Last-Modified."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import md5

import pyarrow as pa
import pyarrow.compute as pc
from starlette.responses import PlainTextResponse, Response

from citystream.simulate import layouts, san_diego, san_diego_nibrs
from citystream.simulate.asked import Asked
from citystream.simulate.city import occurred_in
from citystream.simulate.export import written
from citystream.simulate.served import SINCE, View
from citystream.simulate.zones import moment

#: Headers are in capitals from this year's file on.
_CAPITALS_SINCE = 2024

#: So long into a year its file may not be there yet.
_NEW_YEAR = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class YearFiles:
    """The files of *dataset* in *folder*, called *name* with a year in it, from the year *first* on.

    What the history has nothing about, back to *first*, is a file with a header and no rows.
    """

    dataset: str
    resource: str
    folder: str
    name: str
    first: int

    def year(self, asked: Asked) -> int | None:
        """The year whose file is asked for; None if there is none of that name."""
        found = re.fullmatch(re.escape(self.name).replace(r"\{year\}", r"(\d{4})"), asked.request.path_params["file"])
        return int(found[1]) if found else None


#: As San Diego publishes both of its datasets.
CALLS = YearFiles(
    san_diego.DATASET, san_diego.RESOURCE, "police_calls_for_service", "pd_calls_for_service_{year}_datasd.csv", 2015
)
NIBRS = YearFiles(
    san_diego_nibrs.DATASET, san_diego_nibrs.SHEET.parts[0].resource, "police_nibrs", "pd_nibrs_{year}_datasd.csv", 2020
)


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is now."""

    body: bytes
    etag: str
    changed: datetime


def answers(files: YearFiles) -> Callable[[Asked], Response]:
    """What answers where *files* are."""
    return lambda asked: _answer(files, asked)


def _answer(files: YearFiles, asked: Asked) -> Response:
    """The file of a year, 304 if it is the one the asker has, 404 if there is none."""
    year = files.year(asked)
    if year is None or not files.first <= year <= asked.view.now.year:
        return PlainTextResponse("Not Found", 404)
    file = asked.served.kept(asked.view, f"file {year}", lambda: _made(files, asked, year))
    if file is None:
        return PlainTextResponse("Not Found", 404)
    if _known(asked, file):
        return Response(status_code=304, headers={"ETag": file.etag})
    told = {"ETag": file.etag, "Last-Modified": format_datetime(file.changed, usegmt=True)}
    return asked.answer(file.body, "csv", told)


def _made(files: YearFiles, asked: Asked, year: int) -> _File | None:
    """The file of *year*; None early in it while nothing of it has been published."""
    column = occurred_in(asked.served.table)
    rows, all_rows = (_listing(asked, view) for view in (asked.view, View(asked.view.now)))
    happened = rows[column]
    begun = asked.view.now - datetime(asked.view.now.year, 1, 1, tzinfo=UTC) > _NEW_YEAR
    if not begun and year > int((pc.max(all_rows[column]).as_py() or "0000")[:4]):
        return None
    of_year = rows.filter(pc.starts_with(happened, f"{year}-"))
    body = written(of_year, _layout(files, year, asked.view))
    changed = moment(pc.max((of_year if len(of_year) else rows)[SINCE]).as_py())
    return _File(body, f'"{md5(body, usedforsecurity=False).hexdigest()}"', changed)


def _listing(asked: Asked, view: View) -> pa.Table:
    """All rows in *view*, kept for the files of the other years."""
    return asked.served.kept(view, "listing", lambda: asked.served.listing(view))


def _known(asked: Asked, file: _File) -> bool:
    """Whether the asker has this version; the ETag, if there is one, decides alone."""
    headers = asked.request.headers
    if tag := headers.get("if-none-match"):
        return bool(tag == file.etag)
    return bool(headers.get("if-modified-since") == format_datetime(file.changed, usegmt=True))


def _layout(files: YearFiles, year: int, view: View) -> layouts.Layout:
    layout = layouts.find(files.dataset, "upper" if year >= _CAPITALS_SINCE else "lower")
    names = {form(old): form(new) for old, new in view.renamed for form in (str.upper, str.lower)}
    return replace(layout, columns=tuple((names.get(header, header), sql) for header, sql in layout.columns))
