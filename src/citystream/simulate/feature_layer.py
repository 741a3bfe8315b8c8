"""A table as the layer of an ArcGIS feature server: ``?f=json`` and ``/query``.

The object id numbers the rows anew with each change of the listing, in an arbitrary order. Times are milliseconds
since 1970, errors come with status 200.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from starlette.responses import JSONResponse, Response

from citystream.simulate import toronto, zones
from citystream.simulate.asked import Asked
from citystream.simulate.draws import scattered
from citystream.simulate.faults import NoPaging
from citystream.simulate.served import KEY

MOST = 2_000
ID = "OBJECTID"
_WITHIN = re.compile(rf"{ID} >= (\d+) AND {ID} <= (\d+)")
_WGS84 = {"wkid": 4326, "latestWkid": 4326}
_TYPES = {"text": "esriFieldTypeString", "calendar_date": "esriFieldTypeDate"}


def describe(asked: Asked) -> Response:
    """The layer's own words."""
    old = _old(asked)
    rows = _rows(asked)
    fields = [{"name": ID, "type": "esriFieldTypeOID", "alias": ID}]
    fields += [{"name": name, "type": _kind(asked, name, rows[name]), "alias": name} for name in _attributes(rows)]
    layer: dict[str, Any] = {
        "currentVersion": 10.22 if old else 11.4,
        "id": 0,
        "name": asked.served.table.name,
        "type": "Feature Layer",
        "geometryType": "esriGeometryPoint",
        "fields": fields,
        "maxRecordCount": old.most if old else MOST,
    }
    if not old:
        edited = int(asked.served.edited(asked.view).timestamp() * 1000)
        layer |= {
            "objectIdField": ID,
            "editingInfo": {"lastEditDate": edited},
            "advancedQueryCapabilities": {"supportsPagination": True, "supportsOrderBy": True},
        }
    return asked.answer(json.dumps(layer).encode())


def query(asked: Asked) -> Response:
    """How many rows, their ids, or some of them."""
    params, old = asked.params, _old(asked)
    refused = old and (params.keys() & {"resultOffset", "resultRecordCount", "orderByFields"})
    rows = _where(_rows(asked), params.get("where", ""))
    if rows is None or params.get("f") != "json" or refused:
        return JSONResponse(error(400, "Cannot perform query. Invalid query parameters."))
    if params.get("returnCountOnly") == "true":
        return asked.answer(json.dumps({"count": rows.num_rows}).encode())
    if params.get("returnIdsOnly") == "true":
        ids = rows[ID].to_pylist() or None
        return asked.answer(json.dumps({"objectIdFieldName": ID, "objectIds": ids}).encode())
    return asked.answer(json.dumps(_features(rows, params, old.most if old else MOST)).encode())


def error(status: int, message: str) -> dict[str, object]:
    """An error as this kind of server writes it."""
    return {"error": {"code": status, "message": message, "details": []}}


def _old(asked: Asked) -> NoPaging | None:
    return next((fault for fault in asked.struck if isinstance(fault, NoPaging)), None)


def _features(rows: pa.Table, params: dict[str, str], most: int) -> dict[str, Any]:
    ordered = params.get("orderByFields", "").split(" ")[0] == ID
    rows = rows.sort_by(ID) if ordered else rows.sort_by([(ID, "descending")])
    offset, wanted = int(params.get("resultOffset", "0")), int(params.get("resultRecordCount", str(most)))
    page = rows.slice(offset, min(wanted, most))
    more = {"exceededTransferLimit": True} if offset + page.num_rows < rows.num_rows else {}
    return {
        "objectIdFieldName": ID,
        "geometryType": "esriGeometryPoint",
        "spatialReference": _WGS84,
        "features": [_feature(row) for row in page.to_pylist()],
        **more,
    }


def _feature(row: dict[str, Any]) -> dict[str, Any]:
    geometry = {"x": row["LONG_WGS84"], "y": row["LAT_WGS84"]}
    return {"attributes": {name: value for name, value in row.items() if name[0] != "$"}, "geometry": geometry}


def _where(rows: pa.Table, where: str) -> pa.Table | None:
    """The rows that fulfil *where*; None if it is not understood."""
    if where == "1=1":
        return rows
    bounds = _WITHIN.fullmatch(where)
    if bounds is None:
        return None
    low, high = (int(each) for each in bounds.groups())
    return rows.filter(pc.and_(pc.greater_equal(rows[ID], low), pc.less_equal(rows[ID], high)))


def _rows(asked: Asked) -> pa.Table:
    """The listing with typed values and names in capitals."""
    return asked.served.kept(asked.view, "layer", lambda: _made(asked))


def _made(asked: Asked) -> pa.Table:
    listing, served = asked.served.listing(asked.view), asked.served
    renamed = dict(asked.view.renamed)
    columns = {ID: _numbered(listing, served.version(asked.view.now))}
    for name, kind in served.table.types.items():
        columns[renamed.get(name, name).upper()] = _typed(listing[name], kind)
    return pa.table(columns)


def _numbered(listing: pa.Table, salt: int) -> pa.Array:
    places = np.argsort(scattered(listing[KEY].to_numpy(), salt % 1_000_003), kind="stable")
    numbers = np.empty(len(places), dtype=np.int64)
    numbers[places] = np.arange(1, len(places) + 1)
    return pa.array(numbers)


def _typed(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray | pa.Array:
    if kind == "calendar_date":
        local = column.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
        return pa.array(zones.to_utc(np.asarray(local, dtype=np.int64), toronto.ZONE) // 1000)
    if kind != "number":
        return column
    decimal = pc.any(pc.match_substring(column, ".")).as_py()
    return column.cast(pa.float64() if decimal else pa.int64())


def _attributes(rows: pa.Table) -> list[str]:
    return [name for name in rows.column_names if name != ID]


def _kind(asked: Asked, name: str, values: pa.ChunkedArray) -> str:
    known = {dict(asked.view.renamed).get(n, n).upper(): kind for n, kind in asked.served.table.types.items()}
    number = "esriFieldTypeDouble" if pa.types.is_floating(values.type) else "esriFieldTypeInteger"
    return _TYPES.get(known[name], number)
