"""The live stream over a real connection: what commits change, resumed without a gap, never an endless queue."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import citystream
from citystream.simulate.listener import Listener
from citystream.web import live
from citystream.web.app import create
from citystream.web.asking import Newest
from citystream.web.live import Hub, event, resync
from tests.integration.test_cli import DATASET, REVISED, ROWS, crimes
from tests.unit.dashboard_site import Served, served

pytestmark = pytest.mark.usefixtures("without_learning")


def take_in(folder: Path, *rows: str) -> None:
    citystream.import_files(DATASET, crimes(folder.with_name("more.csv"), list(rows)), data=folder)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Served, str]]:
    take_in(tmp_path / "data", ROWS[0], ROWS[1])
    site = served(tmp_path / "data")
    listener = Listener(create(site.site), 0)
    listener.start()
    yield site, listener.url
    site.site.close()
    listener.stop()


@contextmanager
def stream(url: str, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of one connection."""
    params = {"dataset": DATASET}
    with httpx.stream("GET", f"{url}/api/live", params=params, headers=headers, timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name in ("event", "id", "data"):
            found[name] = json.loads(value) if name == "data" else value
        elif not line and "event" in found:
            yield found
            found = {}


def test_a_commit_is_told_and_a_page_that_comes_back_misses_nothing(site: tuple[Served, str]) -> None:
    here, url = site
    with stream(url) as told:
        hello = next(told)
        assert (hello["event"], hello["data"]["position"]) == ("hello", 2)
        take_in(here.folder, REVISED, ROWS[3])
        assert here.follower.look()
        delta = next(told)
    assert (delta["event"], delta["id"]) == ("delta", "4")
    data = delta["data"]
    assert (data["from"], data["to"], data["added"], data["removed"]) == (2, 4, 2, 1)
    names = next(each for each in here.json("/api/meta")["datasets"][0]["dimensions"] if each["name"] == "type")[
        "values"
    ]
    changes = {names[code]: change for code, change in data["views"]["type"]}
    assert changes == {"THEFT": -1, "ROBBERY": 1, "MOTOR VEHICLE THEFT": 1}
    assert [row["event_id"] for row in data["rows"]] == ["4", "1"]
    take_in(here.folder, ROWS[2])
    with stream(url, **{"Last-Event-ID": "4"}) as told:
        here.follower.look()
        following = [next(told), next(told)]
    assert [each["event"] for each in following] == ["hello", "delta"]
    assert (following[1]["data"]["from"], following[1]["data"]["to"]) == (4, 5)
    (secret,) = following[1]["data"]["rows"]
    assert (secret["event_id"], secret["lat"], secret["address"]) == ("3", None, None)


def test_a_server_that_was_started_again_tells_what_was_missed(site: tuple[Served, str]) -> None:
    here, _ = site
    take_in(here.folder, ROWS[3], REVISED)
    again = served(here.folder)
    listener = Listener(create(again.site), 0)
    listener.start()
    try:
        with stream(listener.url, **{"Last-Event-ID": "2"}) as told:
            assert next(told)["event"] == "hello"
            delta = next(told)
        assert (delta["event"], delta["id"]) == ("delta", "4")
        assert (delta["data"]["from"], delta["data"]["added"], delta["data"]["removed"]) == (2, 2, 1)
        with stream(listener.url, **{"Last-Event-ID": "99"}) as told:
            assert [next(told)["event"], next(told)["event"]] == ["hello", "resync"]
    finally:
        again.site.close()
        listener.stop()


def test_what_is_counted_follows(site: tuple[Served, str]) -> None:
    here, url = site
    asked = {"dataset": DATASET, "views": "type"}
    before = httpx.get(f"{url}/api/query", params=asked, headers={"Accept": "application/json"})
    assert before.json()["kpis"]["total"] == 2
    take_in(here.folder, ROWS[2], ROWS[3])
    here.follower.look()
    tag = {"If-None-Match": before.headers["etag"], "Accept": "application/json"}
    after = httpx.get(f"{url}/api/query", params=asked, headers=tag)
    assert (after.status_code, after.json()["kpis"]["total"]) == (200, 4)
    assert httpx.get(f"{url}/api/rows", params={"dataset": DATASET}).json()["total"] == 4


def test_rows_are_asked_of_the_same_state_as_counts(site: tuple[Served, str]) -> None:
    here, url = site
    take_in(here.folder, ROWS[2], ROWS[3])  # nobody told the server yet
    told = httpx.get(f"{url}/api/rows", params={"dataset": DATASET}).json()
    assert (told["total"], len(told["rows"])) == (4, 4)


def test_silence_is_broken(site: tuple[Served, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.05)
    _, url = site
    with httpx.stream("GET", f"{url}/api/live", params={"dataset": DATASET}, timeout=10) as answer:
        comments = (line for line in answer.iter_lines() if line.startswith(":"))
        assert next(comments) == ": still here"


def test_a_page_that_reads_too_slowly_is_told_to_ask_again() -> None:
    async def played() -> list[str]:
        hub = Hub()
        line, missed = hub.line(None, 0)
        assert missed == []
        for n in range(200):
            hub.publish(event("delta", {"n": n}, n, n + 1))
        hub.close()
        found = []
        while (one := await line.next()) is not None:
            found.append(one)
        assert len(found) <= 65
        assert found[0].name == "resync"
        return [one.name for one in found]

    assert asyncio.run(played()).count("resync") >= 1


def test_what_was_missed_is_kept_without_a_gap() -> None:
    async def played() -> None:
        hub = Hub()
        for n in range(0, 1000, 2):
            hub.publish(event("alert", {}, n, n), event("delta", {"n": n}, n, n + 2))
        _, missed = hub.line(990, 1000)
        assert missed is not None
        assert [one.upto for one in missed if one.name == "delta"] == [992, 994, 996, 998, 1000]
        assert missed[0].name == "alert"
        assert hub.line(4, 1000)[1] is None, "forgotten"
        assert hub.line(995, 1000)[1] is not None
        assert hub.line(2000, 1000)[1] is None
        assert hub.line(1000, 1000)[1] == []
        hub.publish(resync(1000, "read anew"))
        assert hub.line(998, 1000)[1] is None or hub.line(998, 1000)[1][-1].name == "resync"  # type: ignore[index]

    asyncio.run(played())


def test_the_newest_question_of_a_page_ends_the_older() -> None:
    newest = Newest()
    first, other = newest.begin("page"), newest.begin("another")
    second = newest.begin("page")
    assert (first(), second(), other()) == (True, False, False)
    assert not newest.begin("")()
