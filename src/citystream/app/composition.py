"""`App`: citystream with its settings.

It is what the commands and the Python interface use. It holds no connection: the store is opened for as long as
a step needs it, so that readers get in between, and one lock keeps a second writer out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path

from citystream.app.checking import Checked, check, kept, look
from citystream.app.drafted import drafted
from citystream.app.lock import locked
from citystream.app.logs import Logs
from citystream.app.notifying import Notifying
from citystream.app.outcome import Outcome, Watch, utc_now
from citystream.app.parts import parts
from citystream.app.publishing import Publishing
from citystream.app.sources import place, shrink_guard, sources_of
from citystream.app.tables import Tables, Writing
from citystream.app.taking import library
from citystream.app.turns import Turns
from citystream.app.visiting import Taken, Visiting
from citystream.app.workers import Workers
from citystream.catalog.dataset import Dataset
from citystream.catalog.library import Library
from citystream.config import Config
from citystream.ingest import Received, Stopped, worst
from citystream.portals.files import open_export
from citystream.ports import Ledger, Log
from citystream.replay import Replayed
from citystream.store.reader import Reader
from citystream.store.status import DatasetStatus, read_status


class App:
    """citystream with its settings; *clock* gives the time in UTC; *lock_patience*: seconds to wait for readers."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Callable[[], datetime] = utc_now,
        watch: Watch | None = None,
        lock_patience: float = 60.0,
    ) -> None:
        self.config = config
        self.clock = clock
        self.watch = watch or Watch()
        self._lock_patience = lock_patience
        self._turns = Turns()
        self._workers = Workers(config)

    @cached_property
    def library(self) -> Library:
        """Every known dataset, the user's own included."""
        return library(self.config.cities, self.config.listed("take"))

    @cached_property
    def _logs(self) -> Logs:
        return Logs(self.config.data, self.config.text("log"))

    @cached_property
    def _tables(self) -> Tables:
        return Tables(self.config, self._logs, self._workers, self.watch, Writing(self._turns, self._lock_patience))

    @cached_property
    def _visiting(self) -> Visiting:
        return Visiting(self._logs, self._tables, self._workers, self.watch, self.clock)

    def log(self, dataset: Dataset) -> Log:
        """The dataset's log."""
        return self._logs.of(dataset)

    def reader(self, patience: float = 10.0) -> Reader:
        """The store, opened for questions."""
        return Reader(self.config.data, patience=patience, memory_limit=self.config.text("memory_limit"))

    @cached_property
    def publishing(self) -> Publishing:
        """Deliveries from the store to places outside."""
        return Publishing(self.config.data, self._reading, self.clock)

    @cached_property
    def notifying(self) -> Notifying:
        """Alerts from the store told to people."""
        return Notifying(self.config, self._reading, lambda: self.library.datasets, self.clock)

    def turn(self) -> AbstractContextManager[None]:
        """Having the store to oneself among the threads of this process, or to readers that share the turn."""
        return self._turns.taken(shared=True)

    @contextmanager
    def _reading(self) -> Iterator[Reader]:
        """The store opened for a delivery, when it is its turn."""
        with self._turns.taken(), self.reader(self._lock_patience) as reader:
            yield reader

    def import_files(
        self,
        name: str,
        paths: Sequence[Path],
        *,
        encoding: str = "utf-8",
        complete: bool = False,
        more: bool = False,
    ) -> Outcome:
        """Take in exports that are already here, in the given order; each is kept whole or not at all.

        *complete*: each file is everything the publisher has, so that what it lacks is gone. *more*: others follow at
        once, so that detectors wait for them. Without *paths*, what an interrupted command left in the log is brought
        into the tables.
        """
        dataset = self.library.get(name)
        with locked(self.config.data, self.log(dataset)):
            before, received = self._tables.catch_up(dataset), list[Received]()
            try:
                for left, path in zip(reversed(range(len(paths))), paths, strict=True):
                    visit = open_export(path, dataset, encoding=encoding, complete=complete)
                    taken = Taken(str(path), whole=True, guard=shrink_guard(dataset), more=more or left > 0)
                    received = [self._visiting.take(dataset, visit, taken)]
            except Stopped:
                return self._outcome(dataset, before, state="stopped")
            return self._outcome(dataset, before, *received)

    def run(self, name: str, *, full: bool = False, portal: str = "") -> Outcome:
        """Bring a dataset up to its portal: on from where the last run stopped, or with *full* the whole listing.

        *portal* chooses among several sources by their kind. Of a dataset that is published in parts each is visited;
        one that fails does not hold back the others, and its error is raised in the end.
        """
        dataset = self.library.get(name)
        found = parts(sources_of(dataset, self.config.text("portal"), self.clock().date(), portal))
        with locked(self.config.data, self.log(dataset)):
            self._tables.remember_visits(dataset, (place(part.source) for part in found))
            before = self._tables.catch_up(dataset, again=True)
            try:
                received, failed = self._visiting.bring(dataset, found, full=full)
            except Stopped:
                return self._outcome(dataset, before, state="stopped")
            if failed:
                raise failed[0]
            return self._outcome(dataset, before, *received)

    def replay(self, name: str) -> Replayed:
        """Make a dataset's tables anew from its log."""
        dataset = self.library.get(name)
        with locked(self.config.data, self.log(dataset)):
            return self._tables.replay(dataset)

    def reach(self, dataset: Dataset) -> int:
        """Where the dataset's log ends when all that waits there has an offset."""
        return self._logs.reach(dataset)

    def status(self, reader: Reader | None = None) -> list[DatasetStatus]:
        """Where every dataset of the store stands, as *reader* sees it (one of its own, if None)."""
        if reader is None:
            with self.reader() as own:
                return self.status(own)
        ends = {name: self._logs.reach(dataset) for name, dataset in reader.datasets.items()}
        return read_status(reader, self.library.datasets, ends, self.clock())

    def check(self, name: str) -> Checked:
        """What a dataset's city file says beside what its portals say now; no row is read. Raises `ConfigError` if it
        has no source that can be asked.
        """
        dataset = self.library.get(name)
        sources = sources_of(dataset, self.config.text("portal"), self.clock().date())
        known = kept(self.config.data, dataset, self.reader)
        return check(
            dataset, sources, lambda source: look(self._workers.portal(source), dataset, source), known, self.clock()
        )

    def draft(self, where: str, table: str = "") -> str:
        """The text of a first city file for the table at the address *where*, or for the file that is there."""
        return drafted(where, table, self.library, self._workers.client, self._workers.portal)

    def _outcome(self, dataset: Dataset, before: Ledger, *received: Received, state: str = "") -> Outcome:
        left = self._tables.left(dataset)
        pending = self.log(dataset).end() - left.position
        fetches = [each.fetch for each in received]
        said = state or ("stopped" if pending else worst(fetch.state for fetch in fetches))
        detail = "; ".join(fetch.detail for fetch in fetches if fetch.detail)
        drifted = "; ".join(fetch.drift for fetch in fetches if fetch.drift)
        return Outcome(dataset.name, before, left.ledger, pending, said, detail, drifted)
