"""What may not happen to a server: a fault for an odd question, or for one that comes while something changes."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import citystream
from citystream.app.delivering import News
from citystream.web import meta, news
from citystream.web.board import Board, Held
from citystream.web.follower import Follower
from citystream.web.live import Hub, event
from tests.integration.test_cli import DATASET, ROWS, crimes
from tests.unit.dashboard_site import CHICAGO, Served, served, simulated

pytestmark = pytest.mark.usefixtures("without_learning")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served") / "data"
    simulated(folder, CHICAGO, date(2025, 9, 1), date(2025, 11, 30), 0.01)
    yield served(folder)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("comparison", {"until": "0001-01-01"}),
        ("comparison", {"by": "days"}),
        ("comparison", {"by": ""}),
        ("comparison", {"by": "type,district"}),
        ("series", {"by": "days"}),
        ("series", {"by": "type,district"}),
        ("query", {"views": "type,nope"}),
    ],
)
def test_an_odd_question_is_refused(site: Served, path: str, params: dict[str, str]) -> None:
    answer = site.get(f"/api/{path}", {"dataset": CHICAGO} | params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_nothing_left_is_an_answer_too(site: Served) -> None:
    told = site.json("/api/now", {"dataset": CHICAGO, "type": "", "hours": 12})
    assert (len(told["hours"]), told["districts"]) == (12, [])
    assert told["until"] >= "2025-11"


@pytest.mark.parametrize("value", ["'infinity'::TIMESTAMP", "DATE '290000-01-01'", "{'at': '-infinity'::DATE}"])
def test_a_time_that_cannot_be_written_is_the_askers(site: Served, value: str) -> None:
    answer = site.ask("POST", "/api/sql", json={"sql": f"SELECT {value} AS x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_query")
    assert site.ask("POST", "/api/sql", json={"sql": f"SELECT ({value})::VARCHAR AS x"}).status_code == 200


@pytest.mark.parametrize("path", ["/%00", "/assets/%00.js", f"/{'x' * 5_000}", f"/assets/{'x' * 5_000}.js"])
def test_what_no_file_can_be_called_is_not_there(site: Served, path: str) -> None:
    assert site.get(path).status_code == (404 if path.endswith(".js") else 200)


def test_who_goes_through_the_datasets_is_not_disturbed(site: Served) -> None:
    """Another thread reads datasets in and lets others go, as often as it can."""
    board, held, over = site.site.board, site.site.board.held[CHICAGO], threading.Event()

    def change() -> None:
        while not over.is_set():
            for number in range(40):
                board.held[f"made/{number}"] = held
                site.site.hub(f"made/{number}")
            for number in range(40):
                board.held.pop(f"made/{number}", None)
                site.site.hubs.pop(f"made/{number}", None)

    thread, before = threading.Thread(target=change), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            assert CHICAGO in news.complete_days(board)
            assert meta.meta_version(board).startswith("m-")
            assert site.json("/health")["datasets"][CHICAGO]["loaded"]
            site.site.close()
    finally:
        over.set()
        thread.join()
        sys.setswitchinterval(before)


def test_what_is_known_is_never_older_than_its_version(site: Served) -> None:
    """What is read in while the answer is made must make a page ask again."""
    board = site.site.board

    class ReadInMeanwhile(Board):
        def loaded(self) -> dict[str, Held]:
            now, self.held = dict(self.held), dict(board.held)
            return now

    then = ReadInMeanwhile(board.app, board.datasets)
    told = meta.versioned(then, {}, board.app.clock())
    assert told["version"] != meta.meta_version(then)
    assert meta.versioned(then, {}, board.app.clock())["version"] == meta.meta_version(then)


def test_a_follower_goes_on_after_a_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "data"
    citystream.import_files(DATASET, crimes(tmp_path / "c.csv", ROWS[:1]), data=folder)
    board, looks, again = served(folder).site.board, list[int](), threading.Event()

    class Faulty(Board):
        def signs(self) -> object:
            looks.append(1)
            if len(looks) == 1:
                raise ValueError("a fault of ours")
            again.set()
            return None

    follower = Follower(Faulty(board.app), News(), lambda _error: None)
    with caplog.at_level(logging.ERROR, "citystream.web"):
        follower.start()
        assert again.wait(20)
        follower.stop()
    assert "a fault of ours" in caplog.text


def test_a_page_whose_loop_is_over_disturbs_nobody() -> None:
    async def come() -> Hub:
        hub = Hub()
        hub.line(None, 0)
        return hub

    hub = asyncio.run(come())
    hub.publish(event("delta", {}, 0, 1))
    hub.close()


def test_another_process_is_heard_of_by_who_waits(tmp_path: Path) -> None:
    """Sinks wait for news of this process; the follower, who looks at the file, tells of others' commits."""
    folder = tmp_path / "data"
    citystream.import_files(DATASET, crimes(tmp_path / "c.csv", ROWS[:1]), data=folder)
    told = News()
    follower = Follower(served(folder).site.board, told, lambda _error: None)
    follower.look()
    follower.start()
    seen = told.count
    citystream.import_files(DATASET, crimes(tmp_path / "d.csv", ROWS[1:2]), data=folder)
    told.wait(seen, 20, lambda: False)
    heard = told.count
    follower.stop()
    assert heard > seen
