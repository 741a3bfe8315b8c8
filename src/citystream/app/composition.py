"""`App`: citystream with its settings.

It is what the commands and the Python interface use. It holds no connection: the store is opened for as long as
a step needs it, so that readers get in between, and one lock keeps a second writer out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from citystream.app.checking import Checked, check, kept, look
from citystream.app.drafted import drafted
from citystream.app.following import Following
from citystream.app.left import Left, Visits
from citystream.app.lock import locked
from citystream.app.logs import Logs
from citystream.app.notifying import Notifying
from citystream.app.outcome import Outcome, Watch, utc_now
from citystream.app.parts import Days, Part, parts
from citystream.app.publishing import Publishing
from citystream.app.sources import place, shrink_guard, sources_of
from citystream.app.taking import library
from citystream.app.turns import Turns
from citystream.app.workers import Workers
from citystream.catalog.dataset import Dataset, Source
from citystream.catalog.library import Library
from citystream.config import Config
from citystream.disclosure import redact
from citystream.errors import PortalError, StorageError
from citystream.ingest import (
    Failed,
    Intake,
    Received,
    Stopped,
    absent,
    failed_fetch,
    gone_records,
    note_visit,
    refused,
    whole_second,
    worst,
)
from citystream.portals.files import open_export
from citystream.ports import Fetch, Ledger, Log, Visit, Visited
from citystream.process import process
from citystream.replay import Replayed, replay
from citystream.store.database import Database, refusals
from citystream.store.duckdb import DatasetStore
from citystream.store.reader import Reader
from citystream.store.rebuild import DatasetRebuild
from citystream.store.status import DatasetStatus, read_status

#: Of visits that find nothing new, one in this time is remembered.
_ONE_REMEMBERED = timedelta(minutes=1)


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
        self._reread_at: dict[str, datetime] = {}
        self._left: dict[str, Left] = {}
        self._parts: dict[str, tuple[Part, ...]] = {}
        self._workers = Workers(config)

    @cached_property
    def library(self) -> Library:
        """Every known dataset, the user's own included."""
        return library(self.config.cities, self.config.listed("take"))

    @cached_property
    def _logs(self) -> Logs:
        return Logs(self.config.data, self.config.text("log"))

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
            before, received = self._catch_up(dataset), list[Received]()
            try:
                for left, path in zip(reversed(range(len(paths))), paths, strict=True):
                    visit = open_export(path, dataset, encoding=encoding, complete=complete)
                    guard = shrink_guard(dataset)
                    received = [self._take(dataset, visit, str(path), whole=True, guard=guard, more=more or left > 0)]
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
        self._parts[name] = found
        with locked(self.config.data, self.log(dataset)):
            before, failed = self._catch_up(dataset, again=True), list[PortalError]()
            received = list[Received]()
            try:
                for part in found:
                    with _kept(failed):
                        received.append(self._bring(dataset, part, full=full))
            except Stopped:
                return self._outcome(dataset, before, state="stopped")
            if failed:
                raise failed[0]
            return self._outcome(dataset, before, *received)

    def _bring(self, dataset: Dataset, part: Part, *, full: bool) -> Received:
        """One part, from its portal to the tables."""
        visit = part.marked(self._visit(dataset, part, full=full or self._relist_due(dataset, part)))
        guard = part.source.shrink_guard
        return self._take(dataset, visit, place(part.source), whole=False, guard=guard, part=part)

    def replay(self, name: str) -> Replayed:
        """Make a dataset's tables anew from its log."""
        dataset = self.library.get(name)
        with locked(self.config.data, self.log(dataset)), self._database() as database:
            rebuild = DatasetRebuild(database, dataset, self._workers.detectors(dataset))
            self.following.forget(dataset.name)
            return replay(self.log(dataset), rebuild, lambda log, _store: self._remade(dataset, log, rebuild.store))

    def _remade(self, dataset: Dataset, log: Log, store: DatasetStore) -> int:
        """Empty tables, brought up to the log."""
        records = self._bring_up(dataset, log, store, "replaying")
        self.following.bring_up(dataset, store)
        return records

    def reach(self, dataset: Dataset) -> int:
        """Where the dataset's log ends when all that waits there has an offset."""
        return _reach(self.log(dataset))

    def status(self, reader: Reader | None = None) -> list[DatasetStatus]:
        """Where every dataset of the store stands, as *reader* sees it (one of its own, if None)."""
        if reader is None:
            with self.reader() as own:
                return self.status(own)
        ends = {name: self.reach(dataset) for name, dataset in reader.datasets.items()}
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

    def _take(
        self,
        dataset: Dataset,
        visit: Visit,
        where: str,
        *,
        whole: bool,
        guard: float,
        part: Part | None = None,
        more: bool = False,
    ) -> Received:
        """One visit from its first page to its row in `fetches`; what follows the store waits if *more* come."""
        intake = Intake(
            dataset=dataset,
            source=where,
            log=self.log(dataset),
            record_ids=self._workers.ids(dataset),
            redact=redact,
            clock=self.clock,
            whole=whole,
            stopping=self.watch.stopping,
            progress=self.watch.on("receiving"),
            appended=lambda: self._process_if_much(dataset),
        )
        try:
            received = intake.take(visit, self._seen_before(dataset, part))
        except Failed as failed:
            self._remember_failed(dataset, failed.fetch)
            raise failed.cause from failed
        if self._is_idle(dataset, received, part):
            return received
        with self._store(dataset) as store:
            self._process(dataset, store)
            received = self._find_gone(dataset, store, received, guard, part.days if part else (None, None))
            store.record_fetch(received.fetch)
            if not more:
                self._ended(dataset, store, received.fetch.finished_at, whole=whole)
                self.following.bring_up(dataset, store)
        return received

    def _ended(self, dataset: Dataset, store: DatasetStore, at: datetime, *, whole: bool) -> None:
        """A visit ended: first the log knows it, then the store."""
        log = self.log(dataset)
        note_visit(log, Visited(log.end(), at, whole), store.visits())
        self._process(dataset, store)

    def _remember_failed(self, dataset: Dataset, fetch: Fetch) -> None:
        """If a disk is what failed, it may not take this either: what went wrong first is what is said."""
        with suppress(StorageError), self._store(dataset) as store:
            self._process(dataset, store)
            store.record_fetch(fetch)
            self._ended(dataset, store, fetch.finished_at, whole=False)

    def _is_idle(self, dataset: Dataset, received: Received, part: Part | None) -> bool:
        """Whether a visit found nothing new and says nothing new: of those one a minute is remembered, so that a feed
        can be looked at many times a second.
        """
        last, now = self._seen_before(dataset, part), received.fetch
        if last is None or part is None or now.received or received.listed is not None:
            return False
        said = (last.state, last.detail, last.columns) == (now.state, now.detail, now.columns)
        return said and now.finished_at - last.finished_at < _ONE_REMEMBERED

    def _places(self, dataset: Dataset) -> set[str]:
        """The sources of which visits are remembered; '' is all of them."""
        return {"", *(place(part.source) for part in self._parts.get(dataset.name, ()))}

    def _seen_before(self, dataset: Dataset, part: Part | None) -> Fetch | None:
        """The last visit to the same source, to tell what changed there: another one may have other columns."""
        return self._left[dataset.name].visits[place(part.source) if part else ""].last

    def _visits(self, dataset: Dataset, part: Part | None) -> Visits:
        return self._left[dataset.name].visits[part.place if part else ""]

    def _visit(self, dataset: Dataset, part: Part, *, full: bool) -> Visit:
        """Go to the portal; that it could not be reached is remembered too.

        Where equal rows are told apart by their number in the listing, only a whole listing can be numbered. Where
        there is no cursor, a listing that was refused is read again, also if it has not changed since.
        """
        source = part.source
        started, overlap = self.clock(), self._reread_due(f"{dataset.name} {part.mark}", source)
        numbered = dataset.columns.event_id.counter
        full = full or numbered or (not source.resumes and self._visits(dataset, part).refused)
        try:
            cursor = part.unmarked(self.log(dataset).cursor(part.mark))
            return self._workers.portal(source).visit(dataset, source, cursor, full=full, overlap=overlap)
        except PortalError as error:
            self._remember_failed(dataset, failed_fetch(dataset, place(source), started, self.clock(), error))
            raise

    def _find_gone(
        self, dataset: Dataset, store: DatasetStore, received: Received, guard: float, days: Days
    ) -> Received:
        """After a complete listing: what it lacks of the *days* it covers is gone, unless that is implausibly much."""
        if received.listed is None or store.position() < self.log(dataset).end():
            return received
        missing = absent(store.current_ids(*days), received.listed, guard)
        if missing.refusal:
            return Received(refused(received.fetch, missing.refusal), None)
        if len(missing.ids):
            self.log(dataset).append([gone_records(missing.ids, received.fetch.cursor, self.clock())])
            self._process(dataset, store)
        return received

    def _process(self, dataset: Dataset, store: DatasetStore) -> None:
        self._bring_up(dataset, self.log(dataset), store, "counting")

    def _bring_up(self, dataset: Dataset, log: Log, store: DatasetStore, what: str) -> int:
        return process(
            log,
            store,
            self._workers.conformer(dataset),
            batch_rows=self.config.integer("batch_rows"),
            stopping=self.watch.stopping,
            progress=self.watch.on(what),
        )

    @cached_property
    def following(self) -> Following:
        """The detectors that follow the store."""
        return Following(learns=self.config.flag("learn"))

    def _process_if_much(self, dataset: Dataset) -> None:
        """During a long visit: bring what came so far into the tables, a batch at a time."""
        waiting = self.log(dataset).end() - self._left[dataset.name].position
        if waiting >= self.config.integer("batch_rows"):
            with self._store(dataset) as store:
                self._process(dataset, store)

    def _catch_up(self, dataset: Dataset, *, again: bool = False) -> Ledger:
        """What an interrupted command left in the log comes into the tables first; returns the ledger before. *again*:
        the store need not be opened for it if it is as this process left it.
        """
        left = self._left.get(dataset.name) if again else None
        if left and left.visits.keys() >= self._places(dataset) and left.position == _reach(self.log(dataset)):
            return left.ledger
        with self._store(dataset) as store:
            before = store.ledger()
            self._process(dataset, store)
            self._stand_in(dataset, store)
            self.following.bring_up(dataset, store)
        return before

    def _stand_in(self, dataset: Dataset, store: DatasetStore) -> None:
        """Where records are and no visit was noted, because others wrote them, or an earlier release, or the first one
        broke off: the newest record stands for the end of a visit, so that detectors are told of everything.
        """
        newest = store.newest()
        if newest and not store.visits() and store.position() == self.log(dataset).end():
            self._ended(dataset, store, newest, whole=True)

    def _outcome(self, dataset: Dataset, before: Ledger, *received: Received, state: str = "") -> Outcome:
        left = self._left[dataset.name]
        pending = self.log(dataset).end() - left.position
        fetches = [each.fetch for each in received]
        said = state or ("stopped" if pending else worst(fetch.state for fetch in fetches))
        detail = "; ".join(fetch.detail for fetch in fetches if fetch.detail)
        drifted = "; ".join(fetch.drift for fetch in fetches if fetch.drift)
        return Outcome(dataset.name, before, left.ledger, pending, said, detail, drifted)

    def _relist_due(self, dataset: Dataset, part: Part) -> bool:
        if part.source.relist is None:
            return False
        last = self._visits(dataset, part).last_full
        return last is None or whole_second(self.clock()) - last.finished_at >= part.source.relist

    def _reread_due(self, name: str, source: Source) -> bool:
        """Whether what lies within the overlap is read again now; remembered for as long as this process lives."""
        now = whole_second(self.clock())
        last = self._reread_at.get(name)
        if last is not None and now - last < source.reread:
            return False
        self._reread_at[name] = now
        return True

    @contextmanager
    def _database(self) -> Iterator[Database]:
        with (
            self._turns.taken(),
            Database(
                self.config.data,
                memory_limit=self.config.text("memory_limit"),
                threads=self.config.integer("threads"),
                patience=self._lock_patience,
            ) as database,
        ):
            yield database

    @contextmanager
    def _store(self, dataset: Dataset) -> Iterator[DatasetStore]:
        with self._database() as database:
            database.require(dataset)
            with refusals(self.config.data):
                store = DatasetStore(database.connection, dataset, self._workers.detectors(dataset))
            yield store
            self._left[dataset.name] = Left.of(store, self._places(dataset))


def _reach(log: Log) -> int:
    """Where *log* ends when all that waits there has an offset."""
    return log.end() + log.waiting()


@contextmanager
def _kept(failed: list[PortalError]) -> Iterator[None]:
    """A portal that fails is one of *failed*."""
    try:
        yield
    except PortalError as error:
        failed.append(error)
