"""A dataset that is published in parts: each goes on from its own cursor, and says nothing about the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow.compute as pc
import pytest

from citystream.app import App, Outcome, Watch
from citystream.app.parts import parts
from citystream.catalog.dataset import Source
from citystream.catalog.library import Library
from citystream.config import load
from citystream.errors import ConfigError, PortalError
from citystream.ingest import worst
from citystream.simulate.city import generate
from citystream.simulate.faults import ServerError
from citystream.simulate.portal import SimulatedPortal
from citystream.simulate.published import PublishedTable
from citystream.simulate.zones import microseconds

DATASET = "chicago/crimes"
OLD, NEW = "aaaa-0001", "aaaa-0002"
SPANS = {OLD: (date(2023, 9, 1), date(2023, 9, 20)), NEW: (date(2024, 9, 1), date(2024, 9, 20))}
MIDDLE = datetime(2024, 9, 24, tzinfo=UTC)
END = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables():
    whole = generate(DATASET, start=date(2023, 9, 1), end=date(2024, 9, 20), seed=7, scale=0.03).table
    return {resource: losing(within(whole, *days)) for resource, days in SPANS.items()}


def losing(table: PublishedTable) -> PublishedTable:
    """Three records that are published in the middle are taken away the day after."""
    middle = microseconds(MIDDLE)
    gone = np.isin(table.key, np.unique(table.key[table.published_at < middle])[:3])
    after = middle + 86_400_000_000
    gone_at = np.minimum(table.ended_at, after)
    never = gone & (table.published_at >= after)
    kept = {name: getattr(table, name)[~never] for name in ("key", "published_at", "created_at")}
    return replace(
        table, rows=table.rows.filter(~never), ended_at=np.where(gone, gone_at, table.ended_at)[~never], **kept
    )


def within(table: PublishedTable, first: date, last: date) -> PublishedTable:
    """Those records that occurred on these days."""
    day = pc.utf8_slice_codeunits(table.rows["date"], 0, 10)
    inside = pc.and_(pc.greater_equal(day, first.isoformat()), pc.less_equal(day, last.isoformat()))
    which = np.asarray(inside)
    kept = {name: getattr(table, name)[which] for name in ("key", "published_at", "ended_at", "created_at")}
    return replace(table, rows=table.rows.filter(inside), **kept)


class Town:
    """A portal with both parts, and what time it is."""

    def __init__(self, portal: SimulatedPortal, data: Path) -> None:
        self.portal, self.data, self.at = portal, data, MIDDLE

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def app(self, *, watch: Watch | None = None) -> App:
        values = {"data": str(self.data), "pause": 0, "patience": 0, "page_rows": 100, "threads": 1, "learn": False}
        app = App(load(values, {}), clock=self.now, watch=watch)
        dataset = app.library.get(DATASET)
        sources = tuple(
            Source(
                portal="socrata", host=self.portal.url, resource=resource, cursor="updated_on",
                covers_from=first.replace(day=1, month=1), covers_until=last.replace(day=31, month=12),
            )
            for resource, (first, last) in reversed(SPANS.items())
        )  # fmt: skip
        changed = dataset.model_copy(update={"sources": sources})
        app.library = Library(MappingProxyType(dict(app.library.datasets) | {DATASET: changed}))
        return app

    def run(self, *, full: bool = False) -> Outcome:
        return self.app().run(DATASET, full=full)

    def events(self, year: int) -> set[str]:
        with self.app().reader() as reader:
            found = reader.query(f"SELECT event_id FROM events WHERE year(occurred_local) = {year}")
        return set(found["event_id"].to_pylist())


@pytest.fixture
def town(tables, tmp_path: Path) -> Iterator[Town]:
    found: list[Town] = []
    with SimulatedPortal(tables, clock=lambda: found[0].at if found else MIDDLE) as portal:
        found.append(Town(portal, tmp_path / "data"))
        yield found[0]


def published(tables, resource: str, at: datetime) -> set[str]:
    return set(tables[resource].at(at)["id"].to_pylist())


def test_each_part_is_read_and_neither_declares_the_other_gone(town: Town, tables) -> None:
    first = town.run()
    assert first.after.inserted == len(published(tables, OLD, MIDDLE)) + len(published(tables, NEW, MIDDLE))
    assert first.after.vanished == 0
    assert town.events(2023) == published(tables, OLD, MIDDLE)
    assert town.events(2024) == published(tables, NEW, MIDDLE)
    again = town.run()
    assert again.after.vanished == 0 and again.after.inserted == first.after.inserted


def test_a_listing_of_each_part_tells_what_it_lacks(town: Town, tables) -> None:
    town.run()
    town.at = END
    last = town.run(full=True)
    assert town.events(2023) == published(tables, OLD, END)
    assert town.events(2024) == published(tables, NEW, END)
    assert last.after.vanished == 6
    assert last.after.balances()


def test_a_part_that_was_stopped_goes_on_where_it_was(town: Town, tables) -> None:
    """The second part has its own cursor: it does not move that of the first."""
    seen = 0

    def stopping() -> bool:
        nonlocal seen
        seen += 1
        return seen > 3

    assert town.app(watch=Watch(stopping=stopping)).run(DATASET).state == "stopped"
    asked = len(town.portal.requests)
    before = town.events(2024)
    assert before < published(tables, NEW, MIDDLE)
    done = town.run()
    assert done.after.received == done.after.inserted, "nothing was read twice"
    assert town.events(2024) == published(tables, NEW, MIDDLE)
    assert town.events(2023) == published(tables, OLD, MIDDLE)
    assert len(town.portal.requests) > asked


def test_a_part_that_fails_does_not_hold_back_the_other(town: Town, tables) -> None:
    town.portal.faults.add(ServerError(path=f"*{NEW}*", times=0))
    with pytest.raises(PortalError, match=NEW):
        town.run()
    assert town.events(2023) == published(tables, OLD, MIDDLE)
    town.portal.faults.clear()
    town.run()
    assert town.events(2024) == published(tables, NEW, MIDDLE)


def test_the_parts_of_a_run_are_one_visit_for_those_that_follow(town: Town) -> None:
    """An archive in two parts is learnt once; also if one of them fails."""
    app = town.app()
    log = app.log(app.library.get(DATASET))
    app.run(DATASET)
    assert [visit.off for visit in log.visits(0)] == [log.end()]
    town.portal.faults.add(ServerError(path=f"*{NEW}*", times=0))
    town.at += timedelta(hours=2)
    with pytest.raises(PortalError, match=NEW):
        app.run(DATASET)
    assert [visit.off for visit in log.visits(0)] == [log.end()] * 2


def test_of_sources_of_the_same_days_the_first_is_visited() -> None:
    here, there = Source(portal="arcgis"), Source(portal="ckan")
    assert [(part.source, part.mark) for part in parts((here, there))] == [(here, "")]
    old = Source(portal="socrata", covers_until=date(2019, 12, 31))
    assert [part.source for part in parts((here, old, there))] == [here, old]
    assert len({part.mark for part in parts((here, old))}) == 2


def test_a_source_is_chosen_by_its_kind(town: Town) -> None:
    with pytest.raises(ConfigError, match="no source of the kind 'ckan'"):
        town.app().run(DATASET, portal="ckan")
    assert town.app().run(DATASET, portal="socrata").after.received > 0


def test_the_worst_state_is_that_of_the_whole() -> None:
    assert worst([]) == "fresh"
    assert worst(["late", "fresh"]) == "late"
    assert worst(["refused", "frozen", "fresh"]) == "refused"
