"""How datasets stand, over HTTP: what was read once is not read again, and never told when it is no more true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import citystream
from citystream.app import App
from citystream.app.delivering import News
from citystream.config import load
from citystream.ingest import gone_records
from citystream.store.reader import Reader
from citystream.web.board import Board
from citystream.web.follower import Follower
from citystream.web.site import Site
from tests.integration.test_cli import DATASET, REVISED, ROWS, crimes
from tests.unit.dashboard_site import Served, simulated

pytestmark = pytest.mark.usefixtures("without_learning")


class Opened(App):
    """An app whose store's openings are counted."""

    times = 0

    def reader(self, patience: float = 10.0) -> Reader:
        self.times += 1
        return super().reader(patience)


class Here:
    """A served store of which the clock can be put forward."""

    def __init__(self, folder: Path) -> None:
        self.ahead = timedelta()
        self.app = Opened(load({"data": folder}), clock=lambda: datetime.now(UTC) + self.ahead)
        site = Site(Board(self.app))
        Follower(site.board, News(), lambda _error: None).look()
        self.served = Served(folder, site, Follower(site.board, News(), lambda _error: None))

    def status(self, dataset: str = DATASET) -> dict[str, Any]:
        told: dict[str, Any] = self.served.json("/api/status", {"dataset": dataset} if dataset else None)
        return told


@pytest.fixture
def here(tmp_path: Path) -> Here:
    citystream.import_files(DATASET, crimes(tmp_path / "c.csv", ROWS[:2]), data=tmp_path / "data")
    return Here(tmp_path / "data")


def test_the_store_is_opened_once_for_what_stays(here: Here) -> None:
    before = here.app.times
    first = here.status()
    assert here.app.times == before + 1
    assert here.status() == first
    everything = here.status("")
    assert everything["datasets"] == first["datasets"]
    assert here.app.times == before + 2
    assert here.status("")["fetches"] == everything["fetches"]
    assert here.app.times == before + 2


def test_a_commit_is_told_at_once(here: Here) -> None:
    """Also one that only another process knows of, and one that changes no count."""
    here.status(), here.status("")
    citystream.import_files(DATASET, crimes(here.served.folder.with_name("d.csv"), [REVISED]), data=here.served.folder)
    for told in (here.status(), here.status("")):
        (one,) = told["datasets"]
        assert (one["events"], one["revisions"], one["position"], one["pending"]) == (2, 1, 3, 0)
        assert len(told["fetches"]) == 2
        assert sum(day["records"] for day in told["arrivals"][DATASET]) == 3
    citystream.import_files(DATASET, crimes(here.served.folder.with_name("e.csv"), []), data=here.served.folder)
    assert len(here.status()["fetches"]) == 3


def test_what_depends_on_the_time_and_the_log_is_asked_each_time(here: Here) -> None:
    (fresh,), before = here.status()["datasets"], here.app.times
    here.ahead = timedelta(days=200)
    log = here.app.log(here.app.library.get(DATASET))
    log.append([gone_records([1, 2], "", datetime(2026, 1, 1))])
    (later,) = here.status()["datasets"]
    assert (fresh["state"], later["state"]) == ("fresh", "frozen")
    assert (fresh["pending"], later["pending"]) == (0, 2)
    assert here.app.times == before


def test_only_the_one_that_is_asked_for_is_judged(here: Here) -> None:
    other = "toronto/bicycle-thefts"
    simulated(here.served.folder, other, datetime(2025, 6, 1).date(), datetime(2025, 6, 30).date(), 0.02)
    here.served.site.board.follow()
    told = here.status(other)
    assert [each["dataset"] for each in told["datasets"]] == [other]
    assert {each["dataset"] for each in told["fetches"]} == {other}
    assert set(told["arrivals"]) == {other}
    assert list(here.served.site.standings._facts) == [other]
    assert [each["dataset"] for each in here.status("")["datasets"]] == [DATASET, other]
