"""Toronto's bicycles by the police's layer and by the city's package, over real sockets: both are whole, or say so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from citystream.catalog.library import load_library
from citystream.errors import PortalError
from citystream.portals.arcgis import ArcgisPortal
from citystream.portals.ckan import CkanPortal
from citystream.simulate.faults import (
    CutConnection,
    ErrorAsSuccess,
    Moved,
    NoPaging,
    RenamedColumn,
    Renumbered,
    Rewritten,
    ServerError,
    Shrunk,
    StillRunning,
    TooManyRequests,
    TruncatedBody,
)
from tests.integration.portal_town import TORONTO, PortalTown, column, drawn, fetches, ids, read

NUMBERED = load_library().get(TORONTO)
_KEY = NUMBERED.columns.event_id.model_copy(update={"counter": False})
#: The same without numbers for equal rows: its pages are given out as they come.
DATASET = NUMBERED.model_copy(update={"columns": NUMBERED.columns.model_copy(update={"event_id": _KEY})})
PORTALS = {"arcgis": ArcgisPortal, "ckan": CkanPortal}
PAGE = {"arcgis": {"orderByFields": "OBJECTID"}, "ckan": {"sort": "_id"}}
COUNT = {"arcgis": {"returnCountOnly": "true"}, "ckan": {"limit": "0"}}
OFFSET = {"arcgis": "resultOffset", "ckan": "offset"}
SAME = ("event_unique_id", "primary_offence", "bike_make", "occ_hour", "hood_158", "bike_speed")


@pytest.fixture(scope="module")
def table():
    return drawn(TORONTO)


@pytest.fixture(scope="module")
def running(table):
    with PortalTown(TORONTO, table) as running:
        yield running


@pytest.fixture
def town(running):
    return running.renewed()


@pytest.fixture(params=list(PORTALS))
def kind(request):
    return request.param


def visit(town, kind, cursor="", *, full=False, page_size=100, dataset=DATASET, **changes):
    portal = PORTALS[kind](town.client, "a-token-of-socrata", page_size)
    return portal.visit(dataset, town.source(kind, **changes), cursor, full=full, overlap=False)


@pytest.mark.parametrize("page_size", [40, 245, 50_000])
def test_a_complete_listing_has_every_row_once(town, kind, page_size):
    town.later(days=-60)
    reading = visit(town, kind, page_size=page_size)
    pages = read(reading)
    assert sorted(column(pages, "event_unique_id")) == town.published("event_unique_id")
    assert max(page.rows.num_rows for page in pages) <= page_size
    listing = reading.listing
    assert (listing.mode, listing.complete, listing.count) == ("full", True, len(column(pages, "event_unique_id")))
    assert listing.updated_at == town.table.last_change(town.at).replace(tzinfo=None)
    assert not {"OBJECTID", "_id"} & {name for page in pages for name in page.rows.column_names}
    assert list(listing.columns) == pages[0].rows.column_names
    assert not [r for r in town.portal.requests if "a-token-of-socrata" in str(r)]


def test_a_server_gives_no_more_than_its_own_limit(town):
    """The layer gives 2,000 rows at most: a page that is shorter than asked for is no end."""
    town.at = datetime(2024, 12, 1, tzinfo=UTC)
    pages = read(visit(town, "arcgis", page_size=50_000))
    assert next(page.rows.num_rows for page in pages) == min(2000, len(town.published("event_unique_id")))
    assert sorted(column(pages, "event_unique_id")) == town.published("event_unique_id")


def test_both_publish_the_same_rows(town):
    """Under other numbers, in another order, with times and nothing written differently."""
    one, other = (read(visit(town, kind)) for kind in PORTALS)
    rows = []
    for pages in (one, other):
        columns = [[None if v == "None" else v for v in column(pages, name)] for name in SAME]
        rows.append(list(zip(*columns, strict=True)))
    assert sorted(map(str, rows[0])) == sorted(map(str, rows[1]))
    assert rows[0] != rows[1]
    assert column(one, "occ_date")[0].isdigit()
    assert len(column(other, "occ_date")[0]) == 10
    place = json.loads(column(one, "geometry")[0])
    assert (place["type"], place["coordinates"][0]) == ("Point", float(column(one, "long_wgs84")[0]))


def test_an_old_server_is_read_by_ranges_of_ids(town):
    town.portal.faults.add(NoPaging(path="*", times=0, most=150))
    reading = visit(town, "arcgis")
    pages = read(reading)
    assert sorted(column(pages, "event_unique_id")) == town.published("event_unique_id")
    assert {page.rows.num_rows for page in pages[:-1]} == {100}
    assert (reading.listing.complete, reading.listing.updated_at) == (True, None)


def test_unchanged_costs_two_questions(town, kind):
    pages = read(visit(town, kind))
    town.portal.requests.clear()
    again = visit(town, kind, pages[-1].cursor)
    assert read(again) == []
    assert (again.listing.mode, again.listing.count, again.listing.complete) == ("incremental", 0, False)
    assert len(town.portal.requests) == 2
    town.later(days=31)
    changed = visit(town, kind, pages[-1].cursor)
    assert sorted(column(read(changed), "event_unique_id")) == town.published("event_unique_id")
    assert changed.listing.complete


@pytest.mark.parametrize("change", [{"insert": 5}, {"remove": 5}, {"revise": 3}, {"insert": 2, "remove": 2}])
def test_rows_that_change_meanwhile(town, kind, change):
    town.portal.faults.add(Rewritten(path="*", having=PAGE[kind], first=2, **change))
    reading = visit(town, kind)
    pages = list(reading.pages())
    assert "was changed while it was read" in reading.verify(len(column(pages, "event_unique_id")))
    assert not reading.listing.complete
    town.portal.faults.clear()
    again = visit(town, kind, pages[-1].cursor)
    assert len(column(read(again), "event_unique_id")) == again.listing.count
    assert again.listing.complete


def test_a_layer_that_is_reloaded_meanwhile(town):
    """The same rows under other numbers: some come twice and others not at all, and the count says nothing."""
    town.portal.faults.add(Renumbered(path="*", having=PAGE["arcgis"], first=2))
    reading = visit(town, "arcgis")
    pages = list(reading.pages())
    found = column(pages, "event_unique_id")
    assert len(found) == reading.listing.count
    assert sorted(found) != town.published("event_unique_id")
    assert "was changed while it was read" in reading.verify(len(found))
    assert not reading.listing.complete


def test_a_resource_that_is_replaced_meanwhile_is_found_again_by_its_name(town):
    town.portal.faults.add(Renumbered(path="*", having=PAGE["ckan"], first=2))
    reading = visit(town, "ckan")
    with pytest.raises(PortalError) as caught:
        list(reading.pages())
    assert caught.value.status == 404
    assert "not read to its end" in reading.verify(100)
    assert sorted(column(read(visit(town, "ckan")), "event_unique_id")) == town.published("event_unique_id")


def test_a_count_that_does_not_agree(town, kind):
    """The portal claims fewer rows than it gives, without saying that anything changed."""
    town.portal.faults.add(Shrunk(path="*", having=COUNT[kind], rows=150))
    reading = visit(town, kind)
    came = sum(page.rows.num_rows for page in reading.pages())
    assert not reading.listing.complete
    assert "claims 150 to" in reading.verify(came)


@pytest.mark.parametrize("stop", [1, 2])
def test_a_listing_that_broke_off_goes_on_where_it_stopped(town, kind, stop):
    broken = ServerError(path="*", having=PAGE[kind], first=stop + 1, times=1, status=404)
    town.portal.faults.add(broken)
    reading, pages = visit(town, kind), []
    with pytest.raises(PortalError):
        for page in reading.pages():
            pages.append(page)
    assert [page.rows.num_rows for page in pages] == [100] * stop
    town.portal.requests.clear()
    rest = visit(town, kind, pages[-1].cursor, full=True)
    pages += read(rest)
    assert sorted(column(pages, "event_unique_id")) == town.published("event_unique_id")
    assert not rest.listing.complete
    offsets = [r.params[OFFSET[kind]] for r in town.portal.requests if OFFSET[kind] in r.params]
    assert offsets[0] == str(stop * 100)
    whole = visit(town, kind, pages[-1].cursor)
    assert len(column(read(whole), "event_unique_id")) == whole.listing.count
    assert whole.listing.complete


@pytest.mark.parametrize(
    "fault",
    [
        TooManyRequests(path="*"),
        TooManyRequests(path="*", retry_after="0"),
        StillRunning(path="*"),
        ServerError(path="*", status=503),
        ServerError(path="*", status=502, html=True),
        ServerError(path="*", status=200, html=True),
        CutConnection(path="*"),
        TruncatedBody(path="*"),
        ErrorAsSuccess(path="*", message="Request timed out"),
        ErrorAsSuccess(path="*", code=504, message="Error performing query operation: timed out"),
    ],
)
def test_what_passes_is_survived(town, kind, fault):
    town.portal.faults.add(type(fault)(**{n: getattr(fault, n) for n in fault.__dataclass_fields__} | {"first": 4}))
    assert sorted(column(read(visit(town, kind)), "event_unique_id")) == town.published("event_unique_id")


def test_an_error_of_the_server_that_comes_with_status_200_passes(town):
    town.portal.faults.add(ErrorAsSuccess(path="*", first=3, code=500, message="Error performing query operation"))
    assert sorted(column(read(visit(town, "arcgis")), "event_unique_id")) == town.published("event_unique_id")


@pytest.mark.parametrize(("code", "words"), [(499, "Token Required"), (498, "Invalid Token"), (400, "Invalid query")])
def test_an_error_that_stays_comes_with_status_200(town, code, words):
    town.portal.faults.add(ErrorAsSuccess(path="*", times=0, code=code, message=words))
    with pytest.raises(PortalError, match=words) as caught:
        visit(town, "arcgis")
    assert caught.value.status == code
    assert len(town.portal.requests) == 1


def test_a_failure_of_a_package_is_said(town):
    town.portal.faults.add(ErrorAsSuccess(path="*", times=0, message="Access denied"))
    with pytest.raises(PortalError, match="Access denied"):
        visit(town, "ckan")


@pytest.mark.parametrize("column_", ["event_unique_id", "occ_date"])
def test_a_column_that_nothing_works_without(town, kind, column_):
    town.portal.faults.add(RenamedColumn(path="*", times=0, old=column_, new="something_else"))
    with pytest.raises(PortalError, match="SOMETHING_ELSE") as caught:
        visit(town, kind)
    assert "city file" in caught.value.hint


def test_a_host_that_moved_is_followed_until_it_lets_nobody_in(town, table, kind):
    with PortalTown(TORONTO, table) as new:
        town.portal.faults.add(Moved(path="*", times=0, to=new.portal.url))
        assert sorted(column(read(visit(town, kind)), "event_unique_id")) == new.published("event_unique_id")
        new.portal.faults.add(ServerError(path="*", times=0, status=403))
        with pytest.raises(PortalError) as caught:
            visit(town, kind)
    assert caught.value.status == 403
    assert "still public" in caught.value.hint


def test_toronto_is_the_same_by_both_portals(town, tmp_path):
    """The whole application: all records, the same ids, what vanished and came back, twice without a change."""
    apps = {kind: town.app(tmp_path / kind, town.source(kind)) for kind in PORTALS}
    for months in (0, 1, 4):
        town.later(days=30 * months)
        for kind, app in apps.items():
            done = app.run(TORONTO)
            assert (done.detail, done.pending, done.after.rejected) == ("", 0, 0), kind
            assert done.after.balances()
        assert ids(apps["arcgis"]) == ids(apps["ckan"])
        assert len(ids(apps["arcgis"])) == len(town.published("event_unique_id"))
        assert ids(apps["arcgis"], "vanished") == ids(apps["ckan"], "vanished")
    assert ids(apps["arcgis"], "vanished")
    rows = []
    for app in apps.values():
        with app.reader() as reader:
            rows.append(reader.query("SELECT * EXCLUDE (log_offset) FROM events ORDER BY event_id").to_pylist())
    assert [row["occurred_local"] for row in rows[0]] == [row["occurred_local"] for row in rows[1]]
    assert [(row["lat"], row["lon"], row["type"]) for row in rows[0]] == [
        (row["lat"], row["lon"], row["type"]) for row in rows[1]
    ]


def test_a_portal_is_changed_for_the_other(town, tmp_path):
    """The police's layer goes, the city's copy stays: the same records, none of them new."""
    first = town.run(tmp_path, town.source("arcgis"))
    second = town.run(tmp_path, town.source("ckan"))
    assert second.after.inserted == first.after.inserted
    assert (second.after.revised, second.after.vanished, second.detail) == (0, 0, "")


def test_a_shrunken_listing_lets_nothing_vanish(town, tmp_path, kind):
    town.run(tmp_path, town.source(kind))
    before = ids(town.app(tmp_path, town.source(kind)))
    town.portal.faults.add(Shrunk(path="*", times=0, rows=50))
    town.later(days=1)
    done = town.run(tmp_path, town.source(kind))
    assert (done.state, done.after.vanished) == ("refused", 0)
    assert ids(town.app(tmp_path, town.source(kind))) == before


def test_a_changed_listing_is_not_taken_at_all(town, tmp_path, kind):
    """Rows that come twice because others moved would pass for more bicycles: the listing is refused whole."""
    town.run(tmp_path, town.source(kind))
    before = ids(town.app(tmp_path, town.source(kind)))
    town.portal.faults.add(Rewritten(path="*", having=PAGE[kind], first=2, remove=3))
    with pytest.raises(PortalError, match="changed while it was read"):
        town.run(tmp_path, town.source(kind))
    app = town.app(tmp_path, town.source(kind))
    assert (ids(app), ids(app, "vanished")) == (before, set())
    assert [each["state"] for each in fetches(app)].count("refused") == 1
    town.portal.faults.clear()
    done = town.run(tmp_path, town.source(kind))
    assert (done.after.vanished, done.after.inserted, done.detail) == (3, len(before), "")


def test_a_numbered_listing_is_given_out_whole_and_never_continued(town, kind):
    first, *_, last = read(visit(town, kind, dataset=NUMBERED))
    assert (first.cursor, json.loads(last.cursor)["whole"]) == ("", True)
    half = json.dumps(json.loads(last.cursor) | {"offset": 100, "whole": False})
    again = visit(town, kind, half, dataset=NUMBERED)
    assert len(column(read(again), "event_unique_id")) == again.listing.count
    assert again.listing.complete
    assert read(visit(town, kind, last.cursor, dataset=NUMBERED)) == []
    town.portal.faults.add(ServerError(path="*", having=PAGE[kind], first=2, times=0, status=404))
    with pytest.raises(PortalError):
        next(visit(town, kind, dataset=NUMBERED).pages())


def test_a_portal_that_froze_is_called_so(town, tmp_path, kind):
    town.at = datetime(2027, 12, 1, tzinfo=UTC) + timedelta(days=900)
    assert town.run(tmp_path, town.source(kind)).state == "frozen"
    (fetch,) = fetches(town.app(tmp_path, town.source(kind)))
    assert fetch["publisher_updated_at"] == town.table.last_change(town.at).replace(tzinfo=None)


def test_an_older_copy_of_numbered_rows_takes_nothing_away(town, kind, tmp_path):
    """A portal that answers from a copy of last month lacks what came since: it is refused, and nothing is gone."""
    app = town.app(tmp_path, town.source(kind))
    town.later(days=-30)
    app.run(TORONTO)
    town.later(days=30)
    app.run(TORONTO)
    before = ids(app)
    town.later(days=-30)
    with pytest.raises(PortalError):
        app.run(TORONTO, full=True)
    assert ids(app) == before
    assert [each["state"] for each in fetches(app)].count("refused") == 1


def test_another_source_is_no_change_of_columns(town, tmp_path):
    """The layer and the package name their types otherwise; each is compared with its own last visit."""
    first, second = (town.app(tmp_path, town.source(kind)) for kind in ("arcgis", "ckan"))
    assert [app.run(TORONTO, full=True).drift for app in (first, second, first, second)] == ["", "", "", ""]
    town.portal.faults.add(RenamedColumn(path="*", times=0, old="occ_doy", new="day_of_year"))
    assert "day_of_year" in first.run(TORONTO, full=True).drift.lower()
