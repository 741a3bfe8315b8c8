"""The simulated portal over a real socket: addresses, paging, headers, time, and every fault."""

import time
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import httpx
import pyarrow as pa
import pytest

from citystream.errors import ConfigError
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.clock import SimClock
from citystream.simulate.faults import (
    CutConnection,
    ErrorAsSuccess,
    RenamedColumn,
    Rewritten,
    ServerError,
    Shrunk,
    Slow,
    StaleReplica,
    StillRunning,
    TooManyRequests,
    TruncatedBody,
)
from citystream.simulate.portal import SimulatedPortal
from citystream.simulate.published import PublishedTable

CHICAGO, SEATTLE = RESOURCES["chicago/crimes"], RESOURCES["seattle/fire"]
ROWS = f"/resource/{CHICAGO}.json"


@pytest.fixture(scope="module")
def tables():
    days = {"start": date(2024, 10, 1), "end": date(2024, 11, 30)}
    return {
        RESOURCES[d]: generate(d, scale=0.1 if d != "toronto/bicycle-thefts" else 1.0, **days).table for d in RESOURCES
    }


@pytest.fixture(scope="module")
def portal(tables):
    with SimulatedPortal(tables) as running:
        yield running


@contextmanager
def small(n=100, *, clock=None, faults=()):
    """A portal with a table of *n* rows and a client that talks to it."""
    rows = pa.table({"id": [str(i) for i in range(n)], "word": [f"w{i}" for i in range(n)]})
    table = PublishedTable.from_arrow(rows, types={"id": "number"}, name="Small", row_identifier="id")
    with (
        SimulatedPortal({"smal-1234": table}, clock=clock, faults=faults) as running,
        httpx.Client(base_url=running.url) as client,
    ):
        yield running, client


SMALL = "/resource/smal-1234.json"


def get(portal, path, **params):
    return httpx.get(portal.url + path, params={f"${k}": v for k, v in params.items()})


def test_every_dataset_is_there(portal):
    for resource in RESOURCES.values():
        assert int(get(portal, f"/resource/{resource}.json", select="count(*)").json()[0]["count"]) > 30


def test_a_thousand_rows_unless_asked_for_more(portal):
    assert len(get(portal, ROWS).json()) == 1000
    assert len(get(portal, ROWS, limit="1500").json()) == 1500
    assert get(portal, ROWS, limit="0").json() == []


def test_pages_in_declared_order_make_the_whole(portal):
    whole = int(get(portal, ROWS, select="count(*)").json()[0]["count"])
    pages = [get(portal, ROWS, order=":id", limit="1000", offset=str(o)).json() for o in range(0, whole + 1000, 1000)]
    ids = [row["id"] for page in pages for row in page]
    assert len(ids) == whole == len(set(ids))
    assert pages[-1] == []


def test_pages_by_key(portal):
    """The keyset way: on from the last (updated_at, id)."""
    select, order, found, where = ":*,*", ":updated_at,id", [], None
    while True:
        extra = {"where": where} if where else {}
        page = get(portal, ROWS, select=select, order=order, limit="1000", **extra).json()
        found += page
        if len(page) < 1000:
            break
        last = page[-1]
        where = (
            f":updated_at > '{last[':updated_at']}' or (:updated_at = '{last[':updated_at']}' and id > {last['id']})"
        )
    assert (
        len(found) == len({row["id"] for row in found}) == int(get(portal, ROWS, select="count(*)").json()[0]["count"])
    )


def test_json_as_version_two_writes_it(portal):
    row = get(portal, ROWS, where="latitude is not null", limit="1").json()[0]
    assert isinstance(row["id"], str)
    assert isinstance(row["arrest"], bool)
    assert row["location"] == {"latitude": row["latitude"], "longitude": row["longitude"]}
    assert "latitude" not in get(portal, ROWS, where="latitude is null", limit="1").json()[0]
    assert get(portal, f"/resource/{SEATTLE}.json", limit="1").json()[0]["report_location"]["type"] == "Point"


