"""Every seam of citystream on one page.

Verbs (`ingest`, `process`, `replay`) are written against these; adapters implement them and do not know each
other. All data crosses as Arrow; `schema` has the shapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream.catalog.dataset import Dataset, Source

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
FetchState = Literal["fresh", "late", "frozen", "gone", "refused"]


@dataclass(frozen=True, slots=True)
class Page:
    """Part of what a portal published, in the order it was asked for.

    *rows* are published columns as text; *cursor* is where a reader that stops after this page goes on.
    Column ``$unreadable``, if present, holds rows that could not be split into columns.
    """

    rows: pa.Table
    cursor: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a portal says about a dataset before its rows are read.

    *columns*: published name -> publisher's type; *count*: rows it claims to have (None if it does not say);
    *updated_at*: its own time of the last change (UTC); *complete*: the pages that follow are all its records,
    so that a record not among them is gone; *mode* is shown in `fetches`.
    """

    columns: dict[str, str]
    count: int | None
    updated_at: datetime | None
    complete: bool
    mode: Literal["full", "incremental", "file"]


class Visit(Protocol):
    """One visit to one source: first what it says, then its pages, then whether both agree."""

    @property
    def listing(self) -> Listing:
        """What the publisher says; after the last page it may say less (that it is not complete)."""
        ...

    def pages(self) -> Iterator[Page]:
        """All pages in declared order; a page is yielded only when it was read whole. Raises `PortalError`."""
        ...

    def verify(self, received: int) -> str:
        """'' if *received* rows agree with what the portal claims now, else a sentence that says how not."""
        ...


class Portal(Protocol):
    """A kind of portal (Socrata, CKAN, ...) that can be asked for a dataset's rows."""

    def visit(self, dataset: Dataset, source: Source, cursor: str, *, full: bool, overlap: bool) -> Visit:
        """Go to *source*, on from *cursor* ('' = from the beginning); *full* asks for the complete listing,
        *overlap* for reading again what lies within the source's overlap behind the cursor.
        """
        ...


@dataclass(frozen=True, slots=True)
class Visited:
    """That a visit to a publisher ended at *finished_at* (UTC, whole seconds), when the next record was to get *off*.

    *whole*: it brought everything up to its moment, so that what follows comes later than that.
    """

    off: int
    finished_at: datetime
    whole: bool


class Log(Protocol):
    """The append-only memory of one dataset: records as published, each with a dense offset from 0, and when visits
    ended, numbered from 0 in the order in which they were noted.
    """

    def recover(self) -> None:
        """Before anything else, by the one process that is going to write: set right what one that died left."""
        ...

    def append(self, records: Iterable[pa.Table]) -> int:
        """Add *records* (published text columns and all of `LOG_RECORD` but the offset), durably; nothing of
        them is in the log before the last table was taken. Returns the next offset.
        """
        ...

    def end(self) -> int:
        """The offset that the next record will get."""
        ...

    def waiting(self) -> int:
        """How many records there are at most that others put there and that have no offset yet; they get one when
        they are first read.
        """
        ...

    def remarks(self) -> list[str]:
        """What whoever runs it should know of it, in words; nothing if all is well."""
        ...

    def cursor(self, mark: str = "") -> str:
        """The cursor of the newest record that has one which begins with *mark*, '' if there is none."""
        ...

    def read(self, first: int, limit: int) -> Iterator[pa.Table]:
        """Records from offset *first* on, in tables of at most *limit* rows that share their columns."""
        ...

    def note_visit(self, visited: Visited) -> None:
        """Add that a visit ended, durably; it is noted when this returns, or not at all."""
        ...

    def visits(self, first: int) -> list[Visited]:
        """The visits that were noted, from number *first* on."""
        ...


@dataclass(frozen=True, slots=True)
class Conformed:
    """A stretch of the log as typed rows.

    *rows*: `CONFORMED`, the dataset's attributes, `CARRIED`, in this order; records of op ``gone`` have only
    k, event_id, gone, fetched_at and off. *meanings*: the distinct meanings that `rows.meaning` points into.
    *rejects*: `REJECT`. *next*: the offset after the last record of the stretch; rows + rejects account for
    every record of it. *fetches*: (last offset, fetched_at) of each run of records fetched together.
    """

    rows: pa.Table
    meanings: pa.Table
    rejects: pa.Table
    next: int
    fetches: tuple[tuple[int, datetime], ...]


class Ranges(Protocol):
    """Counts by pane key (`panes` says what a key is); keys are never negative, nor are counts."""

    def range_sum(self, low: Integers, high: Integers) -> Integers:
        """Sum of the counts over keys in [low, high); the bounds ascend."""
        ...

    def range_count(self, low: Integers, high: Integers) -> Integers:
        """How many keys lie in [low, high)."""
        ...


