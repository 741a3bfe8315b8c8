"""The tables of each dataset, brought up to its log, and the detectors that follow them.

The store is opened for as long as a step needs it; how it stood when it was closed is remembered, because nobody else
writes to it while the lock is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from citystream.app.following import AllNews, Following
from citystream.app.left import Left
from citystream.app.logs import Logs
from citystream.app.outcome import Watch
from citystream.app.turns import Turns
from citystream.app.workers import Workers
from citystream.catalog.dataset import Dataset
from citystream.config import Config
from citystream.ingest import note_visit
from citystream.ports import Ledger, Log, Visited
from citystream.process import process
from citystream.replay import Replayed, replay
from citystream.store.database import Database, refusals
from citystream.store.duckdb import DatasetStore
from citystream.store.rebuild import DatasetRebuild


@dataclass(frozen=True, slots=True)
class Writing:
    """Whose turn it is (*turns*) among the threads of this process, and how many seconds a writer waits for readers
    (*patience*).
    """

    turns: Turns
    patience: float


class Tables:
    """Those in the data folder of *config*."""

    def __init__(self, config: Config, logs: Logs, workers: Workers, watch: Watch, writing: Writing) -> None:
        self._config = config
        self._logs = logs
        self._workers = workers
        self._watch = watch
        self._writing = writing
        self._following = Following(learns=config.flag("learn"))
        self._news: dict[str, AllNews] = {}
        self._left: dict[str, Left] = {}
        self._places: dict[str, set[str]] = {}

    def left(self, dataset: Dataset) -> Left:
        """How the tables of *dataset* stood when they were last closed."""
        return self._left[dataset.name]

    def remember_visits(self, dataset: Dataset, places: Iterable[str]) -> None:
        """From now on remember the last visits to each of *places*, beside those to any."""
        self._places[dataset.name] = {*places}

    @contextmanager
    def opened(self, dataset: Dataset) -> Iterator[DatasetStore]:
        """The tables of *dataset*, open for writing; what detectors have to think about for long they do afterwards."""
        self._news.pop(dataset.name, None)
        with self._open(dataset) as store:
            yield store
        news = self._news.pop(dataset.name, None)
        if news:
            news.think()
            with self._open(dataset) as store:
                self._following.keep(dataset, store, news)

    @contextmanager
    def _open(self, dataset: Dataset) -> Iterator[DatasetStore]:
        with self._database() as database:
            database.require(dataset)
            with refusals(self._config.data):
                store = DatasetStore(database.connection, dataset, self._workers.detectors(dataset))
            yield store
            self._left[dataset.name] = Left.of(store, self._expected(dataset))

    def process(self, dataset: Dataset, store: DatasetStore) -> None:
        """Bring what is in the log into the tables."""
        self._bring_up(dataset, self._logs.of(dataset), store, "counting")

    def process_if_much(self, dataset: Dataset) -> None:
        """During a long visit: bring what came so far into the tables, a batch at a time."""
        waiting = self._logs.of(dataset).end() - self.left(dataset).position
        if waiting >= self._config.integer("batch_rows"):
            with self.opened(dataset) as store:
                self.process(dataset, store)

    def catch_up(self, dataset: Dataset, *, again: bool = False) -> Ledger:
        """What an interrupted command left in the log comes into the tables first; returns the ledger before. *again*:
        the store need not be opened for it if it is as this process left it.
        """
        left = self._left.get(dataset.name) if again else None
        if left and left.visits.keys() >= self._expected(dataset) and left.position == self._logs.reach(dataset):
            return left.ledger
        with self.opened(dataset) as store:
            before = store.ledger()
            self.process(dataset, store)
            self._stand_in(dataset, store)
            self.follow(dataset, store)
        return before

    def ended(self, dataset: Dataset, store: DatasetStore, at: datetime, *, whole: bool) -> None:
        """A visit ended: first the log knows it, then the store."""
        log = self._logs.of(dataset)
        note_visit(log, Visited(log.end(), at, whole), store.visits())
        self.process(dataset, store)

    def follow(self, dataset: Dataset, store: DatasetStore) -> None:
        """Bring the detectors that follow the tables up to them: those that have much to think about once the tables
        are closed, so that others can read them meanwhile.
        """
        news = self._following.read(dataset, store)
        if news.much:
            self._news[dataset.name] = news
        else:
            news.think()
            self._following.keep(dataset, store, news)

    def replay(self, dataset: Dataset) -> Replayed:
        """Make them anew from the log."""
        with self._database() as database:
            rebuild = DatasetRebuild(database, dataset, self._workers.detectors(dataset))
            self._following.forget(dataset.name)
            return replay(
                self._logs.of(dataset), rebuild, lambda log, _store: self._remade(dataset, log, rebuild.store)
            )

    def _remade(self, dataset: Dataset, log: Log, store: DatasetStore) -> int:
        """Empty tables, brought up to the log."""
        records = self._bring_up(dataset, log, store, "replaying")
        self._following.bring_up(dataset, store)
        return records

    def _bring_up(self, dataset: Dataset, log: Log, store: DatasetStore, what: str) -> int:
        return process(
            log,
            store,
            self._workers.conformer(dataset),
            batch_rows=self._config.integer("batch_rows"),
            stopping=self._watch.stopping,
            progress=self._watch.on(what),
        )

    def _stand_in(self, dataset: Dataset, store: DatasetStore) -> None:
        """Where records are and no visit was noted, because others wrote them, or an earlier release, or the first one
        broke off: the newest record stands for the end of a visit, so that detectors are told of everything.
        """
        newest = store.newest()
        if newest and not store.visits() and store.position() == self._logs.of(dataset).end():
            self.ended(dataset, store, newest, whole=True)

    def _expected(self, dataset: Dataset) -> set[str]:
        """The sources of which visits are remembered; '' is all of them."""
        return {"", *self._places.get(dataset.name, ())}

    @contextmanager
    def _database(self) -> Iterator[Database]:
        with (
            self._writing.turns.taken(),
            Database(
                self._config.data,
                memory_limit=self._config.text("memory_limit"),
                threads=self._config.integer("threads"),
                patience=self._writing.patience,
            ) as database,
        ):
            yield database
