"""What a batch of 100, 20 of them revisions scattered over all history, costs at 100,000 and at 10 million records.

Also the peak memory of the writer at the larger size, the start of a process that remembers everything, and the
same batch in a process that looks up only what it needs. Run: python -m benchmarks.batch_growth
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.measuring import WORK, cpu_seconds, peak_mib, write
from citystream import schema
from citystream.catalog.dataset import Dataset
from citystream.catalog.library import load_library
from citystream.conform.conformer import conformed_schema
from citystream.detect.threshold import Threshold
from citystream.ports import Conformed
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore

DATASET = "chicago/crimes"
SMALL, LARGE = 100_000, 10_000_000
BATCH, REVISED = 100, 20
WARM, REPEATS = 50, 200
FETCHED = datetime(2025, 1, 1)


class Feed:
    """Invented Chicago records: 25 *years*, 32 types, 22 districts; ids count up, revisions hit any earlier id."""

    def __init__(self, dataset: Dataset, years: int = 25) -> None:
        self.dataset = dataset
        self._days = years * 365
        self._schema = conformed_schema(dataset)
        self._chance = np.random.default_rng(7)
        self.offset = 0
        self.records = 0

    def batch(self, new: int, revised: int) -> Conformed:
        """*new* records and *revised* ones, in random order."""
        size = new + revised
        old = self._chance.integers(0, max(self.records, 1), revised)
        k = np.concatenate([np.arange(self.records, self.records + new), old])
        self._chance.shuffle(k)
        columns = self._columns(size) | {"k": k, "off": np.arange(self.offset, self.offset + size)}
        rows = pa.table([self._array(columns, field, size) for field in self._schema], schema=self._schema)
        self.records += new
        self.offset += size
        meanings = pa.Table.from_pylist(
            [dict.fromkeys(schema.MEANING.names) | {"type": f"TYPE {i}", "sensitive": False} for i in range(32)],
            schema.MEANING,
        )
        return Conformed(rows, meanings, schema.REJECT.empty_table(), self.offset, ((self.offset - 1, FETCHED),))

    def _columns(self, size: int) -> dict[str, object]:
        draw = self._chance
        days = draw.integers(0, self._days, size) * 86_400
        occurred = (978_307_200 + days + draw.integers(0, 1440, size) * 60) * 1_000_000
        district = pa.array([f"{i:03d}" for i in range(1, 23)])
        block = pa.array([f"{i:03d}XX S INVENTED AVE" for i in range(1000)])
        return {
            "meaning": np.minimum(32 * draw.random(size) ** 3, 31).astype(np.int32),
            "occurred_local": occurred,
            "occurred_at": occurred + 21_600_000_000,
            "district": district.take(pa.array((22 * draw.random(size) ** 2).astype(np.int32))),
            "address": block.take(pa.array(draw.integers(0, 1000, size))),
            "domestic": draw.random(size) < 0.15,
            "arrest": draw.random(size) < 0.2,
            "lat": 41.7 + draw.random(size) / 4,
            "lon": -87.8 + draw.random(size) / 4,
            "h": draw.integers(1, 2**62, size).astype(np.uint64),
            "version": np.full(size, self.offset, np.int64),
        }

    @staticmethod
    def _array(columns: dict[str, object], field: pa.Field, size: int) -> pa.Array:
        if field.name in columns:
            return pa.array(columns[field.name]).cast(field.type)
        if field.name in ("gone", "time_precision", "time_flags", "place_precision", "place_reason"):
            return pa.array(np.zeros(size, np.uint8)).cast(field.type)
        if field.name == "fetched_at":
            return pa.repeat(pa.scalar(FETCHED, field.type), size)
        return pa.nulls(size, field.type)


def store_of(database: Database, dataset: Dataset, **options: int) -> DatasetStore:
    """The dataset's store with its detector."""
    database.require(dataset)
    assert dataset.windows.sliding
    return DatasetStore(database.connection, dataset, [Threshold(dataset.windows.sliding)], **options)


def loaded(folder: Path, size: int) -> tuple[Feed, float]:
    """A store of *size* records in *folder*, and the CPU seconds its loading took."""
    shutil.rmtree(folder, ignore_errors=True)
    feed, seconds = Feed(load_library().get(DATASET)), 0.0
    with Database(folder) as database:
        store = store_of(database, feed.dataset)
        while feed.records < size:
            part = feed.batch(min(245_760, size - feed.records), 0)
            seconds += cpu_seconds(lambda part=part: store.apply(part))
    return feed, seconds


def in_turns(feeds: dict[int, Feed], warm: int, repeats: int, **options: int) -> dict[int, float]:
    """Median CPU milliseconds of a batch at each size; the sizes take turns, so that a busy machine is so for all."""
    times: dict[int, list[float]] = {size: [] for size in feeds}
    with ExitStack() as stack:
        stores = {
            size: store_of(stack.enter_context(Database(WORK / f"growth-{size}")), feed.dataset, **options)
            for size, feed in feeds.items()
        }
        for _ in range(warm + repeats):
            for size, store in stores.items():
                batch = feeds[size].batch(BATCH - REVISED, REVISED)
                times[size].append(cpu_seconds(lambda store=store, batch=batch: store.apply(batch)))
    return {size: round(float(np.median(seconds[warm:])) * 1000, 2) for size, seconds in times.items()}


def main() -> None:
    """Load both sizes, then measure small batches in turns."""
    feeds, loading = {}, {}
    for size in (SMALL, LARGE):
        feeds[size], loading[size] = loaded(WORK / f"growth-{size}", size)
    peak = peak_mib()
    remembering = in_turns(feeds, WARM, REPEATS, load_all_below=10**12)
    one_shot = in_turns(feeds, 2, 10, load_after=10**9, load_all_below=0)
    figures = {
        "load_cpu_seconds_10_million": round(loading[LARGE], 1),
        "peak_mib_loading_10_million": peak,
        "peak_mib": peak_mib(),
        "batch_cpu_ms": remembering,
        "growth_of_a_batch": round(remembering[LARGE] / remembering[SMALL], 2),
        "one_shot_batch_cpu_ms": one_shot,
        "limit": "growth_of_a_batch <= 1.5, peak_mib <= 2048",
    }
    write("batch_growth", figures)
    for size in feeds:
        shutil.rmtree(WORK / f"growth-{size}")


if __name__ == "__main__":
    main()
