"""What passes is survived without the caller noticing; what does not is one clear error, in bounded time."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pyarrow as pa
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from citystream.catalog.dataset import City, Dataset, Mapping, Source
from citystream.errors import PortalError
from citystream.portals.http import HttpClient, Patience
from citystream.portals.socrata import SocrataPortal
from citystream.simulate.faults import (
    CutConnection,
    ErrorAsSuccess,
    ServerError,
    Slow,
    StillRunning,
    TooManyRequests,
    TruncatedBody,
)
from citystream.simulate.listener import Listener
from citystream.simulate.portal import SimulatedPortal
from citystream.simulate.published import PublishedTable

TABLE = "abcd-1234"
CITY = City(city="Springfield", country="US", timezone="America/Chicago", bbox=(-90, 41, -87, 43))
DATASET = Dataset(
    name="springfield/crimes",
    city=CITY,
    title="t",
    kind="incident",
    columns=Mapping(event_id=["id"], occurred=["date"], type=["type"]),
)
ROWS = pa.table({"id": [str(i) for i in range(40)], "date": ["2024-01-01T00:00:00.000"] * 40, "type": ["x" * 40] * 40})
PAGES = {"$order": ":id"}
TOKEN = "s3cr3t-t0k3n"


def served(*faults) -> SimulatedPortal:
    table = PublishedTable.from_arrow(ROWS, types={"id": "number", "date": "calendar_date"})
    return SimulatedPortal({TABLE: table}, faults=faults)


def listing(portal: SimulatedPortal, token: str = "", **patience) -> list[str]:
    """All ids, in a full listing of four pages."""
    waits = {"interval": 0, "first_wait": 0.01, "longest_wait": 0.02, "budget": 5, "read": 5} | patience
    with HttpClient(Patience(**waits)) as client:
        source = Source(portal="socrata", host=portal.url, resource=TABLE)
        visit = SocrataPortal(client, token, page_size=10).visit(DATASET, source, "", full=True, overlap=False)
        ids = [i for page in visit.pages() for i in page.rows["id"].to_pylist()]
        assert visit.verify(len(ids)) == ""
        return ids


@pytest.mark.parametrize(
    "fault",
    [
        TooManyRequests(having=PAGES, times=2),
        TooManyRequests(path="/api/*", times=2),
        StillRunning(having=PAGES, first=2, times=3),
        ServerError(having=PAGES, first=2, times=2),
        ServerError(having=PAGES, status=503, html=True),
        ServerError(having={"$select": "count"}, status=504),
        CutConnection(having=PAGES, first=3),
        CutConnection(having=PAGES, first=3, share=0),
        TruncatedBody(having=PAGES, first=2, times=2),
        TruncatedBody(having=PAGES, share=0.99),
        ErrorAsSuccess(having=PAGES, message="Timeout while executing the query"),
        Slow(having=PAGES, seconds=0.6),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_what_passes_is_survived(fault):
    with served(fault) as portal:
        ids = listing(portal, read=0.4)
    assert sorted(map(int, ids)) == list(range(40))


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(form):
    """What the portal asks for is waited for: with less time than that, it is not asked again."""
    after = "1" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    with served(TooManyRequests(having=PAGES, retry_after=after)) as portal:
        assert len(listing(portal)) == 40
    after = "30" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    with served(TooManyRequests(having=PAGES, retry_after=after)) as portal:
        with pytest.raises(PortalError):
            listing(portal)
        assert len([r for r in portal.requests if "$order" in r.params]) == 1


def test_the_portal_may_not_ask_for_more_than_the_budget():
    fault = TooManyRequests(having=PAGES, retry_after="3600")
    with served(fault) as portal, pytest.raises(PortalError) as caught:
        listing(portal, budget=2)
    assert caught.value.status == 429
    assert "app token" in caught.value.hint


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ServerError(having=PAGES, times=0, status=502), "HTTP 502: Internal error"),
        (TruncatedBody(having=PAGES, times=0), "damaged or cut off"),
        (CutConnection(having=PAGES, times=0), "closed"),
        (ErrorAsSuccess(having=PAGES, times=0, message="Query timed out"), "Query timed out"),
    ],
)
def test_the_budget_ends_it(fault, said):
    with served(fault) as portal:
        with pytest.raises(PortalError) as caught:
            listing(portal, budget=0.3)
        assert said in caught.value.message
        assert portal.url in caught.value.url
        assert caught.value.hint
        assert len(portal.requests) > 4


def test_an_error_with_status_200_is_an_error():
    with served(ErrorAsSuccess(having=PAGES, message="No such column")) as portal:
        with pytest.raises(PortalError, match="an error in place of data: No such column"):
            listing(portal)
        assert len([r for r in portal.requests if "$order" in r.params]) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_not_tried_again(status):
    with served(ServerError(having=PAGES, times=0, status=status)) as portal:
        with pytest.raises(PortalError) as caught:
            listing(portal)
        assert caught.value.status == status
        assert len([r for r in portal.requests if "$order" in r.params]) == 1


def test_nobody_there():
    with served() as portal:
        pass
    with pytest.raises(PortalError) as caught:
        listing(portal, budget=0.2)
    assert caught.value.status is None
    assert "down or unreachable" in caught.value.hint


def test_the_token_is_sent_and_never_shown():
    fault = ServerError(having=PAGES, times=0, status=403)
    echo = ErrorAsSuccess(having=PAGES, times=0, message=f"bad token {TOKEN}")
    for wrong in (fault, echo):
        with served(wrong) as portal:
            with pytest.raises(PortalError) as caught:
                listing(portal, TOKEN)
            assert {r.headers["x-app-token"] for r in portal.requests} == {TOKEN}
        assert TOKEN not in str(caught.value) + repr(caught.value) + caught.value.url
        assert TOKEN not in repr(caught.value.__cause__)


def test_requests_say_who_asks_and_for_how_much():
    with served() as portal:
        listing(portal)
        pages = [r for r in portal.requests if "$order" in r.params]
        assert all(r.headers["user-agent"].startswith("citystream/") for r in portal.requests)
        assert all("gzip" in r.headers["accept-encoding"] for r in portal.requests)
        assert all("$limit" in r.params and ":id" in r.params["$order"] for r in pages)


def test_a_token_does_not_follow_to_another_host():
    seen: list[tuple[str, str]] = []

    async def answer(request: Request) -> Response:
        host, port = request.headers["host"].split(":")
        seen.append((host, request.headers.get("x-app-token", "")))
        moved = RedirectResponse(f"http://localhost:{port}/", 301)
        return moved if host == "127.0.0.1" else JSONResponse({"moved": True})

    listener = Listener(Starlette(routes=[Route("/", answer)]), 0)
    listener.start()
    try:
        with HttpClient(Patience(interval=0)) as client:
            value, _ = client.get_json(listener.url, headers={"X-App-Token": TOKEN})
            body, _ = client.get_bytes(listener.url)
    finally:
        listener.stop()
    assert (value, json.loads(body)) == ({"moved": True}, {"moved": True})
    assert seen[:2] == [("127.0.0.1", TOKEN), ("localhost", "")]


def test_redirects_without_end():
    async def answer(_: Request) -> Response:
        return RedirectResponse("/", 302)

    listener = Listener(Starlette(routes=[Route("/", answer)]), 0)
    listener.start()
    try:
        with HttpClient(Patience(interval=0)) as client, pytest.raises(PortalError, match="redirected too often"):
            client.get_json(listener.url)
    finally:
        listener.stop()


@pytest.mark.parametrize("address", ["ftp://example.org/", "no address", "http://[", "https://"])
def test_what_is_no_address(address):
    with HttpClient(Patience(interval=0, budget=1)) as client, pytest.raises(PortalError):
        client.get_json(address)
