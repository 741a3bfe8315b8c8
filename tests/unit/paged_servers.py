"""Two small servers in memory, for what the simulated city does not do: they answer in place of the network."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from citystream.portals.answers import json_value


class Answering:
    """Stands in for `HttpClient`: answers are written as JSON and read as the client reads them."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get_json(self, url: str, params: dict[str, str] | None = None, headers: Any = None) -> tuple[Any, Any]:
        self.asked.append((url, dict(params or {})))
        return json_value(httpx.Response(200, text=json.dumps(self.answer(url, dict(params or {}))))), {}

    def answer(self, url: str, asked: dict[str, str]) -> Any:
        raise NotImplementedError


class Ckan(Answering):
    """A package with one table of *rows*."""

    def __init__(self, rows: list[dict[str, Any]], modified: str | None = "2024-01-01T12:00:00.5") -> None:
        super().__init__()
        self.rows, self.modified = rows, modified
        self.resources = [{"id": "r1", "name": "Crimes", "datastore_active": True}]
        self.fields = list(rows[0]) if rows else ["id", "date", "type", "note"]
        self.more: dict[str, Any] = {}

    def answer(self, url: str, asked: dict[str, str]) -> Any:
        if url.endswith("package_show"):
            resources = [each | {"last_modified": self.modified} for each in self.resources]
            return {"success": True, "result": {"title": "Crimes", "resources": resources}}
        start = int(asked.get("offset", "0"))
        records = [{"_id": n, **row} for n, row in enumerate(self.rows, 1)][start : start + int(asked["limit"])]
        fields = [{"id": name, "type": "text"} for name in ("_id", *self.fields)]
        return {"success": True, "result": {"fields": fields, "records": records, "total": len(self.rows)} | self.more}


class Arcgis(Answering):
    """A layer of *rows* without geometry, that can be *paged* by offset or not."""

    most = 10

    def __init__(self, rows: list[dict[str, Any]], *, paged: bool = True, flag: bool = True) -> None:
        super().__init__()
        self.rows = [{"FID": n * 3, **row} for n, row in enumerate(rows, 1)]
        self.names = list(rows[0]) if rows else ["id", "date", "type", "note"]
        self.paged, self.flag, self.ordered, self.edited = paged, flag, True, 1_700_000_000_000

    def answer(self, url: str, asked: dict[str, str]) -> Any:
        if not url.endswith("/query"):
            fields = [{"name": n, "type": "esriFieldTypeString"} for n in self.names]
            return {
                "fields": [{"name": "FID", "type": "esriFieldTypeOID"}, *fields],
                "maxRecordCount": self.most,
                "editingInfo": {"lastEditDate": self.edited},
                "advancedQueryCapabilities": {"supportsPagination": self.paged},
            }
        if "returnCountOnly" in asked:
            return {"count": len(self.rows)}
        if "returnIdsOnly" in asked:
            return {"objectIds": [row["FID"] for row in reversed(self.rows)] or None}
        return self._page(asked)

    def _page(self, asked: dict[str, str]) -> Any:
        rows = self.rows
        if bounds := re.fullmatch(r"FID >= (\d+) AND FID <= (\d+)", asked["where"]):
            rows = [row for row in rows if int(bounds[1]) <= row["FID"] <= int(bounds[2])]
        start = int(asked.get("resultOffset", "0")) if self.ordered else 0
        page = rows[start : start + min(self.most, int(asked.get("resultRecordCount", self.most)))]
        more = {"exceededTransferLimit": True} if self.flag and start + len(page) < len(rows) else {}
        return {"features": [{"attributes": row} for row in page]} | more