@dataclass(frozen=True, slots=True)
class PaneChanges:
    """What one transaction does to panes, record by record: at log offset *off*, pane *key* changes by *delta*.

    Sorted by key."""

    key: Integers
    off: Integers
    delta: Integers


@dataclass(frozen=True, slots=True)
class AlertRows:
    """Alerts by the key of their window's first pane: the offsets that raised and withdrew each last.

    *withdrawn_at* is -1 while the alert is active."""

    key: Integers
    raised_at: Integers
    withdrawn_at: Integers


class RaisedAlerts(Protocol):
    """All alerts that a detector ever raised in a dataset."""

    def between(self, low: Integers, high: Integers) -> Booleans:
        """Whether there is an alert whose key lies in [low, high); the bounds ascend."""
        ...

    def rows(self, keys: Integers) -> AlertRows:
        """The alerts with sorted *keys*; -1 and -1 where there was never one."""
        ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a transaction does to a detector's alerts.

    *alerts* with *observed* are the rows as they stand after it, for every alert whose count or status changed.
    *moved_key*, *moved_off*, *moved_up*: each single raising (True) and withdrawal (False), at its offset, so that
    the state at any offset, also inside a batch, can be told.
    """

    alerts: AlertRows
    observed: Integers
    moved_key: Integers
    moved_off: Integers
    moved_up: Booleans


class Detector(Protocol):
    """Finds windows worth looking at in one dataset, from the changes of its panes alone."""

    name: str

    def judge(self, counts: Ranges, changes: PaneChanges, raised: RaisedAlerts) -> Judgement:
        """*counts*: all panes before the changes. Must be a function of the log prefix: the result for a
        stretch of the log must not depend on where it is cut.
        """
        ...


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a detector that follows the store has come, by the *settings* it was made with: all alerts are written
    that were found up to half hour *clock* of the clock. *state* is what it remembered then or earlier.
    """

    settings: str
    clock: int
    state: bytes


class History(Protocol):
    """What became of one dataset's records, for detectors that follow the store, and where their alerts are kept."""

    def moments(self, after: int) -> pa.Table:
        """`MOMENT`: everything that moved the clock from offset *after* on, in order."""
        ...

    def came(self, edges: Integers, before: Integers) -> tuple[Integers, Integers]:
        """How many records came for the first time between each two of the offsets *edges*, and how many of them
        occurred before the half hours *before*, one for each.
        """
        ...

    def span(self, until: int) -> tuple[datetime, datetime] | None:
        """Between when (UTC) nearly all records before offset *until* occurred: a few claim to be from long ago."""
        ...

    def versions(self, first: int, until: int, since: datetime, *, beats: bool = False) -> pa.Table:
        """`COUNTED_VERSION`: all versions before offset *until* of incidents of which a version began or ended between
        *first* and *until*; only what occurred from *since* (UTC) on, with a type and a district. With *beats* the beat
        stands in place of the district.
        """
        ...

    def readings(self, first: int, until: int) -> pa.Table:
        """What stations said, and what was taken back, between the offsets *first* and *until*, in order: `at` (the
        offset), `station`, `time` (UTC seconds), `slot` (half hour of the local day), and each measure, NULL for none.
        """
        ...

    def followed(self, detector: str) -> Followed | None:
        """How far *detector* has come, None if it has to begin."""
        ...

    def clock(self, detector: str) -> tuple[str, int] | None:
        """Its settings and clock, without its state."""
        ...

    def episodes(self, detector: str, clock: int) -> pa.Table:
        """`EPISODE`: its alerts as they stood in half hour *clock* of the clock."""
        ...

    def write(self, detector: str, episodes: pa.Table, followed: Followed, *, saves: bool, anew: bool) -> None:
        """Append *episodes* and move on, in one transaction; the state only if *saves*. *anew*: instead of all."""
        ...


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where every record of the log went. received = the sum of the others, always."""

    received: int = 0
    inserted: int = 0
    revised: int = 0
    unchanged: int = 0
    rejected: int = 0
    vanished: int = 0
    returned: int = 0

    def balances(self) -> bool:
        """Whether nothing is lost and nothing is counted twice."""
        return self.received == (
            self.inserted + self.revised + self.unchanged + self.rejected + self.vanished + self.returned
        )


@dataclass(frozen=True, slots=True)
class Fetch:
    """One visit to a publisher, as `fetches` keeps it."""

    dataset: str
    source: str
    mode: str
    started_at: datetime
    finished_at: datetime
    received: int
    publisher_count: int | None
    publisher_updated_at: datetime | None
    cursor: str
    fingerprint: str
    columns: str
    drift: str
    state: FetchState
    detail: str


class Store(Protocol):
    """The tables of one dataset: current events, their revisions, windows and alerts."""

    def position(self) -> int:
        """The log offset to go on from."""
        ...

    def apply(self, batch: Conformed) -> Ledger:
        """Everything of *batch* in one transaction, or nothing; returns the dataset's ledger after it."""
        ...

    def visits(self) -> int:
        """How many of the visits that the log has noted it knows."""
        ...

    def take_visits(self, first: int, visits: Sequence[Visited]) -> None:
        """The log's *visits* from number *first* on, all or none of them; those that it knows change nothing."""
        ...

    def record_fetch(self, fetch: Fetch) -> None:
        """Remember a visit, for those who look how it went; when it ended the log knows."""
        ...

    def last_fetch(self, *modes: str, source: str = "") -> Fetch | None:
        """The newest visit (of one of these *modes*, to this *source*) that brought something."""
        ...

    def current_ids(self, first: date | None = None, last: date | None = None) -> pa.Array:
        """The record ids of all current events, sorted; of those that occurred on local days from *first* to *last*
        only, both included, if one is given.
        """
        ...


