"""What a batch of 100, 20 of them revisions scattered over all history, costs at 100,000 and at 10 million records.

Also the peak memory of the writer at the larger size, the start of a process that remembers everything, and the
same batch in a process that looks up only what it needs. Run: python -m benchmarks.batch_growth
"""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.measuring import WORK, apart, cpu_seconds, peak_mib, write
from citystream import schema
from citystream.catalog.dataset import Dataset
from citystream.catalog.library import load_library
from citystream.conform.conformer import conformed_schema
from citystream.detect.threshold import Threshold
from citystream.ports import Conformed
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore

SMALL, LARGE = 100_000, 10_000_000
BATCH, REVISED = 100, 20
WARM, REPEATS = 50, 200
FETCHED = datetime(2025, 1, 1)


class Feed:
    """Invented Chicago records: 25 years, 32 types, 22 districts; ids count up, revisions hit any earlier id."""

    def __init__(self, dataset: Dataset) -> None:
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
        days = draw.integers(0, 25 * 365, size) * 86_400
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


def measure(size: int) -> dict[str, float]:
    """Load *size* records, then time small batches with everything remembered and in a fresh, one-shot process."""
    dataset = load_library().get("chicago/crimes")
    folder = Path(WORK / f"growth-{size}")
    shutil.rmtree(folder, ignore_errors=True)
    feed, figures = Feed(dataset), {}
    with Database(folder) as database:
        store = store_of(database, dataset)
        load = 0.0
        while feed.records < size:
            part = feed.batch(min(245_760, size - feed.records), 0)
            load += cpu_seconds(lambda part=part: store.apply(part))
        figures["load_cpu_seconds"] = load
        figures["batch_ms"] = _batches(store, feed)
        figures["peak_mib"] = peak_mib()
    with Database(folder) as database:
        lazy = store_of(database, dataset, load_after=10**9, load_all_below=0)
        figures["one_shot_batch_ms"] = _batches(lazy, feed, warm=2, repeats=10)
    with Database(folder) as database:
        eager = store_of(database, dataset, load_all_below=10**12)
        first = feed.batch(1, 0)
        figures["start_cpu_seconds"] = cpu_seconds(lambda: eager.apply(first))
    shutil.rmtree(folder)
    return {name: round(value, 2) for name, value in figures.items()}


def _batches(store: DatasetStore, feed: Feed, warm: int = WARM, repeats: int = REPEATS) -> float:
    """Median CPU milliseconds of a batch, after *warm* others."""
    batches = [feed.batch(BATCH - REVISED, REVISED) for _ in range(warm + repeats)]
    times = [cpu_seconds(lambda batch=batch: store.apply(batch)) for batch in batches]
    return float(np.median(times[warm:])) * 1000


def main() -> None:
    """Both sizes, each in a process of its own."""
    small, large = (apart("benchmarks.batch_growth", str(size)) for size in (SMALL, LARGE))
    figures = {
        "at": {f"{SMALL:,}": small, f"{LARGE:,}": large},
        "growth_of_a_batch": round(large["batch_ms"] / small["batch_ms"], 2),
        "growth_of_a_one_shot_batch": round(large["one_shot_batch_ms"] / small["one_shot_batch_ms"], 2),
        "limit": "growth_of_a_batch <= 1.5, peak_mib at 10 million <= 2048",
    }
    write("batch_growth", figures)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1])))) if len(sys.argv) > 1 else main()
