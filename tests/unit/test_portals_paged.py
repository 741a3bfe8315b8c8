"""When a listing that is read with an offset is complete, continued, or not worth reading."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from citystream.catalog.dataset import Source
from citystream.errors import PortalError
from citystream.portals.arcgis import ArcgisPortal
from citystream.portals.ckan import CkanPortal
from citystream.portals.paged import Progress, parse
from tests.contracts.portal_contract import DATASET, rows_of
from tests.unit.paged_servers import Answering, Arcgis, Ckan

CKAN = Source(portal="ckan", host="data.springfield.gov", resource="crimes")
ARCGIS = Source(portal="arcgis", host="gis.springfield.gov", resource="rest/FeatureServer/0")
ROWS = rows_of(25).to_pylist()


def ckan(client: Answering, cursor: str = "", *, full: bool = False, source: Source = CKAN):
    return CkanPortal(client, page_size=10).visit(DATASET, source, cursor, full=full, overlap=True)


def arcgis(client: Answering, cursor: str = "", *, full: bool = False):
    return ArcgisPortal(client).visit(DATASET, ARCGIS, cursor, full=full, overlap=True)


@pytest.mark.parametrize("cursor", [Progress(), Progress("v", 7), Progress("v", 0, whole=True)])
def test_progress_survives_as_text(cursor):
    assert parse(cursor.text()) == cursor


@pytest.mark.parametrize(
    "text",
    ["", "x", "[1]", "3", "null", '{"version":1}', '{"version":"v","offset":-1}', '{"mode":"full","by":"updated_on"}'],
)
def test_any_other_cursor_is_the_beginning(text):
    """A dataset that moved to another kind of portal is read anew."""
    assert parse(text) == Progress()


@pytest.mark.parametrize(("visit", "server"), [(ckan, Ckan), (arcgis, Arcgis)])
def test_what_did_not_change_is_not_read_again(visit, server):
    client = server(ROWS)
    *_, last = visit(client).pages()
    assert parse(last.cursor).whole
    client.asked.clear()
    again = visit(client, last.cursor)
    assert list(again.pages()) == []
    assert again.verify(0) == ""
    assert (again.listing.mode, again.listing.count, again.listing.complete) == ("incremental", 0, False)
    assert list(again.listing.columns) == ["id", "date", "type", "note"]
    assert len(client.asked) == 2
    whole = visit(client, last.cursor, full=True)
    assert sum(page.rows.num_rows for page in whole.pages()) == 25
    assert whole.listing.complete


@pytest.mark.parametrize(("visit", "server"), [(ckan, Ckan), (arcgis, Arcgis)])
def test_a_listing_that_was_continued_is_not_complete_and_the_next_is(visit, server):
    client = server(ROWS)
    first = next(visit(client).pages())
    rest = visit(client, first.cursor, full=True)
    pages = list(rest.pages())
    ids = [i for page in (first, *pages) for i in page.rows["id"].to_pylist()]
    assert ids == [row["id"] for row in ROWS]
    assert (rest.verify(15), rest.listing.complete, rest.listing.count) == ("", False, 15)
    next_visit = visit(client, pages[-1].cursor)
    assert sum(page.rows.num_rows for page in next_visit.pages()) == 25
    assert next_visit.listing.complete


def test_a_listing_that_changed_since_it_broke_off_is_begun_anew():
    client = Ckan(ROWS)
    first = next(ckan(client).pages())
    client.modified = "2024-01-02T12:00:00"
    again = ckan(client, first.cursor)
    assert sum(page.rows.num_rows for page in again.pages()) == 25
    assert again.listing.complete


@pytest.mark.parametrize(("visit", "server"), [(ckan, Ckan), (arcgis, Arcgis)])
@pytest.mark.parametrize("change", ["more", "fewer", "edited"])
def test_a_table_that_changes_meanwhile(visit, server, change):
    client = server(ROWS)
    reading = visit(client)
    pages = reading.pages()
    next(pages)
    if change == "more":
        client.rows = [*client.rows, client.rows[-1] | {"FID": 900}]
    if change == "fewer":
        client.rows = client.rows[:-1]
    client.modified = "2024-01-02"
    client.edited = 1_700_000_000_001
    rest = list(pages)
    received = 10 + sum(page.rows.num_rows for page in rest)
    assert not reading.listing.complete
    assert "was changed while it was read" in reading.verify(received)
    assert replace(parse(rest[-1].cursor), at="") == Progress()


def test_a_portal_that_tells_no_time_is_read_at_every_visit():
    client = Ckan(ROWS, modified=None)
    *_, last = ckan(client).pages()
    again = ckan(client, last.cursor)
    assert sum(page.rows.num_rows for page in again.pages()) == 25
    assert (again.listing.updated_at, again.listing.complete, again.verify(25)) == (None, True, "")


def test_rows_that_go_without_a_new_time_are_noticed_by_their_number():
    client = Ckan(ROWS, modified=None)
    reading = ckan(client)
    pages = reading.pages()
    next(pages)
    client.rows = client.rows[:20]
    received = 10 + sum(page.rows.num_rows for page in pages)
    assert "claims 20 to 25 rows, 20 came" in reading.verify(received)
    assert not reading.listing.complete


def test_an_estimated_number_completes_nothing():
    client = Ckan(ROWS)
    client.more = {"total": 30, "total_was_estimated": True}
    reading = ckan(client)
    *_, last = reading.pages()
    assert (reading.verify(25), reading.listing.complete) == ("", False)
    assert replace(parse(last.cursor), at="") == Progress()


def test_a_server_that_ignores_the_offset_is_not_asked_for_ever():
    client = Arcgis(ROWS)
    client.ordered = False
    received = []
    with pytest.raises(PortalError, match="does not follow the one before it"):
        received.extend(arcgis(client).pages())


def test_times_are_utc_without_a_zone():
    assert ckan(Ckan(ROWS)).listing.updated_at.isoformat() == "2024-01-01T12:00:00.500000"
    assert ckan(Ckan(ROWS, "2024-01-01T12:00:00+02:00")).listing.updated_at.isoformat() == "2024-01-01T10:00:00"
    assert arcgis(Arcgis(ROWS)).listing.updated_at.isoformat() == "2023-11-14T22:13:20"


@pytest.mark.parametrize(
    ("resource", "names", "found"),
    [
        ("crimes", ["Crimes", "Other"], 0),
        ("crimes", ["only one"], 0),
        ("crimes/Other", ["Crimes", "OTHER "], 1),
    ],
)
def test_a_resource_is_found_by_its_name(resource, names, found):
    client = Ckan(ROWS)
    client.resources = [{"id": f"r{i}", "name": name, "datastore_active": True} for i, name in enumerate(names)]
    client.resources.insert(0, {"id": "file", "name": names[0], "datastore_active": False})
    ckan(client, source=CKAN.model_copy(update={"resource": resource}))
    assert client.asked[1][1]["resource_id"] == f"r{found}"


@pytest.mark.parametrize(
    ("resource", "names", "said"),
    [
        ("crimes", ["a", "b"], "2 resources are to be read; in the datastore: a, b"),
        ("crimes/c", ["a"], "no resources are called 'c'; in the datastore: a"),
        ("crimes", [], "in the datastore: none"),
    ],
)
def test_a_resource_that_is_not_there(resource, names, said):
    client = Ckan(ROWS)
    client.resources = [{"id": name, "name": name, "datastore_active": True} for name in names]
    with pytest.raises(PortalError) as caught:
        ckan(client, source=CKAN.model_copy(update={"resource": resource}))
    assert said in caught.value.message
    assert caught.value.hint


class Saying(Answering):
    def __init__(self, **answers: object) -> None:
        super().__init__()
        self.answers = answers

    def answer(self, url, asked):
        name = url.rpartition("/")[2]
        return self.answers.get("count" if "returnCountOnly" in asked else name, {})


PACKAGE = {"success": True, "result": {"title": "t", "resources": [{"id": "r", "name": "t", "datastore_active": True}]}}
LAYER = {"fields": [{"name": "FID", "type": "esriFieldTypeOID"}, {"name": "id", "type": "x"}]}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"package_show": {"success": False}}, "did not succeed"),
        ({"package_show": []}, "did not succeed"),
        ({"package_show": {"success": True, "result": []}}, "no result"),
        ({"package_show": PACKAGE, "datastore_search": {"success": True, "result": {}}}, "not a list of records"),
        (
            {"package_show": PACKAGE, "datastore_search": {"success": True, "result": {"records": [], "fields": []}}},
            "does not say how many rows",
        ),
    ],
)
def test_what_is_no_answer_of_a_package(answers, said):
    with pytest.raises(PortalError, match=said):
        ckan(Saying(**answers))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"0": {"name": "service"}}, "not the description of a layer"),
        ({"0": {"fields": [{"name": "id", "type": "x"}]}}, "no object id"),
        ({"0": LAYER}, "does not say how many rows"),
        ({"0": LAYER, "count": {"count": 3}}, "no column any more for its occurrence time"),
    ],
)
def test_what_is_no_layer(answers, said):
    with pytest.raises(PortalError, match=said):
        arcgis(Saying(**answers))


@pytest.mark.parametrize("features", [None, [{"attributes": {"id": "1"}}], [{}], ["x"]])
def test_features_that_cannot_be_paged(features):
    fields = [{"name": name, "type": "x"} for name in ("id", "date")]
    layer = {"fields": [LAYER["fields"][0], *fields], "advancedQueryCapabilities": {"supportsPagination": True}}
    client = Saying(**{"0": layer, "count": {"count": 3}, "query": {"features": features}})
    with pytest.raises(PortalError, match=r"no features|without FID"):
        list(arcgis(client).pages())


@pytest.mark.parametrize("source", [Source(portal="ckan", resource="x"), Source(portal="ckan", host="x")])
def test_a_source_that_is_not_complete(source):
    with pytest.raises(PortalError, match="needs a host and a resource"):
        ckan(Ckan(ROWS), source=source)
    with pytest.raises(PortalError, match="needs a host and a resource"):
        ArcgisPortal(Arcgis(ROWS)).visit(DATASET, source, "", full=False, overlap=False)


def test_numbers_and_nothing_stay_as_they_are():
    client = Ckan([{"id": 7, "date": "2024-01-01", "type": "", "note": None}])
    (page,) = ckan(client).pages()
    assert page.rows.to_pylist() == [{"id": "7", "date": "2024-01-01", "type": "", "note": None}]
    assert json.loads(page.cursor)["whole"] is True
