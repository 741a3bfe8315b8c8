"""What detectors that follow the store cost beside the transactions that they follow: real files, as cities publish.

All records of a file but those of its last days are an archive, loaded at once; those of each of the last days come
on a visit of its own, the publisher's lag after they occurred. All detectors run that the city file names for the
dataset; of San Diego's calls and Seattle's fire calls it names none that follow the store, and of Austin there is one
answer of some hundred records and no feed. CPU of one process, all
threads, in milliseconds a visit. The detectors are stated twice: beside the bare transaction of the store (`share`),
and beside all that a visit costs without them (`share_of_visit`): published rows read and typed, appended to the log,
typed again and taken into the store, and the end of the visit noted. What a request costs is in neither. Run: python
-m benchmarks.detection.cost
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.measuring import write
from citystream import schema
from citystream.app.following import Following
from citystream.catalog.dataset import Dataset
from citystream.catalog.library import load_library
from citystream.conform.conformer import Conformer
from citystream.conform.keys import RecordIds
from citystream.log.segments import SegmentLog
from citystream.portals.files import open_export
from citystream.ports import Visited
from citystream.process import process
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from tests.published import SHARED

_DATA = SHARED / "data"
_CHICAGO = tuple(f"chicago/chicago_crimes_{year}_from_daily.csv.gz" for year in (2014, 2015))


@dataclass(frozen=True, slots=True)
class Feed:
    """*files* of a *dataset*, of which so many *visits* are seen to come, each *every* hours; *live*: as if they were
    published at once; with *only* some of the detectors, if they are named.
    """

    dataset: str
    files: Sequence[str]
    visits: int
    every: float = 24.0
    live: bool = False
    only: Sequence[str] = ()


FEEDS = (
    Feed("chicago/crimes", _CHICAGO, 60),
    Feed("chicago/crimes", _CHICAGO, 60, only=("surge", "drift")),
    Feed("chicago/crimes", _CHICAGO, 336, 0.5, live=True),
    Feed("chicago/crimes", _CHICAGO, 336, 0.5, live=True, only=("surge", "drift")),
    Feed("seattle/crimes", ("seattle/SPD_Crime_Data__2008-Present_robbery_etc.csv",), 60),
    Feed("los-angeles/crimes", ("los_angeles/Crime_Data_from_2020_to_Present_10k.csv",), 20, 168.0),
)


@dataclass(slots=True)
class Spent:
    """CPU seconds by what they went into."""

    seconds: dict[str, float] = field(default_factory=dict)

    def on(self, what: str, begun: float) -> float:
        """Since *begun* they went into *what*; returns now."""
        now = time.process_time()
        self.seconds[what] = self.seconds.get(what, 0.0) + now - begun
        return now


def defined(feed: Feed) -> Dataset:
    """The dataset as its city says, or as it would be if it were live."""
    about = load_library().get(feed.dataset)
    chosen = tuple(rule for rule in about.detectors if not feed.only or rule.name in feed.only)
    at_once = {"lag": timedelta(0), "cadence": timedelta(minutes=30)}
    return about.model_copy(update={"detectors": chosen} | (at_once if feed.live else {}))


@dataclass(frozen=True, slots=True)
class Published:
    """All *rows* of files, as they are appended to a log, by when they *occurred* (microseconds), and the CPU seconds
    that it took to *read* them.
    """

    rows: pa.Table
    occurred: np.ndarray[Any, Any]
    read: float


def published(feed: Feed, about: Dataset) -> Published:
    """The files of a feed."""
    begun = time.process_time()
    pages = [page.rows for name in feed.files for page in open_export(_DATA / name, about).pages()]
    rows = pa.concat_tables(pages, promote_options="default").combine_chunks()
    rows = rows.drop_columns([name for name in (schema.UNREADABLE,) if name in rows.column_names])
    names = {schema.OP: schema.SEEN, schema.CURSOR: None, schema.UNREADABLE: None}
    rows = rows.append_column(schema.RECORD_ID, RecordIds(about)(rows))
    for name, value in names.items():
        rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.string()), len(rows)))
    read = time.process_time() - begun
    occurred = _occurred(rows, about)
    order = np.argsort(occurred, kind="stable")
    return Published(rows.take(pa.array(order)), occurred[order], read)


def _occurred(rows: pa.Table, about: Dataset) -> np.ndarray[Any, Any]:
    now = pa.array(np.full(len(rows), np.datetime64(datetime(2026, 1, 1), "us")))
    given = rows.append_column(schema.FETCHED_AT, now).append_column(schema.OFFSET, pa.array(np.arange(len(rows))))
    made = Conformer(about, 1)(given).rows
    times = np.zeros(len(rows), np.int64)
    times[made["off"].to_numpy()] = made["occurred_at"].cast(pa.int64()).fill_null(0).to_numpy()
    return times


def visits(feed: Feed, about: Dataset, found: Published) -> Iterator[tuple[pa.Table, datetime]]:
    """What each visit brings, and when."""
    rows, every = found.rows, int(feed.every * 3_600_000_000)
    newest = int(np.quantile(found.occurred, 0.9999)) // every * every
    edges = newest - every * np.arange(feed.visits, -1, -1)
    places = [0, *np.searchsorted(found.occurred, edges).tolist()]
    for at, (first, after) in enumerate(pairwise(places)):
        when = datetime(1970, 1, 1) + timedelta(microseconds=int(edges[at])) + about.lag
        fetched = pa.array(np.full(after - first, np.datetime64(when, "us")))
        yield rows.slice(first, after - first).append_column(schema.FETCHED_AT, fetched), when


def measured(feed: Feed) -> list[dict[str, Any]]:
    """The archive, and the visits after it."""
    about = defined(feed)
    archive, live, rows, came, found = Spent(), Spent(), [0, 0], 0, published(feed, about)
    with TemporaryDirectory() as name:
        folder = Path(name)
        log, following = SegmentLog(folder / "log"), Following()
        with Database(folder, memory_limit="2GB", threads=1) as database:
            database.require(about)
            store, conform = DatasetStore(database.connection, about, []), Conformer(about, 1)
            for records, when in visits(feed, about, found):
                spent = live if came else archive
                begun = time.process_time()
                log.append([records])
                begun = spent.on("log", begun)
                process(log, store, conform)
                begun = spent.on("transaction", begun)
                log.note_visit(Visited(log.end(), when, whole=not came))
                process(log, store, conform)
                begun = spent.on("visit", begun)
                following.bring_up(about, store)
                spent.on("detectors", begun)
                rows[came > 0] += len(records)
                came += 1
    for spent, count in zip((archive, live), rows, strict=True):
        spent.seconds["reading"] = found.read * count / len(found.rows)
    return [
        {
            "dataset": feed.dataset,
            "detectors": [rule.name for rule in about.detectors if rule.follows],
            "live": feed.live,
            "every_hours": feed.every,
            "what": what,
            "rows": count,
            "visits": number,
            **_figures(spent, number),
        }
        for what, count, number, spent in (("archive", rows[0], 1, archive), ("live", rows[1], came - 1, live))
    ]


def _figures(spent: Spent, number: int) -> dict[str, float]:
    made = {f"{what}_ms": round(seconds / number * 1000, 1) for what, seconds in spent.seconds.items()}
    detectors, transaction = spent.seconds["detectors"], spent.seconds["transaction"]
    others = sum(spent.seconds.values()) - detectors
    return made | {"share": round(detectors / transaction, 3), "share_of_visit": round(detectors / others, 3)}


def main() -> None:
    """All feeds."""
    write("detection_cost", {"rows": [row for feed in FEEDS for row in measured(feed)]})


if __name__ == "__main__":
    main()