#: The tables of a dataset that are delivered, and the column of each that says its month.
DELIVERED_TABLES: dict[str, str] = {"events": "occurred_local", "daily": "day", "alerts": "window_start"}


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed in one table of a dataset: *rows* (in batches of *schema*) are new or changed, whole and as they
    stand at one moment; *gone* has the ``row_key`` of those that are no more, and is to be taken away first.

    Beside the public columns a row has ``row_key`` (text), which identifies it in its table for ever, and
    ``row_digest`` (31 bits), which tells one state of it from another. Writing a delta twice is writing it once.
    """

    table: str
    gone: pa.Array
    schema: pa.Schema
    rows: Iterator[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class Delivered:
    """How far a sink has a dataset: up to before log offset *position*, by the definition *fingerprint*.

    What it has by another definition does not go on: it is delivered anew.
    """

    position: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a table, for comparing two copies without moving them: the rows of one *month* (``2024-05``, of when
    it occurred or of the window's start; '' where there is none), how many, and the sum of their ``row_digest``.
    """

    month: str
    rows: int
    digest: int


class Deliveries(Protocol):
    """The changes of one dataset, all as one state of the store, which `delivered` names."""

    delivered: Delivered

    def of(self, table: str, after: int) -> Delta:
        """The changes of one of `DELIVERED_TABLES` since log offset *after*; its batches are read before another table
        is asked for.
        """
        ...

    def partitions(self, table: str) -> list[Partition]:
        """What the store has of it, by month."""
        ...


class Sink(Protocol):
    """Somewhere outside that a dataset's tables are delivered to. It keeps its own position, with what it wrote."""

    def delivered(self, dataset: Dataset) -> Delivered | None:
        """How far it has *dataset*, None if it has nothing of it."""
        ...

    def write(self, dataset: Dataset, deltas: Iterable[Delta], delivered: Delivered) -> None:
        """All *deltas* and that it has them, so that a death at any moment leaves it before or after, or (where the
        sink has no transactions) at a state that the same call makes whole. Raises `SinkError`.
        """
        ...

    def clear(self, dataset: Dataset) -> None:
        """Take away everything of *dataset*, its position first."""
        ...

    def partitions(self, dataset: Dataset, table: str) -> list[Partition]:
        """What it has of one table, to be compared with the store's."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class Notification:
    """What people are told about one alert, as it may leave: that it was *raised*, or *withdrawn* after that was told.

    *zone*: the time zone of its city; *title* and *text* are for reading, *facts* the same for programs; *notice*: the
    publisher's words that go along.
    """

    alert_id: str
    what: Literal["raised", "withdrawn"]
    dataset: str
    zone: str
    title: str
    text: str
    notice: str
    facts: Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent at one time: one notification, or several together; a *test* has none. *key* is the same however
    often it is sent; *made_at* (UTC): when it was first meant to be sent.
    """

    key: str
    made_at: datetime
    told: tuple[Notification, ...]
    test: bool = False


class Told(Protocol):
    """What was told at one target."""

    def identity(self) -> str:
        """What tells this data folder from all others, for ever."""
        ...

    def begun(self) -> datetime:
        """When (UTC) it was first told anything, or looked whether there is something."""
        ...

    def newest(self, limit: int) -> Sequence[tuple[datetime, Notification]]:
        """The notifications sent or being sent last, newest first, with when (UTC) that was first meant."""
        ...


class Target(Protocol):
    """Where people are told about alerts."""

    #: Whether what comes again under the same key is known there, so that it may be sent when nobody knows whether it
    #: arrived.
    recognises: bool
    #: Whether a message disturbs somebody, so that it waits for the end of the quiet hours.
    disturbs: bool

    def prepare(self) -> None:
        """Make ready what has to be there before the first message. Raises `SinkError`."""
        ...

    def send(self, message: Message, at: datetime) -> None:
        """Send it, now (*at*, UTC). Raises `SinkError` if it did not arrive, `OutcomeUnknown` if nobody can tell."""
        ...
