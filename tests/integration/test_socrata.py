"""The Socrata portal against a look-alike: nothing is missed, nothing twice, and the last word is the count."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from citystream.catalog.dataset import City, Dataset, Mapping, Source
from citystream.errors import PortalError
from citystream.portals.http import HttpClient, Patience
from citystream.portals.socrata import SocrataPortal
from citystream.portals.soda import Position
from citystream.simulate.faults import RenamedColumn, Rewritten, ServerError, Shrunk, StaleReplica
from citystream.simulate.portal import SimulatedPortal
from citystream.simulate.published import LONG_AGO, PublishedTable

TABLE = "abcd-1234"
TYPES = {
    "id": "number", "date": "calendar_date", "type": "text", "arrest": "checkbox",
    "updated_on": "calendar_date", "location": "location", "note": "text",
}  # fmt: skip
CITY = City(city="Springfield", country="US", timezone="America/Chicago", bbox=(-90, 41, -87, 43))
DATASET = Dataset(
    name="springfield/crimes",
    city=CITY,
    title="t",
    kind="incident",
    columns=Mapping(event_id=["id"], occurred=["date"], type=["type"]),
)
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
PATIENCE = Patience(interval=0, first_wait=0.01, longest_wait=0.02, budget=5, connect=5, read=5)


def stamp(number: int) -> str:
    return (datetime(2024, 1, 1) + timedelta(days=number)).isoformat(timespec="milliseconds")


def rows_of(count: int, *, ties: int = 4, first: int = 1) -> pa.Table:
    """Rows in which every *ties* rows share their updated_on, in an order of their own."""
    numbers = [first + (i * 7919) % count for i in range(count)]
    return pa.table(
        {
            "id": [str(n) for n in numbers],
            "date": [stamp(n % 50) for n in numbers],
            "type": [f"00{n % 3}" for n in numbers],
            "arrest": ["true" if n % 2 else "false" for n in numbers],
            "updated_on": [stamp(n // ties) for n in numbers],
            "location": [f"({41 + n / 1000:.4f}, -87.5000)" if n % 5 else "" for n in numbers],
            "note": pa.nulls(count, pa.string()),
        }
    )


def table_of(rows: pa.Table) -> PublishedTable:
    return PublishedTable.from_arrow(rows, types=TYPES, name="Crimes", row_identifier="id", published_at=NOON)


def since(number: int) -> str:
    """The cursor of a reader who has seen all up to the *number*th stamp."""
    return Position("incremental", "updated_on", stamp(number)).text()


@pytest.fixture
def client():
    with HttpClient(PATIENCE) as client:
        yield client


def source(portal: SimulatedPortal, **settings) -> Source:
    return Source(**{"portal": "socrata", "host": portal.url, "resource": TABLE, "cursor": "updated_on"} | settings)


def read(visit) -> tuple[list[str], str, list[int]]:
    """The ids that came, the last cursor, the sizes of the pages."""
    ids, cursor, sizes = [], "", []
    for page in visit.pages():
        ids += page.rows["id"].to_pylist()
        cursor = page.cursor
        sizes.append(page.rows.num_rows)
    return ids, cursor, sizes


@pytest.mark.parametrize(
    ("count", "page_size"), [(0, 10), (1, 10), (30, 10), (31, 10), (29, 10), (30, 1), (2500, 5000)]
)
def test_a_full_listing_has_every_row_once(client, count, page_size):
    with SimulatedPortal({TABLE: table_of(rows_of(count))}) as served:
        visit = SocrataPortal(client, page_size=page_size).visit(DATASET, source(served), "", full=True, overlap=False)
        ids, _, sizes = read(visit)
        assert sorted(map(int, ids)) == list(range(1, count + 1))
        assert max(sizes, default=0) <= page_size
        assert visit.verify(count) == ""
        listing = visit.listing
        assert (listing.count, listing.complete, listing.mode) == (count, True, "full")
        assert list(listing.columns) == list(TYPES)
        assert listing.updated_at == (NOON.replace(tzinfo=None) if count else LONG_AGO.replace(tzinfo=None))
        asked = [
            r.params for r in served.requests if "count" not in r.params.get("$select", "") and "$order" in r.params
        ]
        assert all(params["$limit"] == str(page_size) for params in asked)


def test_rows_are_as_published(client):
    with SimulatedPortal({TABLE: table_of(rows_of(6))}) as served:
        visit = SocrataPortal(client).visit(DATASET, source(served), "", full=True, overlap=False)
        (page,) = visit.pages()
    row = next(row for row in page.rows.to_pylist() if row["id"] == "1")
    place = row.pop("location")
    assert row == {
        "id": "1", "date": "2024-01-02T00:00:00.000", "type": "001", "arrest": "true",
        "updated_on": "2024-01-01T00:00:00.000", "note": None,
    }  # fmt: skip
    assert json.loads(place)["latitude"].startswith("41.001")
    assert ": " not in place


@pytest.mark.parametrize("page_size", [1, 3, 4, 7, 100])
def test_ties_of_the_cursor_across_pages(client, page_size):
    with SimulatedPortal({TABLE: table_of(rows_of(40, ties=13))}) as served:
        start = since(0)
        visit = SocrataPortal(client, page_size=page_size).visit(
            DATASET, source(served), start, full=False, overlap=False
        )
        ids, cursor, _ = read(visit)
        assert sorted(map(int, ids)) == list(range(13, 41))
        assert visit.verify(len(ids)) == ""
        assert (visit.listing.mode, visit.listing.complete, visit.listing.count) == ("incremental", False, 28)
        again = SocrataPortal(client).visit(DATASET, source(served), cursor, full=False, overlap=False)
        assert read(again) == ([], "", [])
        assert again.verify(0) == ""


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_visit_goes_on_after_each_page(client, mode):
    """Stopped after every single page, the visits together bring each row once."""
    with SimulatedPortal({TABLE: table_of(rows_of(23, ties=5))}) as served:
        portal = SocrataPortal(client, page_size=4)
        cursor = "" if mode == "full" else since(-1)
        ids: list[str] = []
        for _ in range(20):
            visit = portal.visit(DATASET, source(served), cursor, full=False, overlap=False)
            if mode == "full" and ids and visit.listing.mode == "full":
                assert not visit.listing.complete
            page = next(visit.pages(), None)
            if page is None or (mode == "full" and visit.listing.mode == "incremental"):
                break
            ids += page.rows["id"].to_pylist()
            cursor = page.cursor
        assert sorted(map(int, ids)) == list(range(1, 24))
        assert json.loads(cursor)["mode"] == "incremental"


def test_a_listing_that_broke_off_is_continued(client):
    fault = ServerError(having={"$order": ":id"}, first=3, times=1, status=404)
    with SimulatedPortal({TABLE: table_of(rows_of(10))}, faults=[fault]) as served:
        portal = SocrataPortal(client, page_size=4)
        visit = portal.visit(DATASET, source(served), "", full=True, overlap=False)
        pages = []
        with pytest.raises(PortalError):
            pages.extend(visit.pages())
        pages = []
        visit = portal.visit(DATASET, source(served), "", full=True, overlap=False)
        served.faults.add(ServerError(having={"$order": ":id"}, first=3, times=1, status=404))
        with pytest.raises(PortalError):
            for page in visit.pages():
                pages.append(page)
        assert [page.rows.num_rows for page in pages] == [4, 4]
        assert "not read to its end" in visit.verify(8)
        rest = portal.visit(DATASET, source(served), pages[-1].cursor, full=True, overlap=False)
        ids, cursor, _ = read(rest)
        assert sorted(map(int, ids + [i for p in pages for i in p.rows["id"].to_pylist()])) == list(range(1, 11))
        assert (rest.listing.count, rest.listing.complete, rest.verify(2)) == (2, False, "")
        assert json.loads(cursor)["mode"] == "incremental"


def test_a_listing_that_broke_off_after_its_last_row_is_at_its_end(client):
    with SimulatedPortal({TABLE: table_of(rows_of(8, ties=1))}) as served:
        cursor = Position("full", "updated_on", stamp(5), "row-zzzz").text()
        portal = SocrataPortal(client)
        visit = portal.visit(DATASET, source(served), cursor, full=False, overlap=False)
        ids, newest, _ = read(visit)
        assert (ids, visit.listing.mode) == (["6", "7", "8"], "incremental")
        assert json.loads(newest)["at"] == stamp(8)
        assert portal.visit(DATASET, source(served), cursor, full=True, overlap=False).listing.complete


def test_what_is_revised_comes_with_the_next_visit(client):
    table = table_of(rows_of(20))
    later = rows_of(20).to_pylist()
    later[3] |= {"type": "new", "updated_on": stamp(30)}
    later.append(later[0] | {"id": "99", "updated_on": stamp(31)})
    table = table.then(pa.Table.from_pylist(later, rows_of(1).schema), NOON + timedelta(days=1))
    now = [NOON]
    with SimulatedPortal({TABLE: table}, clock=lambda: now[0]) as served:
        portal = SocrataPortal(client, page_size=8)
        _, cursor, _ = read(portal.visit(DATASET, source(served), "", full=False, overlap=False))
        assert read(portal.visit(DATASET, source(served), cursor, full=False, overlap=False))[0] == []
        now[0] = NOON + timedelta(days=2)
        ids, newest, _ = read(portal.visit(DATASET, source(served), cursor, full=False, overlap=False))
        assert ids == [later[3]["id"], "99"]
        assert json.loads(newest)["at"] == stamp(31)
        overlapping = source(served, overlap=timedelta(days=28))
        ids, _, _ = read(portal.visit(DATASET, overlapping, newest, full=False, overlap=True))
        assert set(ids) == {r["id"] for r in later if r["updated_on"] > stamp(3)}


def test_the_system_field_as_cursor(client):
    """``:updated_at`` is a fixed timestamp: it is asked for, compared with its zone, and not passed on."""
    table = table_of(rows_of(9)).then(rows_of(12), NOON + timedelta(days=1))
    now = [NOON]
    with SimulatedPortal({TABLE: table}, clock=lambda: now[0]) as served:
        portal, here = SocrataPortal(client, page_size=2), source(served, cursor=":updated_at")
        first, cursor, _ = read(portal.visit(DATASET, here, "", full=False, overlap=False))
        assert len(first) == 9
        now[0] = NOON + timedelta(days=2)
        visit = portal.visit(DATASET, here, cursor, full=False, overlap=False)
        pages = list(visit.pages())
        ids = [i for page in pages for i in page.rows["id"].to_pylist()]
        assert set(ids) >= {"10", "11", "12"}
        assert len(ids) == len(set(ids))
        assert not [name for name in pages[0].rows.column_names if name.startswith(":")]
        again = portal.visit(DATASET, here, pages[-1].cursor, full=False, overlap=True)
        assert len(read(again)[0]) == 12


def test_without_a_cursor_column_every_visit_is_a_full_listing(client):
    with SimulatedPortal({TABLE: table_of(rows_of(5))}) as served:
        portal, here = SocrataPortal(client, page_size=2), source(served, cursor="")
        _, cursor, _ = read(portal.visit(DATASET, here, "", full=False, overlap=False))
        visit = portal.visit(DATASET, here, cursor, full=False, overlap=True)
        assert len(read(visit)[0]) == 5
        assert visit.listing.complete


def test_a_complete_listing_can_be_asked_for_again(client):
    with SimulatedPortal({TABLE: table_of(rows_of(5))}) as served:
        portal = SocrataPortal(client)
        _, cursor, _ = read(portal.visit(DATASET, source(served), "", full=False, overlap=False))
        visit = portal.visit(DATASET, source(served), cursor, full=True, overlap=False)
        assert len(read(visit)[0]) == 5
        assert visit.listing.complete


def test_a_limit_of_the_portal_below_ours_is_survived(client):
    """Pages shorter than asked for (here: two requests of the same listing in one) are no end."""
    with SimulatedPortal({TABLE: table_of(rows_of(2300))}) as served:
        portal = SocrataPortal(_Capped(client, 1000))
        visit = portal.visit(DATASET, source(served), "", full=True, overlap=False)
        ids, _, sizes = read(visit)
        assert (len(set(ids)), sizes) == (2300, [1000, 1000, 300])
        assert visit.verify(2300) == ""


class _Capped:
    """A portal that gives at most *most* rows, whatever is asked for."""

    def __init__(self, client: HttpClient, most: int) -> None:
        self._client, self._most = client, most

    def get_json(self, url, params=None, headers=None):
        params = dict(params or {})
        if "$limit" in params:
            params["$limit"] = str(min(int(params["$limit"]), self._most))
        return self._client.get_json(url, params, headers)


def test_rows_that_change_meanwhile_are_noticed(client):
    """Rows added behind the reader: the count lies between before and after; removed ones do not agree."""
    with SimulatedPortal({TABLE: table_of(rows_of(30))}) as served:
        portal = SocrataPortal(client, page_size=10)
        visit = portal.visit(DATASET, source(served), "", full=True, overlap=False)
        served.faults.add(Rewritten(having={"$order": ":id"}, first=2, insert=5))
        ids, _, _ = read(visit)
        assert 30 <= len(ids) <= 35
        assert visit.verify(len(ids)) == ""
        assert "claims" in visit.verify(29)
        assert "claims" in visit.verify(36)


def test_a_listing_that_loses_rows_meanwhile(client):
    with SimulatedPortal({TABLE: table_of(rows_of(30))}) as served:
        visit = SocrataPortal(client, page_size=10).visit(DATASET, source(served), "", full=True, overlap=False)
        served.faults.add(Shrunk(rows=12, first=2, times=0))
        ids, _, _ = read(visit)
        assert 12 <= len(ids) < 30
        assert visit.verify(len(ids)) == ""
        assert "claims 12 to 30 rows, 11 came" in visit.verify(11)


def test_rows_published_during_a_listing_make_it_incomplete(client):
    table = table_of(rows_of(9)).then(rows_of(12), NOON + timedelta(days=1))
    now = [NOON]
    with SimulatedPortal({TABLE: table}, clock=lambda: now[0]) as served:
        visit = SocrataPortal(client, page_size=4).visit(DATASET, source(served), "", full=True, overlap=False)
        pages = visit.pages()
        next(pages)
        now[0] = NOON + timedelta(days=2)
        list(pages)
        assert not visit.listing.complete


@pytest.mark.parametrize("full", [True, False])
def test_a_stale_replica_proves_nothing_gone(client, full):
    fault = StaleReplica(having={"$order": "id"}, times=0, behind=0)
    with SimulatedPortal({TABLE: table_of(rows_of(9))}, faults=[fault]) as served:
        cursor = "" if full else since(1)
        visit = SocrataPortal(client, page_size=4).visit(DATASET, source(served), cursor, full=full, overlap=False)
        ids, _, _ = read(visit)
        assert "out of date" in visit.verify(len(ids))
        assert not visit.listing.complete


def test_a_renamed_column_is_said_with_what_is_there_instead(client):
    fault = RenamedColumn(path="/*", old="date", new="occurred_on", times=0)
    with SimulatedPortal({TABLE: table_of(rows_of(3))}, faults=[fault]) as served:
        with pytest.raises(PortalError) as caught:
            SocrataPortal(client).visit(DATASET, source(served), "", full=True, overlap=False)
        assert "no column any more for its occurrence time (date)" in caught.value.message
        assert "occurred_on" in caught.value.message


def test_a_cursor_column_that_is_gone(client):
    with SimulatedPortal({TABLE: table_of(rows_of(3))}) as served:  # noqa: SIM117
        with pytest.raises(PortalError, match="its cursor \\(changed_on\\)"):
            SocrataPortal(client).visit(DATASET, source(served, cursor="changed_on"), "", full=True, overlap=False)


@pytest.mark.parametrize("status", [403, 404])
def test_a_dataset_that_is_gone(client, status):
    fault = ServerError(path="/api/*", status=status)
    with SimulatedPortal({TABLE: table_of(rows_of(3))}, faults=[fault]) as served:
        with pytest.raises(PortalError) as caught:
            SocrataPortal(client).visit(DATASET, source(served), "", full=True, overlap=False)
        assert caught.value.status == status
        assert "retired" in caught.value.hint or "public" in caught.value.hint
        assert len(served.requests) == 1


def test_a_cursor_of_something_else(client):
    with SimulatedPortal({TABLE: table_of(rows_of(3))}) as served:
        for cursor in ("17", '{"mode":"x","by":"updated_on"}', "not json"):
            with pytest.raises(PortalError, match="cursor"):
                SocrataPortal(client).visit(DATASET, source(served), cursor, full=False, overlap=False)


def test_a_source_that_names_no_table(client):
    with pytest.raises(PortalError, match="host and a resource"):
        SocrataPortal(client).visit(DATASET, Source(portal="socrata"), "", full=True, overlap=False)
