"""SODA 3: the same visits by another interface, which wants a token with every question."""

from __future__ import annotations

import json
from datetime import date

import pytest

from citystream.catalog.dataset import Source
from citystream.catalog.library import load_library
from citystream.errors import PortalError
from citystream.portals.http import HttpClient
from citystream.portals.socrata import SocrataPortal
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.faults import (
    ErrorAsSuccess,
    ServerError,
    StaleReplica,
    TooManyRequests,
    TruncatedBody,
)
from citystream.simulate.portal import SimulatedPortal
from tests.integration.portal_town import QUICK, PortalTown, ids, read

NAME = "chicago/crimes"
DATASET = load_library().get(NAME)
TOKEN = "s3cr3t-t0k3n"
QUERY = "/api/v3/*"
PAGES = {"query": "ORDER BY"}


@pytest.fixture(scope="module")
def table():
    return generate(NAME, start=date(2024, 9, 1), end=date(2024, 9, 20), seed=7, scale=0.04).table


@pytest.fixture
def portal(table):
    with SimulatedPortal({RESOURCES[NAME]: table}) as portal:
        yield portal


@pytest.fixture
def client():
    with HttpClient(QUICK) as client:
        yield client


def source(portal, api="soda3", cursor="updated_on") -> Source:
    return Source(portal="socrata", host=portal.url, resource=RESOURCES[NAME], cursor=cursor, api=api)


def visit(portal, client, cursor="", *, token=TOKEN, full=False, api="soda3", by="updated_on"):
    asked = SocrataPortal(client, token, page_size=100)
    return asked.visit(DATASET, source(portal, api, by), cursor, full=full, overlap=False)


def rows(visit) -> list[dict[str, str]]:
    return sorted((row for page in read(visit) for row in page.rows.to_pylist()), key=lambda row: row["id"])


@pytest.mark.parametrize("by", ["updated_on", ":updated_at", ""])
def test_both_interfaces_give_the_same(portal, client, by):
    assert rows(visit(portal, client, by=by)) == rows(visit(portal, client, api="soda2", by=by))


def test_questions_are_statements_and_pages_are_by_key(portal, client):
    visits = visit(portal, client)
    assert visits.listing.complete
    read(visits)
    asked = [r for r in portal.requests if r.method == "POST"]
    assert not [r for r in portal.requests if r.path.startswith("/resource")]
    assert {r.path for r in asked} == {f"/api/v3/views/{RESOURCES[NAME]}/query.json"}
    pages = [r.params for r in asked if "ORDER BY" in r.params["query"]]
    assert len(pages) > 3
    assert {json.loads(params["page"])["pageNumber"] for params in pages} == {1}
    assert "WHERE :id > 'row-" in pages[1]["query"]
    assert all(r.headers["x-app-token"] == TOKEN for r in portal.requests)


def test_a_cursor_serves_both_interfaces(portal, client):
    """One setting can be changed any time."""
    *_, last = read(visit(portal, client))
    again = visit(portal, client, last.cursor, api="soda2")
    assert (read(again), again.listing.mode) == ([], "incremental")
    assert read(visit(portal, client, last.cursor)) == []


def test_without_a_token_nobody_is_asked(portal, client):
    with pytest.raises(PortalError, match="app token") as caught:
        visit(portal, client, token="")
    assert "CITYSTREAM_SOCRATA_TOKEN" in caught.value.hint
    assert portal.requests == []


def test_a_wrong_token_is_not_shown(portal, client):
    portal.faults.add(ServerError(path=QUERY, times=0, status=403))
    with pytest.raises(PortalError) as caught:
        visit(portal, client)
    assert caught.value.status == 403
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [TooManyRequests, ServerError, TruncatedBody],
)
def test_what_passes_is_survived(portal, client, fault):
    portal.faults.add(fault(path=QUERY, having=PAGES, first=2))
    assert len(rows(visit(portal, client))) == len(rows(visit(portal, client, api="soda2")))


def test_an_error_that_stays(portal, client):
    portal.faults.add(ErrorAsSuccess(path=QUERY, times=0, message="No such column"))
    with pytest.raises(PortalError, match="No such column"):
        visit(portal, client)


def test_a_copy_that_is_out_of_date_completes_nothing(portal, client):
    portal.faults.add(StaleReplica(path=QUERY, times=0))
    reading = visit(portal, client)
    received = sum(page.rows.num_rows for page in reading.pages())
    assert "out of date" in reading.verify(received)
    assert not reading.listing.complete


def test_the_whole_application(table, tmp_path):
    with PortalTown(NAME, table) as town:
        town.at = table.last_change()
        here = source(town.portal)
        done = town.run(tmp_path, here, socrata_token=TOKEN)
        assert (done.detail, done.after.rejected) == ("", 0)
        assert ids(town.app(tmp_path, here)) == set(town.published("id"))
        with pytest.raises(PortalError, match="app token"):
            town.run(tmp_path, here)
