"""From a publisher to the log: every row as published, none twice in a visit, nothing kept that must not be.

What a portal or file says about itself, what was received and whether both agree becomes a row of `fetches`; when a
visit ended is noted in the log itself, because detectors go by it.
Records are declared gone only after a complete listing that agreed with the publisher's own count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from citystream import schema
from citystream.catalog.dataset import Dataset
from citystream.catalog.freshness import freshness
from citystream.errors import CitystreamError, FileRefused, PortalError
from citystream.ports import Fetch, FetchState, Listing, Log, Page, Visit, Visited

Clock = Callable[[], datetime]
#: Nothing that goes by visits tells moments within one from each other.
_HALF_HOUR: Final = timedelta(minutes=30)


class Stopped(Exception):
    """Someone asked to stop; pages that were appended before stay."""


class Failed(Exception):
    """A visit broke off; *fetch* says how far it came, *cause* why."""

    def __init__(self, fetch: Fetch, cause: CitystreamError) -> None:
        super().__init__(str(cause))
        self.fetch = fetch
        self.cause = cause


class RecordIds(Protocol):
    """Gives each published row the id it keeps; stateful over the pages of one listing."""

    def __call__(self, rows: pa.Table) -> pa.Array: ...


@dataclass(frozen=True, slots=True)
class Received:
    """What a visit brought: the `Fetch` to remember, and the ids it listed if the listing is complete."""

    fetch: Fetch
    listed: pa.ChunkedArray | None


def _nothing() -> None:
    """Nobody waits for pages."""


@dataclass(slots=True)
class Intake:
    """One visit to one source on its way into the log.

    *redact* takes out what may not be kept; *whole*: all pages or none (a file), else page by page (a portal, so that
    an interrupted visit goes on where it stopped); *progress* is called with (received, expected or 0), *appended*
    after each page that is safely in the log.
    """

    dataset: Dataset
    source: str
    log: Log
    record_ids: RecordIds
    redact: Callable[[Dataset, pa.Table], pa.Table]
    clock: Clock
    whole: bool
    stopping: Callable[[], bool]
    progress: Callable[[int, int], None] | None = None
    appended: Callable[[], None] = _nothing
    _received: int = 0
    _unreadable: int = 0
    _cursor: str = ""

    def take(self, visit: Visit, previous: Fetch | None) -> Received:
        """Read *visit* into the log; *previous* is the last good one, to tell what changed in the columns.

        Raises `Failed` if the publisher or the disk does, `Stopped` if someone says so.
        """
        started = self.clock()
        listed: list[pa.Array] = []
        try:
            self._append(self._records(visit, listed))
            problem = visit.verify(self._received)
        except CitystreamError as error:
            raise Failed(self._fetch(visit.listing, started, previous, error.message), error) from error
        fetch = self._fetch(visit.listing, started, previous, problem)
        complete = visit.listing.complete and not problem
        if complete and self._unreadable:
            # which records those rows are is not known, so they could be any of those that seem to lack
            complete = False
            fetch = replace(fetch, detail=f"{self._unreadable} rows could not be read; none was declared gone")
        return Received(fetch, pa.chunked_array(listed, pa.string()) if complete else None)

    def _append(self, records: Iterator[pa.Table]) -> None:
        if self.whole:
            self.log.append(records)
            return
        for record in records:
            self.log.append([record])
            self.appended()

    def _records(self, visit: Visit, listed: list[pa.Array]) -> Iterator[pa.Table]:
        for page in visit.pages():
            if self.stopping():
                raise Stopped
            record = self._record(page)
            if visit.listing.complete:
                listed.append(record[schema.RECORD_ID].combine_chunks())
            self._received += len(record)
            self._cursor = page.cursor
            yield record
            if self.progress:
                self.progress(self._received, visit.listing.count or 0)

    def _record(self, page: Page) -> pa.Table:
        """Published rows with what the log adds to them."""
        _refuse_own_names(page.rows)
        if schema.UNREADABLE in page.rows.column_names:
            self._unreadable += len(page.rows) - page.rows[schema.UNREADABLE].null_count
        rows = self.redact(self.dataset, page.rows)
        fixed = {
            schema.RECORD_ID: self.record_ids(rows),
            schema.OP: pa.repeat(schema.SEEN, len(rows)),
            schema.CURSOR: pa.repeat(pa.scalar(page.cursor or None, pa.string()), len(rows)),
            schema.FETCHED_AT: pa.repeat(pa.scalar(whole_second(self.clock()), pa.timestamp("us")), len(rows)),
        }
        for name, column in fixed.items():
            rows = rows.append_column(name, column)
        return rows

    def _fetch(self, listing: Listing, started: datetime, previous: Fetch | None, problem: str) -> Fetch:
        columns = json.dumps(listing.columns, ensure_ascii=False, sort_keys=True)
        finished = self.clock()
        return Fetch(
            dataset=self.dataset.name,
            source=self.source,
            mode=listing.mode,
            started_at=whole_second(started),
            finished_at=whole_second(finished),
            received=self._received,
            publisher_count=listing.count,
            publisher_updated_at=listing.updated_at,
            cursor=self._cursor,
            fingerprint=hashlib.sha256(columns.encode()).hexdigest()[:16],
            columns=columns,
            drift=drift(previous, listing) if previous and listing.mode != "file" else "",
            state="refused" if problem else freshness(self.dataset, listing.updated_at, finished),
            detail=problem,
        )


def _refuse_own_names(rows: pa.Table) -> None:
    """A published column may not pass for one that the log adds."""
    if own := [name for name in schema.LOG_RECORD.names if name != schema.UNREADABLE and name in rows.column_names]:
        raise FileRefused(f"columns are called {', '.join(own)}, as the log calls its own", "rename or remove them")


def whole_second(moment: datetime) -> datetime:
    """*moment* as naive UTC, without fractions: what the log keeps of a fetching time."""
    return moment.replace(microsecond=0, tzinfo=None)


def note_visit(log: Log, visited: Visited, known: int) -> None:
    """Note in *log*, which has *known* visits or more, that one ended.

    Nothing is noted before the first record, nor what the newest visit says already, of the same half hour and with
    nothing new since: a source may be looked at every second for years.
    """
    if visited.off and not any(_says(each, visited) for each in log.visits(max(known - 1, 0))[-1:]):
        log.note_visit(visited)


def _says(noted: Visited, visited: Visited) -> bool:
    same = (noted.off, _half_hour(noted)) == (visited.off, _half_hour(visited))
    return same and noted.whole >= visited.whole


def _half_hour(visited: Visited) -> int:
    return (visited.finished_at - datetime.min) // _HALF_HOUR


def drift(previous: Fetch, listing: Listing) -> str:
    """What changed in the published columns since *previous*, as a sentence; '' if nothing did."""
    before: dict[str, str] = json.loads(previous.columns)
    now = listing.columns
    said = [f"new column {name}" for name in now if name not in before]
    said += [f"column {name} is gone" for name in before if name not in now]
    said += [f"{n} is {now[n]}, was {before[n]}" for n in now if n in before and now[n] != before[n]]
    return "; ".join(said)


def worst(states: Iterable[FetchState]) -> FetchState:
    """The state of a dataset whose parts are in *states*; fresh if there are none."""
    order: tuple[FetchState, ...] = ("fresh", "late", "frozen", "gone", "refused")
    return max(states, key=order.index, default="fresh")


@dataclass(frozen=True, slots=True)
class Absent:
    """Ids that a complete listing no longer had, or why they are not believed to be gone."""

    ids: pa.Array
    refusal: str


def absent(current: pa.Array, listed: pa.ChunkedArray, guard: float) -> Absent:
    """Which of the *current* ids were not *listed*; refused if more than the share *guard* of them would go."""
    missing = current.filter(pc.invert(pc.is_in(current, value_set=listed.combine_chunks())))
    if len(missing) > max(guard * len(current), 1):
        none = missing.slice(0, 0)
        return Absent(none, f"the listing lacks {len(missing)} of {len(current)} known records; none was declared gone")
    return Absent(missing, "")


def gone_records(ids: pa.Array, cursor: str, at: datetime) -> pa.Table:
    """Log records that say that *ids* are gone."""
    return pa.table(
        {
            schema.RECORD_ID: ids,
            schema.OP: pa.repeat(schema.GONE, len(ids)),
            schema.CURSOR: pa.repeat(pa.scalar(cursor or None, pa.string()), len(ids)),
            schema.FETCHED_AT: pa.repeat(pa.scalar(whole_second(at), pa.timestamp("us")), len(ids)),
        }
    )


def refused(fetch: Fetch, why: str) -> Fetch:
    """*fetch* with its refusal."""
    return replace(fetch, state="refused", detail=why)


def failed_fetch(dataset: Dataset, source: str, started: datetime, finished: datetime, error: PortalError) -> Fetch:
    """A visit that found nobody at home, or nothing any more where the dataset was."""
    return Fetch(
        dataset=dataset.name,
        source=source,
        mode="none",
        started_at=whole_second(started),
        finished_at=whole_second(finished),
        received=0,
        publisher_count=None,
        publisher_updated_at=None,
        cursor="",
        fingerprint="",
        columns="{}",
        drift="",
        state="gone" if error.status in (404, 410) else "refused",
        detail=error.message,
    )