def test_csv_has_line_breaks_in_places(portal):
    text = get(portal, f"/resource/{CHICAGO}.csv", where="latitude is not null", limit="1").text
    assert text.splitlines()[0].startswith('"id","case_number"')
    assert '"\n,  \n(' in text


def test_headers(portal):
    answer = get(portal, ROWS, select="id,date", limit="1")
    assert answer.headers["x-soda2-fields"] == '["id", "date"]'
    assert answer.headers["x-soda2-types"] == '["number", "floating_timestamp"]'
    assert answer.headers["last-modified"] == answer.headers["x-soda2-truth-last-modified"]
    same = httpx.get(
        portal.url + ROWS,
        params={"$select": "id,date", "$limit": "1"},
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert same.status_code == 304


def test_compressed_only_if_asked(portal):
    plain = httpx.get(portal.url + ROWS, headers={"Accept-Encoding": "identity"})
    packed = httpx.get(portal.url + ROWS)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.json() == packed.json()


def test_metadata(portal):
    about = get(portal, f"/api/views/{CHICAGO}.json").json()
    assert about["id"] == CHICAGO
    assert about["rowIdentifier"] == "id"
    assert {c["fieldName"]: c["dataTypeName"] for c in about["columns"]}["date"] == "calendar_date"
    assert about["rowsUpdatedAt"] > 1_700_000_000


def test_errors_as_the_portal_says_them(portal):
    for params in ({"where": "nope = 1"}, {"where": "date > '2024-01-01T00:00:00Z'"}, {"limit": "x"}, {"magic": "1"}):
        answer = get(portal, ROWS, **params)
        assert answer.status_code == 400
        assert answer.json()["error"] is True
    assert "No such column: nope" in get(portal, ROWS, where="nope = 1").json()["message"]
    assert get(portal, "/resource/none-0000.json").status_code == 404
    assert get(portal, "/api/views/none-0000.json").status_code == 404


def test_filters_without_soql(portal):
    rows = httpx.get(portal.url + ROWS, params={"district": "011", "arrest": "true"}).json()
    assert {(row["district"], row["arrest"]) for row in rows} == {("011", True)}


def test_requests_are_recorded():
    with small() as (portal, client):
        client.get(SMALL, params={"$limit": "5"}, headers={"X-App-Token": "t"})
    (request,) = portal.requests
    assert (request.method, request.path, request.params) == ("GET", SMALL, {"$limit": "5"})
    assert request.headers["x-app-token"] == "t"


def test_the_clock_decides_what_is_published(tables):
    clock = SimClock(datetime(2024, 10, 20))
    with SimulatedPortal({CHICAGO: tables[CHICAGO]}, clock=clock) as portal:
        count = lambda: int(get(portal, ROWS, select="count(*)").json()[0]["count"])  # noqa: E731
        before, etag = count(), get(portal, ROWS).headers["etag"]
        assert before == len(tables[CHICAGO].standing(clock()))
        clock.step(timedelta(days=3))
        assert count() > before
        assert get(portal, ROWS).headers["etag"] != etag
        new = get(portal, ROWS, where=":updated_at > '2024-10-20T00:00:00Z'", limit="5000").json()
        assert len(new) >= count() - before


def test_a_port_that_is_taken(portal):
    port = int(portal.url.rpartition(":")[2])
    with pytest.raises(ConfigError, match="is taken"):
        SimulatedPortal({}, port=port).start()


# --- faults ---


def test_too_many_requests_once_with_and_once_without_a_hint():
    faults = (TooManyRequests(retry_after="7"), TooManyRequests(first=2))
    with small(faults=faults) as (_, client):
        first, second, third = (client.get(SMALL) for _ in range(3))
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    assert second.status_code == 429
    assert "retry-after" not in second.headers
    assert len(third.json()) == 100


@pytest.mark.parametrize(
    ("fault", "status"), [(StillRunning(), 202), (ServerError(), 500), (ServerError(status=503, html=True), 503)]
)
def test_other_answers(fault, status):
    with small(faults=[fault]) as (_, client):
        assert client.get(SMALL).status_code == status
        assert client.get(SMALL).status_code == 200


def test_which_requests_are_hit():
    with small(faults=[ServerError(having={"$offset": "20"}, first=2, times=2)]) as (portal, client):
        codes = [client.get(SMALL, params={"$offset": "20"}).status_code for _ in range(4)]
        assert client.get(SMALL).status_code == 200
        assert codes == [200, 500, 500, 200]
        portal.faults.add(ServerError(path="/api/views/*", times=0))
        assert [client.get("/api/views/smal-1234.json").status_code for _ in range(2)] == [500, 500]
        portal.faults.clear()
        assert client.get("/api/views/smal-1234.json").status_code == 200


def test_slow():
    with small(faults=[Slow(seconds=0.3)]) as (_, client):
        begin = time.monotonic()
        client.get(SMALL)
        assert time.monotonic() - begin >= 0.3
        with pytest.raises(httpx.ReadTimeout):
            _.faults.add(Slow(seconds=0.5))
            client.get(SMALL, timeout=0.1)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_cut_connection(encoding):
    with small(1000, faults=[CutConnection()]) as (_, client):
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(SMALL, headers={"Accept-Encoding": encoding})
        assert len(client.get(SMALL).json()) == 1000


def test_truncated_and_error_bodies_come_with_200():
    with small(faults=[TruncatedBody(), ErrorAsSuccess(first=2, message="Timeout")]) as (_, client):
        truncated, error = client.get(SMALL), client.get(SMALL)
    assert truncated.status_code == error.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        truncated.json()
    assert error.json()["message"] == "Timeout"


def test_changed_under_the_reader():
    with small(faults=[Rewritten(first=2, insert=3, revise=2, remove=10)]) as (_, client):
        ask = lambda: client.get(SMALL, params={"$order": "id", "$select": ":*,*"}).json()  # noqa: E731
        before, after = ask(), ask()
    old, new = ({r["id"]: r["word"] for r in rows} for rows in (before, after))
    assert len(old.keys() - new.keys()) == 10
    assert len(new.keys() - old.keys()) == 3
    assert sum(old[k] != new[k] for k in old.keys() & new.keys()) == 2
    assert len({r[":id"] for r in after}) == len(after) == 93
    assert max(r[":updated_at"] for r in after) > max(r[":updated_at"] for r in before)


def test_stale_replica():
    clock = SimClock(datetime(2024, 1, 5))
    rows = pa.table({"id": ["1", "2"]})
    table = PublishedTable.from_arrow(rows, row_identifier="id", published_at=datetime(2024, 1, 1))
    table = table.then(pa.table({"id": ["1", "2", "3"]}), datetime(2024, 1, 4, 20))
    with SimulatedPortal({"smal-1234": table}, clock, [StaleReplica()]) as portal:
        stale, fresh = httpx.get(portal.url + SMALL), httpx.get(portal.url + SMALL)
    assert (stale.headers["x-soda2-data-out-of-date"], len(stale.json())) == ("true", 2)
    assert (fresh.headers["x-soda2-data-out-of-date"], len(fresh.json())) == ("false", 3)


def test_renamed_column_and_shrunk_table():
    faults = [
        RenamedColumn(path="*", first=2, times=0, old="word", new="term"),
        Shrunk(path="*", first=3, times=0, rows=7),
    ]
    with small(faults=faults) as (_, client):
        answers = [client.get(SMALL) for _ in range(3)]
        columns = [c["fieldName"] for c in client.get("/api/views/smal-1234.json").json()["columns"]]
        refused = client.get(SMALL, params={"$where": "word = 'w1'"})
    assert list(answers[0].json()[0]) == ["id", "word"]
    assert list(answers[1].json()[0]) == columns == ["id", "term"]
    assert [len(a.json()) for a in answers] == [100, 100, 7]
    assert refused.status_code == 400
