"""A table as a package of a CKAN portal: the actions ``package_show`` and ``datastore_search``.

``_id`` numbers the rows anew with each change of the listing; a reload replaces the resource by one with another id.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import duckdb
import numpy as np
import pyarrow as pa
from starlette.responses import JSONResponse, Response

from citystream.simulate import layouts, toronto
from citystream.simulate.asked import Asked
from citystream.simulate.served import View

PACKAGE, NAME = "bicycle-thefts", "Bicycle Thefts"
USUAL, MOST = 100, 32_000
_LAYOUT = layouts.find(toronto.DATASET, "ckan-2024")


def package_show(asked: Asked) -> Response:
    """The package and its resources."""
    if asked.params.get("id") != PACKAGE:
        return JSONResponse(error(404, "Not found"), 404)
    modified = asked.served.edited(asked.view).replace(tzinfo=None).isoformat()
    files = [
        {"id": _id(asked, each), "name": f"{PACKAGE} - {each}", "datastore_active": False, "last_modified": modified}
        for each in ("4326.csv", "2952.csv", "4326.geojson")
    ]
    table = {"id": _id(asked, "table"), "name": NAME, "datastore_active": True, "last_modified": modified}
    package = {"name": PACKAGE, "title": NAME, "resources": [*files, table], "num_resources": len(files) + 1}
    return _succeeded(asked, package)


def datastore_search(asked: Asked) -> Response:
    """Some rows, the fields, and the number of all rows."""
    params = asked.params
    if params.get("resource_id") != _id(asked, "table"):
        return JSONResponse(error(404, "Not found: Resource was not found."), 404)
    rows = _rows(asked)
    limit, offset = min(int(params.get("limit", USUAL)), MOST), int(params.get("offset", "0"))
    fields = [{"id": name, "type": _type(values)} for name, values in zip(rows.column_names, rows.columns, strict=True)]
    return _succeeded(
        asked,
        {
            "resource_id": params["resource_id"],
            "fields": fields,
            "records": rows.slice(offset, limit).to_pylist(),
            "limit": limit,
            "total": rows.num_rows,
        },
    )


def error(status: int, message: str) -> dict[str, object]:
    """An error as this kind of portal writes it."""
    kind = "Not Found Error" if status == 404 else "Internal Server Error"
    return {"success": False, "error": {"__type": kind, "message": message}}


def _succeeded(asked: Asked, result: dict[str, Any]) -> Response:
    action = asked.request.url.path.rpartition("/")[2]
    answer = {"help": f"{action}?", "success": True, "result": result}
    return asked.answer(json.dumps(answer).encode())


def _id(asked: Asked, what: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{PACKAGE} {what} {asked.served.reloads}"))


def _rows(asked: Asked) -> pa.Table:
    """The listing as the layout of the publisher has it, numbers as such."""
    return asked.served.kept(asked.view, "package", lambda: _made(asked))


def _made(asked: Asked) -> pa.Table:
    view = asked.view
    listing = asked.served.listing(View(view.now, (), view.at_most))
    listing = listing.append_column("position", pa.array(np.arange(1, listing.num_rows + 1)))
    columns = ", ".join(f'{_sql(header, sql)} as "{header}"' for header, sql in _renamed(view).columns)
    with duckdb.connect() as connection:
        connection.register("listing", listing)
        return connection.sql(f"select {columns} from listing order by position").to_arrow_table()


def _renamed(view: View) -> layouts.Layout:
    names = {old.upper(): new.upper() for old, new in view.renamed}
    return replace(_LAYOUT, columns=tuple((names.get(header, header), sql) for header, sql in _LAYOUT.columns))


def _sql(header: str, sql: str) -> str:
    """A text without a value is the word None, a number without one is null."""
    if header == "_id":
        return "position"
    if toronto.TYPES.get(sql) == "number":
        return f"try_cast({sql} as double)" if sql.endswith(("wgs84", "cost")) else f"try_cast({sql} as bigint)"
    return f"coalesce({sql}, '{_LAYOUT.nothing}')"


def _type(values: pa.ChunkedArray) -> str:
    if pa.types.is_floating(values.type):
        return "float8"
    return "int4" if pa.types.is_integer(values.type) else "text"
