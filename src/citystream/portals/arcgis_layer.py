"""The questions that a visit asks an ArcGIS server about one layer.

Servers before 10.3 have no offset; they give all object ids at once, and rows by ranges of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from citystream.errors import PortalError
from citystream.portals.arcgis_geometry import geojson
from citystream.portals.columns import require_all
from citystream.portals.http import HttpClient, Params
from citystream.portals.json_values import Row, table_of
from citystream.portals.paged import Slice, Stand

#: Rows that a server gives at once if it does not say: the default of the oldest ones.
LEAST: Final = 500
GEOMETRY: Final = "geometry"
_EVERYTHING: Final = "1=1"
_WHOLE_ROWS: Final = {"outFields": "*", "outSR": "4326"}
_ID: Final = "esriFieldTypeOID"
_SHAPE: Final = "esriFieldTypeGeometry"


@dataclass(frozen=True, slots=True)
class Described:
    """What a layer says about itself.

    *columns*: published name -> type, without the object id *key* and with `GEOMETRY` in place of a shape; *most*:
    rows it gives at once; *offset*: whether it can be paged by one; *edited*: milliseconds since 1970, '' if unknown.
    """

    columns: dict[str, str]
    key: str
    most: int
    offset: bool
    edited: str


@dataclass(slots=True)
class ArcgisLayer:
    """The layer at *home*, as a `PagedTable`; *page_size*: rows per request, if the server allows so many."""

    client: HttpClient
    home: str
    page_size: int
    _layer: Described | None = None
    _ids: list[int] | None = None

    def stand(self) -> Stand:
        """What the layer says about itself, and how many rows it counts."""
        self._layer = layer = described(self.told(), self.home)
        counted = self._query({"returnCountOnly": "true"}).get("count")
        if not str(counted).isdigit():
            raise self._refusal("the layer does not say how many rows it has")
        return Stand(layer.columns, int(str(counted)), layer.edited, _moment(layer.edited))

    def told(self) -> Any:
        """The layer's description as the server gives it."""
        answer, _ = self.client.get_json(self.home, {"f": "json"})
        return answer

    def slice(self, offset: int) -> Slice:
        """The rows from *offset* on, in the order of the object id."""
        layer = self._known
        if not layer.offset:
            return self._range(layer.key, offset)
        page = {"orderByFields": layer.key, "resultOffset": str(offset), "resultRecordCount": str(self._most)}
        found = self._query({**_WHOLE_ROWS, **page})
        return self._slice(found, more=found.get("exceededTransferLimit") is True)

    def _range(self, key: str, offset: int) -> Slice:
        """The rows of some object ids: a range, not a list, is as exact and makes no address too long."""
        ids = self._all_ids()
        some = ids[offset : offset + self._most]
        if not some:
            return self._slice({"features": []}, more=False)
        within = f"{key} >= {some[0]} AND {key} <= {some[-1]}"
        return self._slice(self._query({**_WHOLE_ROWS, "where": within}), more=offset + len(some) < len(ids))

    @property
    def _known(self) -> Described:
        if self._layer is None:
            raise self._refusal("rows are asked for before the layer was described")
        return self._layer

    @property
    def _most(self) -> int:
        return min(self.page_size, self._known.most)

    def _all_ids(self) -> list[int]:
        if self._ids is None:
            found = self._query({"returnIdsOnly": "true"}).get("objectIds") or []
            self._ids = sorted(int(each) for each in found)
        return self._ids

    def _slice(self, found: dict[str, Any], *, more: bool) -> Slice:
        layer, features = self._known, found.get("features")
        if not isinstance(features, list):
            raise self._refusal("the answer has no features")
        try:
            rows = sorted(map(_row, features), key=lambda row: int(row[layer.key]))
        except (KeyError, TypeError, ValueError) as fault:
            raise self._refusal(f"rows come without {layer.key}, so they cannot be paged") from fault
        require_all(layer.columns, rows, self.home)
        first, last = (int(rows[at][layer.key]) if rows else 0 for at in (0, -1))
        return Slice(table_of(rows, layer.columns), first, last, more)

    def _query(self, asked: Params) -> dict[str, Any]:
        answer, _ = self.client.get_json(f"{self.home}/query", {"where": _EVERYTHING, "f": "json", **asked})
        if not isinstance(answer, dict):
            raise self._refusal("the answer is not an object")
        return answer

    def _refusal(self, what: str) -> PortalError:
        return PortalError(f"{self.home}: {what}", "check host and resource in the city file", url=self.home)


def described(answer: Any, home: str) -> Described:
    """The description of the layer at *home*; raises `PortalError` if *answer* is none."""
    fields = answer.get("fields") if isinstance(answer, dict) else None
    if not isinstance(fields, list):
        raise PortalError(f"{home}: is not the description of a layer", "does its address end in /FeatureServer/0?")
    kinds = {str(each["name"]): str(each["type"]) for each in fields}
    key = str(answer.get("objectIdField") or next((name for name, kind in kinds.items() if kind == _ID), ""))
    if not key:
        raise PortalError(f"{home}: the layer has no object id, so it cannot be paged", "choose another layer")
    columns = {name: kind for name, kind in kinds.items() if name != key and kind != _SHAPE}
    if answer.get("geometryType"):
        columns[GEOMETRY] = str(answer["geometryType"])
    can = answer.get("advancedQueryCapabilities") or {}
    most, edited = str(answer.get("maxRecordCount")), (answer.get("editingInfo") or {}).get("lastEditDate")
    return Described(
        columns,
        key,
        int(most) if most.isdigit() and int(most) else LEAST,
        can.get("supportsPagination") is True,
        str(edited or ""),
    )


def _row(feature: Any) -> Row:
    """The attributes of a feature, and its geometry as GeoJSON."""
    attributes = feature.get("attributes") if isinstance(feature, dict) else None
    if not isinstance(attributes, dict):
        return {}
    return {**attributes, GEOMETRY: geojson(feature.get("geometry"))}


def _moment(milliseconds: str) -> datetime | None:
    """Naive UTC."""
    if not milliseconds.isdigit():
        return None
    return datetime.fromtimestamp(0, UTC).replace(tzinfo=None) + timedelta(milliseconds=int(milliseconds))
