"""The questions that a visit asks a Socrata portal about one table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from citystream.errors import PortalError
from citystream.portals.http import TOKEN, Headers, HttpClient
from citystream.portals.json_values import Row
from citystream.portals.soda import Order, Position, statement

#: Sent by a replica that lags behind: deletions must not be told from it.
OUT_OF_DATE: Final = "X-SODA2-Data-Out-Of-Date"


@dataclass(frozen=True, slots=True)
class Described:
    """What ``/api/views`` says: published columns with their types, and when rows last changed (UTC)."""

    columns: dict[str, str]
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class SodaTable:
    """The table *resource* of the portal at *base*; *token*: an app token, or ''; *page_size*: rows per request.

    With *soda3* the same questions go to ``/api/v3/views/<id>/query.json`` as one statement of SoQL.
    """

    client: HttpClient
    base: str
    resource: str
    token: str
    page_size: int
    soda3: bool = False

    @property
    def home(self) -> str:
        """The address that a person can look at."""
        return f"{self.base}/d/{self.resource}"

    def describe(self) -> Described:
        """Raises `PortalError`, also when there is no such table any more."""
        return self.view()[1]

    @property
    def described_at(self) -> str:
        """Where the table's description is."""
        return f"{self.base}/api/views/{self.resource}.json"

    def view(self) -> tuple[dict[str, Any], Described]:
        """The description as the portal gives it, and what of it a visit needs. Raises `PortalError`."""
        url = self.described_at
        view, _ = self.client.get_json(url, headers=self._headers)
        try:
            return view, _described(view)
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise PortalError(
                f"{url}: is not the description of a table", "check host and resource in the city file", url=url
            ) from fault

    def count(self, where: str) -> int:
        """How many rows fulfil *where* ('' = all)."""
        return int(self._one("count(*)", where) or 0)

    def newest(self, column: str) -> str:
        """The newest value of *column*, '' if there is none."""
        return self._one(f"max({column})", "")

    def page(self, order: Order, after: Position) -> tuple[list[Row], bool]:
        """The rows that come next, and whether the portal itself calls them out of date."""
        asked = {"$select": order.select, "$order": order.soql, "$limit": str(self.page_size)}
        rows, headers = self._rows(asked, order.after(after))
        if rows and ":id" not in rows[0]:
            raise PortalError(
                f"{self.home}: rows come without :id, so they cannot be paged", "tell the portal", url=self.home
            )
        return rows, headers.get(OUT_OF_DATE, "").lower() == "true"

    @property
    def _headers(self) -> Headers:
        return {TOKEN: self.token} if self.token else {}

    def _one(self, select: str, where: str) -> str:
        rows, _ = self._rows({"$select": f"{select} as found"}, where)
        return str(rows[0].get("found") or "") if rows else ""

    def _rows(self, params: dict[str, str], where: str) -> tuple[list[Row], Headers]:
        asked = params | ({"$where": where} if where else {})
        url = f"{self.base}/api/v3/views/{self.resource}/query.json" if self.soda3 else self._soda2_url
        rows, headers = self._ask3(url, asked) if self.soda3 else self.client.get_json(url, asked, self._headers)
        if not isinstance(rows, list) or not set(map(type, rows)) <= {dict}:
            raise PortalError(f"{url}: the answer is not a list of rows", "try again later", url=url)
        return rows, headers

    @property
    def _soda2_url(self) -> str:
        return f"{self.base}/resource/{self.resource}.json"

    def _ask3(self, url: str, asked: dict[str, str]) -> tuple[list[Row], Headers]:
        """Always the first page of what comes after a key: the key is in the statement, so no page is ever deep."""
        page = {"pageNumber": 1, "pageSize": int(asked.get("$limit", "1"))}
        return self.client.post_json(url, {"query": statement(asked), "page": page}, self._headers)


def _described(view: Any) -> Described:
    columns = {each["fieldName"]: each["dataTypeName"] for each in view["columns"]}
    stamp = view.get("rowsUpdatedAt")
    changed = datetime.fromtimestamp(int(stamp), UTC).replace(tzinfo=None) if stamp else None
    return Described({name: kind for name, kind in columns.items() if not name.startswith(":")}, changed)
