"""What every store keeps: inherit `StoreContract` and say how one is opened. `tests/laws` has the tables themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from citystream.errors import StorageError
from citystream.ports import Fetch, Ledger, Store, Visited
from tests.laws.logs import conformed, dataset
from tests.laws.model import Record

ABOUT = dataset()
NOON = datetime(2025, 1, 1, 12)
FETCH = Fetch(
    dataset=ABOUT.name,
    source="socrata:example.org/abcd-1234",
    mode="full",
    started_at=NOON,
    finished_at=NOON,
    received=3,
    publisher_count=None,
    publisher_updated_at=None,
    cursor='{"at":"x"}',
    fingerprint="f",
    columns='{"id":"text"}',
    drift="",
    state="fresh",
    detail="",
)
LOG = [
    Record(id="2", local=NOON),
    Record(id="x", local=NOON),
    Record(id="2", local=NOON, ward=1),
    Record(id="9", rejected=True),
    Record(id="x", gone=True),
    Record(id="10", local=None),
]

Opened = Callable[[], AbstractContextManager[Store]]


class StoreContract:
    """The contract. A subclass has a fixture `opened`: opens the same store again and again."""

    @pytest.fixture
    def opened(self) -> Iterator[Opened]:
        raise NotImplementedError

    def test_an_empty_store(self, opened: Opened) -> None:
        with opened() as store:
            assert (store.position(), store.last_fetch(), store.current_ids().to_pylist()) == (0, None, [])

    def test_a_batch_moves_position_ledger_and_ids(self, opened: Opened) -> None:
        with opened() as store:
            ledger = store.apply(conformed(LOG, 0, ABOUT))
            assert ledger == Ledger(received=6, inserted=3, revised=1, rejected=1, vanished=1)
            assert ledger.balances()
        with opened() as store:
            assert store.position() == 6
            assert store.current_ids().to_pylist() == ["10", "2"]

    def test_ids_of_some_days(self, opened: Opened) -> None:
        with opened() as store:
            store.apply(conformed(LOG, 0, ABOUT))
            day = NOON.date()
            assert store.current_ids(first=day).to_pylist() == ["2"], "10 has no date"
            assert store.current_ids(day, day).to_pylist() == ["2"]
            assert store.current_ids(last=day - timedelta(days=1)).to_pylist() == []

    def test_a_batch_that_came_before_changes_nothing(self, opened: Opened) -> None:
        with opened() as store:
            once = store.apply(conformed(LOG, 0, ABOUT))
        with opened() as store:
            assert store.apply(conformed(LOG, 0, ABOUT)) == once
            assert store.apply(conformed(LOG[:2], 0, ABOUT)) == once
            assert store.position() == 6

    @pytest.mark.parametrize("first", [1, 5])
    def test_a_batch_that_leaves_a_gap_is_refused(self, opened: Opened, first: int) -> None:
        with opened() as store:
            with pytest.raises(StorageError, match=f"batch begins at {first}"):
                store.apply(conformed(LOG, first, ABOUT))
            assert store.position() == 0
            assert store.apply(conformed(LOG, 0, ABOUT)).received == 6

    def test_a_batch_that_overlaps_is_refused(self, opened: Opened) -> None:
        with opened() as store:
            store.apply(conformed(LOG[:4], 0, ABOUT))
            with pytest.raises(StorageError):
                store.apply(conformed(LOG[2:], 2, ABOUT))
            assert store.position() == 4

    def test_visits_of_the_log_are_taken_once(self, opened: Opened) -> None:
        visits = [Visited(off, NOON, whole=False) for off in range(5)]
        with opened() as store:
            assert store.visits() == 0
            store.take_visits(0, [])
            store.take_visits(0, visits[:2])
        with opened() as store:
            assert store.visits() == 2
            store.take_visits(0, visits[:1])
            store.take_visits(1, visits[1:4])
            store.take_visits(3, visits[3:])
        with opened() as store:
            assert store.visits() == 5
            with pytest.raises(StorageError, match="visit 5 is missing"):
                store.take_visits(6, visits[:1])
            assert store.visits() == 5

    def test_the_last_visit_of_each_mode(self, opened: Opened) -> None:
        """The newest that was not refused; of two in one second the later one."""
        later = NOON + timedelta(hours=1)
        with opened() as store:
            store.record_fetch(FETCH)
            store.record_fetch(replace(FETCH, mode="incremental", finished_at=later, detail="a"))
            store.record_fetch(replace(FETCH, mode="incremental", finished_at=later, detail="b"))
            store.record_fetch(replace(FETCH, finished_at=later + timedelta(hours=1), state="refused"))
        with opened() as store:
            assert store.last_fetch("full") == FETCH
            assert store.last_fetch("file") is None
            newest = store.last_fetch()
            assert newest and (newest.mode, newest.detail) == ("incremental", "b")
            assert store.last_fetch(source="elsewhere") is None
            assert store.last_fetch("full", source=FETCH.source) == FETCH
