"""Visits to publishers, each from its first page to its row in `fetches`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from citystream.app.left import Visits
from citystream.app.logs import Logs
from citystream.app.outcome import Watch
from citystream.app.parts import Days, Part
from citystream.app.sources import place
from citystream.app.tables import Tables
from citystream.app.workers import Workers
from citystream.catalog.dataset import Dataset, Source
from citystream.disclosure import redact
from citystream.errors import PortalError, StorageError
from citystream.ingest import (
    Failed,
    Intake,
    Received,
    absent,
    failed_fetch,
    gone_records,
    refused,
    whole_second,
)
from citystream.ports import Fetch, Visit
from citystream.store.duckdb import DatasetStore

#: Of visits that find nothing new, one in this time is remembered.
_ONE_REMEMBERED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """How a visit is taken: *where* it went, whether it brings the *whole* of what there is, how much of it may be gone
    (*guard*), the *part* of the dataset that it is to, None for a file, and whether *more* visits follow at once, so
    that detectors wait for them.
    """

    where: str
    whole: bool
    guard: float
    part: Part | None = None
    more: bool = False

    @property
    def place(self) -> str:
        """Where visits to the same source are remembered; '' for a file."""
        return place(self.part.source) if self.part else ""

    @property
    def days(self) -> Days:
        """The days of which a listing tells what is gone."""
        return self.part.days if self.part else (None, None)


class Visiting:
    """What visits publishers by *clock*, and brings what they have to the *tables*."""

    def __init__(
        self, logs: Logs, tables: Tables, workers: Workers, watch: Watch, clock: Callable[[], datetime]
    ) -> None:
        self._logs = logs
        self._tables = tables
        self._workers = workers
        self._watch = watch
        self._clock = clock
        self._reread_at: dict[str, datetime] = {}
        #: When the last one of visits that belong together ended, for as long as that is not noted.
        self._unended: dict[str, datetime] = {}

    def bring(self, dataset: Dataset, found: Sequence[Part], *, full: bool) -> tuple[list[Received], list[PortalError]]:
        """All parts of a dataset, from their portals to the tables, as one visit; one that fails does not hold back
        the others.
        """
        received, failed = list[Received](), list[PortalError]()
        for part in found:
            taken = Taken(
                place(part.source), whole=False, guard=part.source.shrink_guard, part=part, more=len(found) > 1
            )
            try:
                visit = part.marked(self._visit(dataset, taken, part, full=full or self._relist_due(dataset, part)))
                received.append(self.take(dataset, visit, taken))
            except PortalError as error:
                failed.append(error)
        self._end(dataset)
        return received, failed

    def take(self, dataset: Dataset, visit: Visit, taken: Taken) -> Received:
        """One visit from its first page to its row in `fetches`."""
        intake = Intake(
            dataset=dataset,
            source=taken.where,
            log=self._logs.of(dataset),
            record_ids=self._workers.ids(dataset),
            redact=redact,
            clock=self._clock,
            whole=taken.whole,
            stopping=self._watch.stopping,
            progress=self._watch.on("receiving"),
            appended=lambda: self._tables.process_if_much(dataset),
        )
        last = self._last(dataset, taken)
        try:
            received = intake.take(visit, last)
        except Failed as failed:
            self._remember_failed(dataset, failed.fetch, taken)
            raise failed.cause from failed
        if taken.part is not None and last is not None and _is_idle(last, received):
            return received
        with self._tables.opened(dataset) as store:
            self._tables.process(dataset, store)
            received = self._find_gone(dataset, store, received, taken)
            self._remember(dataset, store, received.fetch, taken)
        return received

    def _remember(self, dataset: Dataset, store: DatasetStore, fetch: Fetch, taken: Taken) -> None:
        store.record_fetch(fetch)
        if taken.more:
            self._unended[dataset.name] = fetch.finished_at
        else:
            self._unended.pop(dataset.name, None)
            self._tables.ended(dataset, store, fetch.finished_at, whole=taken.whole)
            self._tables.follow(dataset, store)

    def _end(self, dataset: Dataset) -> None:
        """Visits that belong together ended, if any of them is remembered."""
        at = self._unended.pop(dataset.name, None)
        if at is not None:
            with self._tables.opened(dataset) as store:
                self._tables.ended(dataset, store, at, whole=False)
                self._tables.follow(dataset, store)

    def _remember_failed(self, dataset: Dataset, fetch: Fetch, taken: Taken) -> None:
        """If a disk is what failed, it may not take this either: what went wrong first is what is said."""
        with suppress(StorageError), self._tables.opened(dataset) as store:
            self._tables.process(dataset, store)
            self._remember(dataset, store, fetch, taken)

    def _last(self, dataset: Dataset, taken: Taken) -> Fetch | None:
        """The last visit to the same source, to tell what changed there: another one may have other columns."""
        return self._tables.left(dataset).visits[taken.place].last

    def _visits(self, dataset: Dataset, part: Part) -> Visits:
        return self._tables.left(dataset).visits[part.place]

    def _visit(self, dataset: Dataset, taken: Taken, part: Part, *, full: bool) -> Visit:
        """Go to the portal; that it could not be reached is remembered too.

        Where equal rows are told apart by their number in the listing, only a whole listing can be numbered. Where
        there is no cursor, a listing that was refused is read again, also if it has not changed since.
        """
        source = part.source
        started, overlap = self._clock(), self._reread_due(f"{dataset.name} {part.mark}", source)
        numbered = dataset.columns.event_id.counter
        full = full or numbered or (not source.resumes and self._visits(dataset, part).refused)
        try:
            cursor = part.unmarked(self._logs.of(dataset).cursor(part.mark))
            return self._workers.portal(source).visit(dataset, source, cursor, full=full, overlap=overlap)
        except PortalError as error:
            self._remember_failed(dataset, failed_fetch(dataset, taken.where, started, self._clock(), error), taken)
            raise

    def _find_gone(self, dataset: Dataset, store: DatasetStore, received: Received, taken: Taken) -> Received:
        """After a complete listing: what it lacks of the days it covers is gone, unless that is implausibly much."""
        log = self._logs.of(dataset)
        if received.listed is None or store.position() < log.end():
            return received
        missing = absent(store.current_ids(*taken.days), received.listed, taken.guard)
        if missing.refusal:
            return Received(refused(received.fetch, missing.refusal), None)
        if len(missing.ids):
            log.append([gone_records(missing.ids, received.fetch.cursor, self._clock())])
            self._tables.process(dataset, store)
        return received

    def _relist_due(self, dataset: Dataset, part: Part) -> bool:
        if part.source.relist is None:
            return False
        last = self._visits(dataset, part).last_full
        return last is None or whole_second(self._clock()) - last.finished_at >= part.source.relist

    def _reread_due(self, name: str, source: Source) -> bool:
        """Whether what lies within the overlap is read again now; remembered for as long as this process lives."""
        now = whole_second(self._clock())
        last = self._reread_at.get(name)
        if last is not None and now - last < source.reread:
            return False
        self._reread_at[name] = now
        return True


def _is_idle(last: Fetch, received: Received) -> bool:
    """Whether a visit found nothing new and says nothing new since the *last*: of those one a minute is remembered, so
    that a feed can be looked at many times a second.
    """
    now = received.fetch
    if now.received or received.listed is not None:
        return False
    said = (last.state, last.detail, last.columns) == (now.state, now.detail, now.columns)
    return said and now.finished_at - last.finished_at < _ONE_REMEMBERED
