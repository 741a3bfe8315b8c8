"""What the sink of search servers does beside the contract: faults, maps, busy servers, the dashboard's questions."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pyarrow as pa
import pytest

from citystream.errors import ConfigError, SinkError
from citystream.ports import Partition
from citystream.sinks.saved_objects import saved_objects
from citystream.sinks.search import SearchSink
from citystream.sinks.search_client import Patience
from tests.contracts.sink_contract import ABOUT, Row, at, day, delta, deltas, event
from tests.services.running import free_port

NEW_YEAR = datetime(2000, 1, 1)
HASTY = Patience(first_wait=0.01, longest_wait=0.02, budget=1.0)
Answer = Callable[[httpx.Request, Callable[[], httpx.Response]], httpx.Response]


def plain(address: str) -> tuple[str, str]:
    """The server of an address, and the prefix of its indexes."""
    server, _, prefix = address.removeprefix("opensearch+").rpartition("/")
    return server, prefix


def search(address: str, index: str, **said: object) -> dict[str, object]:
    server, prefix = plain(address)
    answer = httpx.post(f"{server}/{prefix}-{index}/_search", json=said, timeout=60).raise_for_status()
    found: dict[str, object] = answer.json()
    return found


@contextmanager
def between(address: str, answer: Answer) -> Iterator[str]:
    """An address at which *answer* decides what becomes of a request to the server at *address*."""
    server, prefix = plain(address)

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {name: value for name, value in self.headers.items() if name in ("Content-Type", "Authorization")}
            asked = httpx.Request(self.command, server + self.path, headers=kept, content=body)
            found = answer(asked, lambda: forward.send(asked))
            self.send_response(found.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(found.content)))
            self.end_headers()
            self.wfile.write(found.content if self.command != "HEAD" else b"")

        def log_message(self, *_: object) -> None: ...

    for verb in ("GET", "PUT", "POST", "DELETE", "HEAD"):
        setattr(Handler, f"do_{verb}", Handler.handle_any)
    with httpx.Client(timeout=60) as forward, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"opensearch+http://127.0.0.1:{proxy.server_port}/{prefix}"
        finally:
            proxy.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("opensearch://me:s3cret@search.example.org:9200", "OPENSEARCH_PASSWORD"),
        ("opensearch://me@search.example.org?password=s3cret", "OPENSEARCH_PASSWORD"),
        ("opensearch://me@search.example.org?verify=no", "not the address"),
        ("opensearch+ftp://search.example.org", "not the address"),
        ("opensearch://", "not the address"),
        ("opensearch://search.example.org/Upper", "cannot begin"),
        ("opensearch://search.example.org/a/b", "cannot begin"),
        ("opensearch://search.example.org/a*", "cannot begin"),
    ],
)
def test_an_address_that_cannot_be_used(address: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        SearchSink(address)
    assert "s3cret" not in str(refused.value)


def test_nobody_answers_is_said_at_once() -> None:
    port = free_port()
    with closing(SearchSink(f"opensearch://me@127.0.0.1:{port}")) as sink:
        with pytest.raises(SinkError, match=f"https://127.0.0.1:{port}") as failed:
            sink.delivered(ABOUT)
        assert failed.value.passing


def test_a_server_that_does_not_speak_tls_is_not_spoken_to(opensearch: str) -> None:
    with closing(SearchSink(opensearch.replace("+http", ""), HASTY)) as sink, pytest.raises(SinkError, match="https"):
        sink.delivered(ABOUT)


def test_the_password_is_that_of_the_environment(opensearch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = "Basic " + base64.b64encode(b"me:s3cret").decode()

    def guarded(asked: httpx.Request, forward: Callable[[], httpx.Response]) -> httpx.Response:
        return forward() if asked.headers.get("Authorization") == right else httpx.Response(401, json={"error": "no"})

    with between(opensearch, guarded) as address:
        user = address.replace("//", "//me@")
        for variable in ("OPENSEARCH_PASSWORD", "ELASTICSEARCH_PASSWORD"):
            with monkeypatch.context() as said:
                said.setenv(variable, "s3cret")
                with closing(SearchSink(user)) as sink:
                    assert sink.delivered(ABOUT) is None
        monkeypatch.setenv("OPENSEARCH_PASSWORD", "wrong-one")
        with closing(SearchSink(user)) as sink, pytest.raises(SinkError, match="401") as failed:
            sink.delivered(ABOUT)
        assert "OPENSEARCH_PASSWORD" in failed.value.hint
        assert "wrong-one" not in str(failed.value)


def test_what_a_busy_server_did_not_take_is_sent_again(opensearch: str) -> None:
    """Each request fails once; of each bulk request every second document is too much at first."""
    seen: set[bytes] = set()
    sizes: list[int] = []

    def busy(asked: httpx.Request, forward: Callable[[], httpx.Response]) -> httpx.Response:
        if (mark := f"{asked.method} {asked.url}".encode() + asked.content) not in seen:
            seen.add(mark)
            return httpx.Response(429 if len(seen) % 2 else 503)
        if not asked.url.path.endswith("/_bulk"):
            return forward()
        lines = asked.content.decode().splitlines(keepends=True)
        sizes.append(len(lines) // 2)
        if len(lines) < 3:
            return forward()
        half = "".join("".join(lines[n : n + 2]) for n in range(0, len(lines), 4))
        done = httpx.post(asked.url, content=half, headers={"Content-Type": "application/x-ndjson"}).json()
        taken = iter(done["items"])
        too_much = {"index": {"_id": "x", "status": 429, "error": {"type": "too much", "reason": "queue"}}}
        items = [next(taken) if n % 2 == 0 else too_much for n in range(len(lines) // 2)]
        return httpx.Response(200, json={"errors": True, "items": items})

    rows: list[Row] = [event(str(number), number) for number in range(1, 6)]
    with between(opensearch, busy) as address, closing(SearchSink(address, HASTY)) as sink:
        sink.write(ABOUT, [delta("events", rows, batch=10), delta("daily"), delta("alerts")], at(5))
    assert sizes == [5, 2, 1]
    with closing(SearchSink(opensearch)) as sink:
        assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 5, 15)]


def test_a_server_that_stays_busy_is_given_up_for_now(opensearch: str) -> None:
    def busy(asked: httpx.Request, forward: Callable[[], httpx.Response]) -> httpx.Response:
        if not asked.url.path.endswith("/_bulk"):
            return forward()
        items = [{"index": {"_id": "1", "status": 429, "error": {"type": "t", "reason": "queue"}}}]
        return httpx.Response(200, json={"errors": True, "items": items})

    with between(opensearch, busy) as address, closing(SearchSink(address, replace(HASTY, budget=0.1))) as sink:
        with pytest.raises(SinkError, match="too busy for 1 documents") as failed:
            sink.write(ABOUT, deltas([event("1")]), at(1))
        assert failed.value.passing
        assert sink.delivered(ABOUT) is None


def test_a_document_that_is_refused_is_named(opensearch: str) -> None:
    server, prefix = plain(opensearch)
    with closing(SearchSink(opensearch)) as sink:
        sink.write(ABOUT, deltas([event("1")]), at(1))
        index = f"{server}/{prefix}-testville_crimes"
        httpx.put(f"{index}/_settings", json={"index.blocks.write": True}).raise_for_status()
        with pytest.raises(SinkError, match=r"document 'my key'.*blocked") as failed:
            sink.write(ABOUT, deltas([event("my key"), event("another")]), at(2))
        assert not failed.value.passing
        assert sink.delivered(ABOUT) == at(1)


def test_an_index_of_another_shape_is_refused(opensearch: str) -> None:
    server, prefix = plain(opensearch)
    made = {"mappings": {"properties": {"district": {"type": "long"}}}}
    httpx.put(f"{server}/{prefix}-daily", json=made).raise_for_status()
    with closing(SearchSink(opensearch)) as sink, pytest.raises(SinkError, match=r"-daily.*district"):
        sink.write(ABOUT, [delta("events"), delta("daily", [day(ABOUT, "1", 5)]), delta("alerts")], at(1))


def test_an_index_that_somebody_took_away_is_missed(opensearch: str) -> None:
    server, prefix = plain(opensearch)
    with closing(SearchSink(opensearch)) as sink:
        sink.write(ABOUT, deltas([event("1")]), at(1))
        httpx.delete(f"{server}/{prefix}-testville_crimes").raise_for_status()
        assert sink.partitions(ABOUT, "events") == []
        with pytest.raises(SinkError, match="is gone"):
            sink.write(ABOUT, deltas([event("2")]), at(2))


def test_another_delivery_meanwhile_is_noticed(opensearch: str) -> None:
    with closing(SearchSink(opensearch)) as sink, closing(SearchSink(opensearch)) as other:
        sink.write(ABOUT, deltas([event("1")]), at(1))

        def rows() -> Iterator[pa.RecordBatch]:
            other.write(ABOUT, deltas([event("2")]), at(7))
            yield from ()

        with pytest.raises(SinkError, match="409"):
            sink.write(ABOUT, [replace(delta("events"), rows=rows())], at(8))
        assert sink.delivered(ABOUT) == at(7)
        with pytest.raises(SinkError, match="someone else"):
            sink.write(ABOUT, deltas(), at(6))


def test_long_keys_are_told_apart_too(opensearch: str) -> None:
    keys = ["x" * 512, "x" * 513, "x" * 600, "é" * 300]
    with closing(SearchSink(opensearch)) as sink:
        sink.write(ABOUT, deltas([event(key) for key in keys]), at(1))
        sink.write(ABOUT, deltas([event(keys[2], 9)], [keys[1], keys[3]]), at(2))
        assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 2, 10)]


def test_more_months_than_one_answer_has(opensearch: str) -> None:
    from_year = [(year, month) for year in range(1900, 2000) for month in range(1, 13)]
    rows = [event(f"{y}-{m}", 1, occurred_local=NEW_YEAR.replace(year=y, month=m)) for y, m in from_year]
    with closing(SearchSink(opensearch)) as sink:
        sink.write(ABOUT, [delta("events", rows, batch=5000), delta("daily"), delta("alerts")], at(1))
        assert sink.partitions(ABOUT, "events") == [Partition(f"{y}-{m:02}", 1, 1) for y, m in from_year]


def test_large_rows_go_in_several_requests(opensearch: str) -> None:
    rows: list[Row] = [event(str(number), type="x" * 500_000) for number in range(20)]
    sizes: list[int] = []

    def weighed(asked: httpx.Request, forward: Callable[[], httpx.Response]) -> httpx.Response:
        sizes.extend([len(asked.content)] if asked.url.path.endswith("/_bulk") else [])
        return forward()

    with between(opensearch, weighed) as address, closing(SearchSink(address)) as sink:
        sink.write(ABOUT, [delta("events", rows, batch=100), delta("daily"), delta("alerts")], at(1))
        assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 20, 20)]
    assert len(sizes) == 3
    assert max(sizes) < 4_100_000


def test_places_are_on_the_map_and_blank_ones_are_not(opensearch: str) -> None:
    rows: list[Row] = [event("1", lat=41.8, lon=-87.7), event("2"), event("3", lat=41.8), event("4", lat=99.0, lon=0.0)]
    with closing(SearchSink(opensearch)) as sink:
        sink.write(ABOUT, deltas(rows), at(1))
    near = {"geo_distance": {"distance": "2km", "position": {"lat": 41.805, "lon": -87.705}}}
    found = search(opensearch, "testville_crimes", query=near)
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["1"]  # type: ignore[index]
    there = search(opensearch, "testville_crimes", query={"exists": {"field": "position"}})
    assert there["hits"]["total"]["value"] == 1  # type: ignore[index]


def test_a_first_load_leaves_the_usual_settings(opensearch: str) -> None:
    server, prefix = plain(opensearch)
    with closing(SearchSink(opensearch)) as sink:
        sink.write(ABOUT, deltas([event("1")]), at(1))
    for settings in httpx.get(f"{server}/{prefix}-*/_settings").json().values():
        assert "refresh_interval" not in settings["settings"]["index"]
        assert settings["settings"]["index"]["number_of_replicas"] == "1"


def test_the_dashboard_asks_what_the_index_can_answer(opensearch: str) -> None:
    _, prefix = plain(opensearch)
    rows: list[Row] = [event("1", lat=41.8, lon=-87.7, type="A"), event("2", lat=41.8, lon=-87.7, type="B"), event("3")]
    with closing(SearchSink(opensearch)) as sink:
        sink.write(ABOUT, deltas(rows), at(1))
    objects = [json.loads(line) for line in saved_objects(ABOUT, prefix).splitlines()]
    assert objects[0]["attributes"]["title"] == f"{prefix}-testville_crimes"
    states = {
        each["id"].rpartition("-")[2]: json.loads(each["attributes"]["visState"])
        for each in objects
        if each["type"] == "visualization"
    }
    asked = json.loads(states["map"]["params"]["spec"])["data"][0]["url"]
    cells = search(opensearch, asked["index"].removeprefix(f"{prefix}-"), **asked["body"])["aggregations"]
    ((cell,),) = [cells["cells"]["buckets"]]  # type: ignore[index]
    assert cell["doc_count"] == 2
    assert cell["centre"]["location"]["lat"] == pytest.approx(41.8, abs=1e-5)
    field = states["types"]["aggs"][1]["params"]["field"]
    types = search(opensearch, "testville_crimes", size=0, aggs={"t": {"terms": {"field": field}}})["aggregations"]
    assert {bucket["key"]: bucket["doc_count"] for bucket in types["t"]["buckets"]} == {"A": 1, "B": 1}  # type: ignore[index]
    field = states["days"]["aggs"][1]["params"]["field"]
    by_day = {"date_histogram": {"field": field, "calendar_interval": "1d"}}
    days = search(opensearch, "testville_crimes", size=0, aggs={"d": by_day})["aggregations"]
    assert [bucket["key_as_string"] for bucket in days["d"]["buckets"]] == ["2025-01-31T00:00:00.000Z"]  # type: ignore[index]
