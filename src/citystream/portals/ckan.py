"""CKAN portals: the open data sites of Toronto and of many governments.

A package that people see at ``https://open.toronto.ca/dataset/bicycle-thefts/`` is, in a city file::

    { portal = "ckan", host = "ckan0.cf.opendata.inter.prod-toronto.ca", resource = "bicycle-thefts" }

The ids of its resources change when a file is replaced, so a resource is found by its name at every visit
(``resource = "package/name of the resource"``; without a name the one that is called like its package, or the only
one in the datastore). Rows come from ``datastore_search``, not from ``/datastore/dump``: as JSON, in which no value
and the empty text are two things and numbers stay as they are, in declared order, with the number of all rows in
every answer, and an interrupted listing goes on where it stopped. A dump has none of that.

``_id`` numbers the rows of a table anew whenever it is loaded: it says nothing about a record and is not passed on.
API: https://docs.ckan.org/en/latest/maintaining/datastore.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from citystream.catalog.dataset import Dataset, Source
from citystream.catalog.look import Look
from citystream.catalog.naming import folded
from citystream.errors import PortalError
from citystream.portals.addresses import root
from citystream.portals.columns import require, require_all, shown
from citystream.portals.http import HttpClient, Params
from citystream.portals.json_values import table_of
from citystream.portals.looking import sampled, words
from citystream.portals.paged import PagedVisit, Slice, Stand, begin

ROW_NUMBER: Final = "_id"

#: More rows than this no portal gives at once (``ckan.datastore.search.rows_max``).
MOST: Final = 32_000


class CkanPortal:
    """A CKAN portal; *page_size*: rows per request. *token* is that of another kind of portal and is not sent."""

    def __init__(self, client: HttpClient | None = None, token: str = "", page_size: int = MOST) -> None:
        del token
        self._client = client or HttpClient()
        self._page_size = min(page_size, MOST)

    def visit(self, dataset: Dataset, source: Source, cursor: str, *, full: bool, overlap: bool) -> PagedVisit:
        """A complete listing, the rest of one that broke off, or nothing if the resource did not change.

        There is no column that moves forward with every change, so *overlap* means nothing here. Raises
        `PortalError`.
        """
        table = self._table(source, self._page_size)
        stand = table.stand()
        require(dataset, stand.columns, table.home)
        return begin(table, stand, dataset, cursor, full=full)

    def look(self, source: Source, rows: int) -> Look:
        """What the portal says about the resource, and *rows* of it as a sample. Raises `PortalError`."""
        return _look(self._table(source, rows or 1), rows)

    def _table(self, source: Source, page_size: int) -> CkanTable:
        package, _, name = source.resource.partition("/")
        return CkanTable(self._client, root(source, "CKAN"), package, name, page_size)


@dataclass(slots=True)
class CkanTable:
    """The resource *name* of *package* at the portal at *base*, as a `PagedTable`.

    The id it had when it was last described is the one whose rows are read.
    """

    client: HttpClient
    base: str
    package: str
    name: str
    page_size: int
    _id: str = ""
    _fields: tuple[str, ...] = ()
    _called: str = ""
    _package: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> str:
        """The address that a person can look at."""
        return f"{self.base}/dataset/{self.package}"

    @property
    def described_at(self) -> str:
        """Where the package's description is."""
        return f"{self.base}/api/3/action/package_show"

    @property
    def resource(self) -> str:
        """What a city file says for it: by name, which stays when the file is replaced. As asked before `stand`."""
        named = self._called if self.name else ""
        return f"{self.package}/{named}" if named else self.package

    @property
    def package_told(self) -> dict[str, Any]:
        """The package as the portal last described it; empty before `stand`."""
        return self._package

    def stand(self) -> Stand:
        """What the package says about the resource, and the datastore about its table."""
        self._package = self._action("package_show", {"id": self.package})
        resource = self._resource(self._package)
        self._called = str(resource.get("name") or "")
        self._id, modified = str(resource["id"]), str(resource.get("last_modified") or "")
        found = self._search({"limit": "0"})
        columns = {str(each["id"]): str(each["type"]) for each in found["fields"] if each["id"] != ROW_NUMBER}
        self._fields = tuple(columns)
        exact = found.get("total_was_estimated") is not True
        version = f"{self._id} {modified}" if modified else ""
        return Stand(columns, int(found["total"]), version, _moment(modified), exact)

    def slice(self, offset: int) -> Slice:
        """The rows from *offset* on, in the order of ``_id``."""
        found = self._search({"limit": str(self.page_size), "offset": str(offset), "sort": ROW_NUMBER})
        rows = found["records"]
        require_all(self._fields, rows, self.home)
        numbers = [int(row[ROW_NUMBER]) for row in rows] or [0]
        more = offset + len(rows) < int(found["total"])
        return Slice(table_of(rows, self._fields), numbers[0], numbers[-1], more)

    def _search(self, asked: Params) -> dict[str, Any]:
        found = self._action("datastore_search", {"resource_id": self._id, **asked})
        if not isinstance(found.get("records"), list) or not isinstance(found.get("fields"), list):
            raise self._refusal("the answer is not a list of records")
        if not str(found.get("total") or "0").isdigit() or "total" not in found:
            raise self._refusal("the portal does not say how many rows there are")
        return found

    def _action(self, action: str, asked: Params) -> dict[str, Any]:
        answer, _ = self.client.get_json(f"{self.base}/api/3/action/{action}", asked)
        if not isinstance(answer, dict) or answer.get("success") is not True:
            raise self._refusal(f"{action} did not succeed")
        result = answer.get("result")
        if not isinstance(result, dict):
            raise self._refusal(f"{action} gave no result")
        return result

    def _resource(self, package: dict[str, Any]) -> dict[str, Any]:
        """The resource by its name, or for now by its id, of those that can be asked for rows."""
        active = [each for each in package.get("resources") or [] if each.get("datastore_active") is True]
        wanted = folded(self.name or str(package.get("title") or ""))
        named = [each for each in active if folded(str(each.get("name") or "")) == wanted or each["id"] == self.name]
        found = named or ([] if self.name else active)
        if len(found) == 1:
            return dict(found[0])
        names = shown(str(each.get("name")) for each in active)
        which = f"called '{self.name}'" if self.name else "to be read"
        raise self._refusal(f"{len(found) or 'no'} resources are {which}; in the datastore: {names}")

    def _refusal(self, what: str) -> PortalError:
        return PortalError(
            f"{self.home}: {what}", 'look at it: the city file names it as resource = "package/name"', url=self.home
        )


def _look(table: CkanTable, rows: int) -> Look:
    """What its package says, its count, and the first of its rows."""
    stand = table.stand()
    package = table.package_told
    organisation = package.get("organization")
    publisher = package.get("owner_division") or (organisation or {}).get("title") or package.get("author")
    return Look(
        home=table.home,
        resource=table.resource,
        columns=stand.columns,
        title=words(package.get("title")),
        description=words(package.get("notes") or package.get("excerpt")),
        publisher=words(publisher),
        licence=words(package.get("license_title")),
        count=stand.count if stand.exact else None,
        updated_at=stand.updated_at,
        moved_to=table.client.moved.get(table.described_at, ""),
        sample=sampled(table.slice(0).rows.slice(0, rows)) if rows else {},
    )


def _moment(text: str) -> datetime | None:
    """A time of the portal's, which is UTC without saying so."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
