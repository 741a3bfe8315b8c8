"""Alerts follow from the log alone: a store that is made anew from it says what the one said that was there all along.

The log has its records and when visits ended. The store that is there all along takes in a little at a time, after each
step or later, and is closed, forgets and dies anywhere; the other one is made at once, from the files alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream import schema
from citystream.app.following import Following
from citystream.catalog.dataset import Dataset
from citystream.ingest import note_visit
from citystream.log.segments import SegmentLog
from citystream.ports import Conformed, Visited
from citystream.process import process
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.views import statements
from tests.contracts.log_contract import numbered, records
from tests.laws.logs import conformed
from tests.laws.model import Record
from tests.laws.test_follow import FEW, about, alerts, before, bursts, database, engines, history, log_of

#: Where a command dies: nowhere, with records only in the log, before the visit is noted, with it only in the log, or
#: before detectors are told.
DEATHS = ("", "", "", "read", "counted", "noted", "known")
EARLY = datetime(2023, 12, 1)


@dataclass(frozen=True)
class Step:
    """A command: it brings *records* more, and ends *minutes* after the newest of them was fetched.

    *idle*: so many visits after it find nothing, each a *pause* later. It *dies* at one of `DEATHS`; *forgets*: the
    next one is another process. *batch*: rows of a transaction.
    """

    records: int
    minutes: int
    whole: bool
    idle: int
    pause: int
    dies: str
    forgets: bool
    batch: int


STEPS = st.builds(
    Step,
    records=st.sampled_from([0, 1, 5, 40, 120, 200]),
    minutes=st.sampled_from([0, 0, 1, 29, 31, 700, -45]),
    whole=st.booleans(),
    idle=st.sampled_from([0, 0, 1, 3]),
    pause=st.sampled_from([0, 1, 11, 30, 95]),
    dies=st.sampled_from(DEATHS),
    forgets=st.booleans(),
    batch=st.sampled_from([7, 50, 10_000]),
)


class Town:
    """Records *made* that come into a log in *folder* in the course of steps, and the stores that follow it."""

    def __init__(self, folder: Path, of: Dataset, made: Sequence[Record]) -> None:
        self.log, self.of, self.made = SegmentLog(folder), of, made

    def conform(self, records: pa.Table) -> Conformed:
        first = records[schema.OFFSET][0].as_py()
        return conformed(self.made[first : first + len(records)], first, self.of)

    def append(self, count: int) -> None:
        """The next records as rows of the log; what they say `made` knows."""
        end = self.log.end()
        if rows := numbered(end, min(count, len(self.made) - end)):
            self.log.append([records(rows)])

    def newest(self) -> datetime:
        end = self.log.end()
        return max((record.fetched for record in self.made[:end]), default=EARLY)

    def rebuilt(self, store: DatasetStore) -> None:
        """All at once."""
        process(self.log, store, self.conform)
        Following().bring_up(self.of, store)


class Command:
    """A store that is there all along, in a process that now and then is another one."""

    def __init__(self, town: Town, opened: Database) -> None:
        self.town, self._opened = town, opened
        self.begin()

    def begin(self) -> None:
        self.town.log.recover()
        self.store = DatasetStore(self._opened.connection, self.town.of, [])
        self.following = Following()

    def count(self, batch: int) -> None:
        process(self.town.log, self.store, self.town.conform, batch_rows=batch)

    def tell(self) -> None:
        self.following.bring_up(self.town.of, self.store)

    def run(self, step: Step) -> None:
        self.count(step.batch)
        self.tell()
        self._step(step)
        if step.forgets or step.dies:
            self.begin()

    def _step(self, step: Step) -> None:
        self.town.append(step.records)
        if step.dies == "read":
            return
        self.count(step.batch)
        if step.dies == "counted":
            return
        at = self.town.newest() + timedelta(minutes=step.minutes)
        for _ in range(1 + step.idle):
            note_visit(self.town.log, Visited(self.town.log.end(), at, step.whole), self.store.visits())
            at += timedelta(minutes=step.pause)
            if step.dies == "noted":
                return
            self.count(step.batch)
            if step.dies != "known":
                self.tell()


@contextmanager
def town(name: str, lag: str, more: Sequence[object]) -> Iterator[Town]:
    with tempfile.TemporaryDirectory() as folder:
        yield Town(Path(folder) / "log", about(name, lag), log_of(name, more))


@engines
@settings(parent=FEW, max_examples=2)
@given(
    more=st.lists(bursts, max_size=2),
    steps=st.lists(STEPS, min_size=3, max_size=9),
    lag=st.sampled_from(["PT0S", "P1D"]),
    asked=st.lists(st.integers(0, 400), max_size=2),
)
def test_a_store_made_anew_says_the_same(name, more, steps, lag, asked) -> None:
    with town(name, lag, more) as there, database() as along, database() as anew:
        first = Step(len(before(name)), 1, whole=True, idle=0, pause=0, dies="", forgets=False, batch=10_000)
        last = replace(first, records=len(there.made))
        for opened in (along, anew):
            opened.require(there.of)
        running = Command(there, along)
        for step in [first, *steps, last]:
            running.run(step)
        there.rebuilt(DatasetStore(anew.connection, there.of, []))
        assert history(anew.connection) == history(along.connection)
        assert alerts(anew.connection) == alerts(along.connection)
        for offset in asked:
            cut = min(len(before(name)) + offset, len(there.made) - 1)
            for opened in (along, anew):
                for view in statements({there.of.name: there.of}, {there.of.name: cut}):
                    opened.connection.execute(view)
            assert alerts(anew.connection) == alerts(along.connection)
