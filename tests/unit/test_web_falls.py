"""What is not complete is never called a fall: every change that is said over HTTP is one between complete days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from citystream.ports import Fetch
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from tests.laws.logs import conformed, dataset
from tests.laws.model import Record
from tests.unit.dashboard_site import Served, served

NAME = "testville/crimes"
ABOUT = dataset().model_copy(update={"detectors": (), "lag": timedelta(0)})
BEGIN = datetime(2025, 3, 3, 6)  # UTC: local midnight, or an hour off
DAYS, A_DAY = 66, 60
HOURS_OFF = timedelta(hours=6)


def happened(late: float) -> list[Record]:
    """Records of `DAYS` days, each fetched up to *late* days after it occurred."""
    rng = np.random.default_rng(5)
    place = np.sort(rng.uniform(0, DAYS, DAYS * A_DAY))
    came = place + rng.uniform(0, late, len(place))
    found = [
        Record(
            id=str(number),
            local=BEGIN + timedelta(days=at) - HOURS_OFF,
            fetched=(BEGIN + timedelta(days=seen)).replace(microsecond=0),
        )
        for number, (at, seen) in enumerate(zip(place.tolist(), came.tolist(), strict=True))
    ]
    return sorted(found, key=lambda record: record.fetched)


def site_of(folder: Path, log: list[Record], now: datetime, **about: Any) -> Served:
    """A server over what was fetched before *now*, the last visit."""
    known = ABOUT.model_copy(update=about)
    with Database(folder) as database:
        database.require(known)
        store = DatasetStore(database.connection, known, [])
        store.apply(conformed([record for record in log if record.fetched < now], 0, known))
        visit = Fetch(NAME, "socrata:a/b", "full", now, now, 0, None, None, "", "", "{}", "", "fresh", "")
        store.record_fetch(visit)
    return served(folder)


def spans(site: Served) -> Iterable[tuple[str, str]]:
    """Between which days changes are said, and what is called complete."""
    asked = {"dataset": NAME, "t": "2025-04-01..2025-06-30", "compare": "previous", "views": "type"}
    told = site.json("/api/query", asked)
    recent = told["kpis"]["recent"]
    yield recent["first"], recent["last"]
    if told["compared"]:
        yield told["compared"]["first"], told["compared"]["last"]
    table = site.json("/api/comparison", {"dataset": NAME, "by": "district"})
    yield table["windows"]["days28"][0], table["windows"]["days28"][1]
    (meta,) = site.json("/api/meta")["datasets"]
    for until in (meta["complete_until"], told["period"]["complete_until"]):
        yield until, until
    yield (site.json("/api/series", {"dataset": NAME, "grain": "week"})["complete_until"],) * 2


def shares(log: list[Record], now: datetime) -> dict[date, float]:
    """Of each local day the share of all that will ever be known of it that is in by *now*."""
    final: dict[date, list[bool]] = {}
    for record in log:
        assert record.local
        final.setdefault(record.local.date(), []).append(record.fetched < now)
    return {day: float(np.mean(known)) for day, known in final.items()}


@pytest.mark.parametrize("now", [58, 62.4])
def test_a_change_is_of_days_of_which_nearly_all_is_in(tmp_path: Path, now: float) -> None:
    """The catalogue says that days are complete at once, and records come up to five days late: it is learnt."""
    log, at = happened(late=5), BEGIN + timedelta(days=now)
    site = site_of(tmp_path, log, at)
    known = shares(log, at)
    told = list(spans(site))
    assert len(told) == 6
    for first, last in told:
        for number in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1):
            assert known[date.fromisoformat(first) + timedelta(days=number)] >= 0.95
    # the catalogue's lag alone would have said that yesterday is complete, and a fall
    assert known[(at - HOURS_OFF).date() - timedelta(days=1)] < 0.5


def live(folder: Path, now: float, gone: tuple[float, float] = (0, 0)) -> Served:
    """A feed whose records come as they occur; what occurred between two days (*gone*) never comes."""
    lost = [BEGIN + timedelta(days=each) for each in gone]
    log = [record for record in happened(late=0.01) if not lost[0] <= record.fetched < lost[1]]
    return site_of(folder, log, BEGIN + timedelta(days=now), cadence=timedelta(minutes=5))


def changes(site: Served) -> list[tuple[float | None, Any]]:
    """The changes of the last 28 days that are said, and what forbids them."""
    recent = site.json("/api/query", {"dataset": NAME, "views": "type"})["kpis"]["recent"]["before"]
    table = site.json("/api/comparison", {"dataset": NAME, "by": "district"})
    rows = [*table["rows"], table["total"]]
    return [(recent["change"], recent["break"]), *((row["change28"], table["breaks"]["before28"]) for row in rows)]


def test_days_that_a_feed_lost_are_no_fall(tmp_path: Path) -> None:
    whole = changes(live(tmp_path / "whole", 65))
    assert whole[0][0] is not None
    assert whole[0][1] is None
    lost = changes(live(tmp_path / "lost", 65, gone=(52, 53.5)))
    assert {change for change, _ in lost} == {None}
    assert {broken["kind"] for _, broken in lost} == {"missing"}
    assert lost[0][1]["from"] in ("2025-04-24", "2025-04-25")


def test_while_a_feed_is_silent_no_day_since_is_complete(tmp_path: Path) -> None:
    silent = live(tmp_path / "silent", 60, gone=(58.5, 60))
    fresh = live(tmp_path / "fresh", 60)
    began = (BEGIN + timedelta(days=58)).date()
    for first, last in spans(silent):
        assert date.fromisoformat(first) <= date.fromisoformat(last) < began
    assert max(last for _, last in spans(fresh)) >= began.isoformat()
