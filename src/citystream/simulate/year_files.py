"""A table as plain CSV files, one for each year, on a web server that knows ETag and Last-Modified."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from hashlib import md5

import pyarrow as pa
import pyarrow.compute as pc
from starlette.responses import PlainTextResponse, Response

from citystream.simulate import layouts, san_diego
from citystream.simulate.asked import Asked
from citystream.simulate.export import written
from citystream.simulate.served import SINCE, View
from citystream.simulate.zones import moment

_NAME = re.compile(r"pd_calls_for_service_(\d{4})_datasd\.csv")

#: Headers are in capitals from this year's file on.
_CAPITALS_SINCE = 2024


def file(asked: Asked) -> Response:
    """The file of a year, 304 if it is the one the asker has, 404 if there is none."""
    name = _NAME.fullmatch(asked.request.path_params["file"])
    rows = _of_year(asked, name[1]) if name else None
    if name is None or rows is None or not rows.num_rows:
        return PlainTextResponse("Not Found", 404)
    body = written(rows, _layout(int(name[1]), asked.view))
    etag = f'"{md5(body, usedforsecurity=False).hexdigest()}"'
    changed = moment(pc.max(rows[SINCE]).as_py())
    if _known(asked, etag, changed):
        return Response(status_code=304, headers={"ETag": etag})
    return asked.answer(body, "csv", {"ETag": etag, "Last-Modified": format_datetime(changed, usegmt=True)})


def _known(asked: Asked, etag: str, changed: datetime) -> bool:
    """Whether the asker has this version; the ETag, if there is one, decides alone."""
    headers = asked.request.headers
    if tag := headers.get("if-none-match"):
        return bool(tag == etag)
    return bool(headers.get("if-modified-since") == format_datetime(changed, usegmt=True))


def _of_year(asked: Asked, year: str) -> pa.Table:
    rows = asked.served.listing(asked.view)
    return rows.filter(pc.starts_with(rows["date_time"], f"{year}-"))


def _layout(year: int, view: View) -> layouts.Layout:
    layout = layouts.find(san_diego.DATASET, "upper" if year >= _CAPITALS_SINCE else "lower")
    names = {form(old): form(new) for old, new in view.renamed for form in (str.upper, str.lower)}
    return replace(layout, columns=tuple((names.get(header, header), sql) for header, sql in layout.columns))
