"""San Diego's year files over a real socket: only what changed is fetched, and only whole files count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from citystream.catalog.dataset import Source
from citystream.catalog.library import load_library
from citystream.errors import PortalError, StorageError
from citystream.portals.http import HttpClient
from citystream.portals.shelf import parse
from citystream.portals.web_file import TAIL
from citystream.portals.web_files import FilePortal
from citystream.simulate.faults import (
    CutConnection,
    Moved,
    RenamedColumn,
    Rewritten,
    ServerError,
    Shrunk,
    TooManyRequests,
    TruncatedBody,
)
from citystream.simulate.listener import Listener
from tests.integration.portal_town import QUICK, SAN_DIEGO, PortalTown, column, drawn, fetches, ids, read

DATASET = load_library().get(SAN_DIEGO)
NEWEST, LAST = "pd_calls_for_service_2024_datasd.csv", "pd_calls_for_service_2023_datasd.csv"
SINCE = {"covers_from": date(2023, 1, 1)}


@pytest.fixture(scope="module")
def table():
    return drawn(SAN_DIEGO, scale=0.15)


@pytest.fixture(scope="module")
def running(table):
    with PortalTown(SAN_DIEGO, table) as running:
        yield running


@pytest.fixture
def town(running):
    return running.renewed()


def visit(town, cursor="", *, full=False, **changes):
    source = town.source("files", **(SINCE | changes))
    return FilePortal(town.client).visit(DATASET, source, cursor, full=full, overlap=False)


def test_the_first_visit_has_all_years(town):
    reading = visit(town)
    pages = read(reading)
    assert sorted(column(pages, "incident_num")) == town.published("incident_num")
    assert (reading.listing.mode, reading.listing.complete, reading.listing.count) == ("full", True, None)
    assert town.asked() == [f"HEAD {LAST}", f"GET {NEWEST}", f"GET {LAST}"]
    assert {page.rows.column_names[0] for page in pages} == {"INCIDENT_NUM", "incident_num"}
    assert next(iter(reading.listing.columns)) == "INCIDENT_NUM"
    assert reading.listing.updated_at <= town.at.replace(tzinfo=None)


def test_only_the_last_page_of_a_file_has_a_cursor_and_is_short(town):
    pages = read(visit(town))
    cursors = [parse(page.cursor) for page in pages if page.cursor]
    assert [set(shelf.files) for shelf in cursors] == [{"2024"}, {"2024", "2023"}]
    assert [shelf.open for shelf in cursors] == [True, False]
    assert all(page.rows.num_rows <= TAIL for page in pages if page.cursor)
    assert any(page.rows.num_rows > TAIL for page in pages if not page.cursor)


def test_what_did_not_change_is_not_sent_again(town):
    *_, last = read(visit(town))
    town.asked()
    town.later(minutes=5)
    again = visit(town, last.cursor)
    assert read(again) == []
    assert town.asked() == [f"HEAD {NEWEST}", f"GET {NEWEST}"]
    assert (again.listing.mode, again.listing.complete) == ("incremental", False)
    assert next(iter(again.listing.columns)) == "INCIDENT_NUM"
    assert again.listing.updated_at is not None


def test_a_file_that_was_rewritten_is_sent(town):
    *_, last = read(visit(town))
    town.asked()
    town.later(days=1)
    reading = visit(town, last.cursor)
    pages = read(reading)
    this_year = [n for n in town.published("incident_num") if n.startswith("E24")]
    assert sorted(column(pages, "incident_num")) == this_year
    assert town.asked() == [f"HEAD {NEWEST}", f"GET {NEWEST}"]
    assert not reading.listing.complete
    assert set(parse(pages[-1].cursor).files) == {"2024", "2023"}


def test_past_years_are_asked_for_once_per_relist(town):
    *_, last = read(visit(town, relist=timedelta(days=30)))
    town.later(days=29)
    town.asked()
    *_, last = read(visit(town, last.cursor, relist=timedelta(days=30)))
    assert len(town.asked()) == 2
    town.later(days=1)
    pages = read(visit(town, last.cursor, relist=timedelta(days=30)))
    assert town.asked() == [f"HEAD {NEWEST}", f"GET {NEWEST}", f"GET {LAST}"]
    assert not [n for n in column(pages, "incident_num") if n.startswith("E23")]
    assert parse(pages[-1].cursor).checked == town.at.date().isoformat()


def test_a_past_year_that_was_rewritten_is_sent_then(town):
    *_, last = read(visit(town))
    town.later(days=30)
    town.portal.faults.add(Rewritten(path=f"*{NEWEST}", remove=40))
    pages = read(visit(town, last.cursor))
    assert {n[:3] for n in column(pages, "incident_num")} == {"E23", "E24"}


def test_a_full_listing_has_every_file_changed_or_not(town):
    *_, last = read(visit(town))
    whole = visit(town, last.cursor, full=True)
    assert sorted(column(read(whole), "incident_num")) == town.published("incident_num")
    assert (whole.listing.mode, whole.listing.complete) == ("full", True)


def test_the_year_turns(town):
    """On the first of January the new file is not there yet; then it is, and the old one is still written."""
    town.at = datetime(2023, 12, 30, 20, tzinfo=UTC)
    *_, last = read(visit(town))
    town.at = datetime(2024, 1, 1, 9, tzinfo=UTC)
    town.asked()
    pages = read(visit(town, last.cursor))
    assert town.asked() == [f"HEAD {LAST}", f"GET {NEWEST}", f"GET {LAST}"]
    assert {n[:3] for n in column(pages, "incident_num")} == {"E23"}
    town.at = datetime(2024, 1, 3, 20, tzinfo=UTC)
    pages = read(visit(town, pages[-1].cursor))
    assert {n[:3] for n in column(pages, "incident_num")} == {"E23", "E24"}


def test_a_new_file_that_stays_away_is_missed(town):
    town.portal.faults.add(ServerError(path=f"*{NEWEST}", times=0, status=404))
    with pytest.raises(PortalError, match="2024") as caught:
        visit(town)
    assert caught.value.status == 404


@pytest.mark.parametrize("full", [True, False])
def test_an_interrupted_listing_goes_on_with_the_files_it_lacks(town, full):
    town.portal.faults.add(ServerError(path=f"*{LAST}", first=2, times=1, status=404))
    reading, pages = visit(town), []
    with pytest.raises(PortalError):
        for page in reading.pages():
            pages.append(page)
    assert {n[:3] for n in column(pages, "incident_num")} == {"E24"}
    assert "not read to its end" in reading.verify(len(column(pages, "incident_num")))
    town.asked()
    rest = visit(town, pages[-1].cursor, full=full)
    pages += (more := read(rest))
    assert sorted(column(pages, "incident_num")) == town.published("incident_num")
    assert {n[:3] for n in column(more, "incident_num")} == {"E23"}
    assert (rest.listing.mode, rest.listing.complete, parse(pages[-1].cursor).open) == ("full", False, False)


@pytest.mark.parametrize(
    "fault",
    [
        TooManyRequests(path=f"*{NEWEST}"),
        ServerError(path=f"*{NEWEST}", status=503),
        CutConnection(path=f"*{NEWEST}"),
        CutConnection(path=f"*{NEWEST}", share=0.0),
        TooManyRequests(path=f"*{LAST}"),
    ],
)
def test_what_passes_is_survived(town, fault):
    town.portal.faults.add(fault)
    assert sorted(column(read(visit(town)), "incident_num")) == town.published("incident_num")


def test_a_body_that_is_cut_inside_a_cell_is_not_taken_for_whole(town):
    """A shorter file that the server calls whole: its last record does not end."""
    town.portal.faults.add(TruncatedBody(path=f"*{NEWEST}", times=0, share=0.5))
    reading = visit(town)
    rows = [row for page in reading.pages() for row in page.rows.to_pylist()]
    assert sum(bool(row.get("$unreadable")) for row in rows) <= 1
    assert len(rows) < len(town.published("incident_num"))


def test_a_web_page_is_refused(town):
    town.portal.faults.add(ServerError(path=f"*{NEWEST}", times=0, status=200, html=True))
    with pytest.raises(PortalError, match="is a web page") as caught:
        visit(town)
    assert NEWEST in caught.value.message
    assert town.portal.url in caught.value.url
    assert "/tmp" not in caught.value.message


def test_another_file_than_that_of_the_dataset_is_refused(town):
    town.portal.faults.add(RenamedColumn(path="*", times=0, old="incident_num", new="something_else"))
    with pytest.raises(PortalError, match="SOMETHING_ELSE"):
        visit(town)


def test_a_host_that_moved_is_followed_until_it_lets_nobody_in(town, table):
    with PortalTown(SAN_DIEGO, table) as new:
        town.portal.faults.add(Moved(path="*", times=0, to=new.portal.url))
        assert sorted(column(read(visit(town)), "incident_num")) == new.published("incident_num")
        new.portal.faults.add(ServerError(path="*", times=0, status=403))
        with pytest.raises(PortalError) as caught:
            visit(town)
    assert caught.value.status == 403


def test_nothing_is_left_on_disk(town, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    visit(town)
    reading = visit(town)
    read(reading)
    assert not [file for folder in tmp_path.iterdir() for file in folder.iterdir()]
    del reading
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk here")
def test_a_full_disk_is_said(town):
    with pytest.raises(StorageError, match="No space left"):
        town.client.download(f"{town.portal.url}/police_calls_for_service/{NEWEST}", Path("/dev/full"))


def test_san_diego_by_files(town, tmp_path):
    """The whole application over two months: all records, what changed, and what vanished at the next full listing."""
    source = town.source("files", relist=timedelta(days=30), **SINCE)
    for days in (0, 1, 12, 40):
        town.later(days=days)
        if days == 40:
            town.portal.faults.add(Rewritten(path=f"*{NEWEST}", first=2, remove=7))
        done = town.run(tmp_path, source)
        assert (done.detail, done.pending, done.after.rejected, done.drift) == ("", 0, 0, "")
        assert done.after.balances()
        app = town.app(tmp_path, source)
        assert len(set(town.published("incident_num")) - ids(app)) == 7 * (days == 40)
    assert [fetch["mode"] for fetch in fetches(app)] == ["full", "incremental", "incremental", "full"]
    assert 0 < done.after.vanished <= 7  # some came and went between two visits
    assert ids(app) <= set(town.published("incident_num"))


def test_a_shrunken_listing_lets_nothing_vanish(town, tmp_path):
    source = town.source("files", **SINCE)
    town.run(tmp_path, source)
    before = ids(town.app(tmp_path, source))
    town.portal.faults.add(Shrunk(path="*", times=0, rows=2500))
    done = town.run(tmp_path, source, full=True)
    assert (done.state, done.after.vanished) == ("refused", 0)
    assert ids(town.app(tmp_path, source)) == before


class Server:
    """A web server with one file and the headers it is told."""

    def __init__(self, **headers: str) -> None:
        self.headers, self.conditions = headers, []
        self._listener = Listener(Starlette(routes=[Route("/calls.csv", self._answer)]), 0)

    async def _answer(self, request) -> Response:
        self.conditions.append(request.headers.get("if-modified-since"))
        known = request.method == "GET" and "if-modified-since" in request.headers
        return Response("incident_num,date_time\n1,2024-01-01\n", 304 if known else 200, headers=self.headers)

    def visit(self, cursor: str = ""):
        source = Source(portal="files", url=f"{self._listener.url}/calls.csv")
        with HttpClient(QUICK) as client:
            return read(FilePortal(client).visit(DATASET, source, cursor, full=False, overlap=False))

    def __enter__(self) -> Server:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()


def test_a_server_that_knows_only_last_modified():
    with Server(
        **{"Date": "Mon, 01 Jul 2024 12:00:00 GMT", "Last-Modified": "Mon, 01 Jul 2024 10:00:00 GMT"}
    ) as server:
        (page,) = server.visit()
        assert server.visit(page.cursor) == []
        assert server.conditions[-1] == "Mon, 01 Jul 2024 10:00:00 GMT"


def test_a_copy_from_a_cache_is_younger_than_its_date():
    with Server(Date="Sun, 30 Jun 2024 23:00:00 GMT", Age="7200") as server:
        (page,) = server.visit()
        assert parse(page.cursor).checked == "2024-07-01"


def test_a_server_without_a_clock():
    with Server() as server, pytest.raises(PortalError, match="what day it is"):
        server.visit()
