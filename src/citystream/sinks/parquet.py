"""A sink of Parquet files, in a folder or in a bucket: a snapshot that is replaced as one, month by month.

A month that nothing touched keeps its file. A changed row may have moved to another month, so before anything is
written the keys of all live files are read, one column of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from citystream.catalog.dataset import Dataset
from citystream.errors import SinkError
from citystream.ports import DELIVERED_TABLES, Delivered, Delta, Partition
from citystream.sinks.lake import Lake
from citystream.sinks.manifest import Manifest, Part, read_manifest, write_manifest
from citystream.sinks.merging import Merging
from citystream.sinks.order import check_order
from citystream.sinks.tabular import DIGEST, KEY

Answer = TypeVar("Answer")

#: How many files are read at a time: a store of objects is slow to begin and does many at once.
_AT_ONCE = 8
#: What readers of such folders take for "no value".
_NO_MONTH = "__HIVE_DEFAULT_PARTITION__"


class ParquetSink:
    """Deliveries into *address*: a path, ``file:///folder`` or ``s3://bucket/prefix``."""

    def __init__(self, address: str) -> None:
        self._lake = Lake(address)

    def delivered(self, dataset: Dataset) -> Delivered | None:
        """How far it has *dataset*: its manifest says so."""
        with self._failures(dataset):
            have = self._manifest(dataset)
        return have.delivered if have else None

    def write(self, dataset: Dataset, deltas: Iterable[Delta], delivered: Delivered) -> None:
        """New files, then the manifest that names them, then old files away; see `ports.Sink`."""
        with self._failures(dataset), self._lake.turn(dataset.table):
            have = self._manifest(dataset)
            check_order(self._lake.shown, dataset, have.delivered if have else None, delivered)
            tables = dict(have.tables) if have else {}
            for delta in deltas:
                live = tables.get(delta.table, ())
                tables[delta.table] = tuple(self._merged(dataset, delta, live, delivered.position))
            if self._manifest(dataset) != have:
                raise SinkError(
                    f"{self._lake.shown}: {dataset.name} was delivered by someone else meanwhile",
                    "let one data folder alone deliver a dataset there",
                    passing=True,
                )
            new = Manifest(delivered, tables)
            self._lake.replace(_manifest_name(dataset), write_manifest(new, dataset))
            self._sweep(dataset, new, have)

    def clear(self, dataset: Dataset) -> None:
        """Take away everything of *dataset*, its manifest first."""
        with self._failures(dataset), self._lake.turn(dataset.table):
            self._lake.remove(_manifest_name(dataset))
            for table in DELIVERED_TABLES:
                self._lake.remove_folder(_folder(dataset, table))

    def partitions(self, dataset: Dataset, table: str) -> list[Partition]:
        """What its files have, by month: they are read. A file that is not there has nothing."""
        with self._failures(dataset):
            have = self._manifest(dataset)
            parts = have.tables.get(table, ()) if have else ()
            found: dict[str, Partition] = {}
            for part, (rows, digest) in zip(parts, _each(self._counted, parts), strict=True):
                before = found.get(part.month, Partition(part.month, 0, 0))
                found[part.month] = Partition(part.month, before.rows + rows, before.digest + digest)
        return [found[month] for month in sorted(found) if found[month].rows]

    def close(self) -> None:
        """There is nothing to let go of."""

    @contextmanager
    def _failures(self, dataset: Dataset) -> Iterator[None]:
        with self._lake.failures(dataset.name):
            try:
                yield
            except pa.ArrowInvalid as error:
                raise SinkError(
                    f"{self._lake.shown}: {dataset.name}: a file cannot be read: {error}",
                    "publish again with --rebuild",
                ) from error
            except duckdb.Error as error:
                raise SinkError(
                    f"{self._lake.shown}: {dataset.name}: {error}", "free space in the temporary folder (TMPDIR)"
                ) from error

    def _manifest(self, dataset: Dataset) -> Manifest | None:
        name = _manifest_name(dataset)
        content = self._lake.read(name)
        return read_manifest(content, f"{self._lake.shown}/{name}") if content is not None else None

    def _merged(self, dataset: Dataset, delta: Delta, live: Sequence[Part], position: int) -> Iterator[Part]:
        """The live files after *delta*: new ones of the months that it touches, the others as they are."""
        with (
            TemporaryDirectory(prefix="citystream-") as folder,
            closing(Merging(Path(folder), delta)) as merging,
        ):
            months = {*merging.months(), *self._months_of(merging.touched(), live)} if live else {*merging.months()}
            yield from (part for part in live if part.month not in months)
            for month in sorted(months):
                old = self._fetched([part for part in live if part.month == month], Path(folder))
                new = Path(folder) / "new.parquet"
                rows, digest = merging.merge(month, old, new)
                if rows:
                    name = f"{_folder(dataset, delta.table)}/month={month or _NO_MONTH}/"
                    name += f"part-{position:012}-{uuid4().hex[:12]}.parquet"
                    self._lake.put(name, new)
                    yield Part(month, name, rows, digest)

    def _months_of(self, keys: pa.Array, live: Sequence[Part]) -> set[str]:
        """The months in which any of *keys* is now."""
        if not len(keys):
            return set()

        def has_any(part: Part) -> bool:
            there = self._columns(part, KEY).column(0)
            return bool(pc.any(pc.is_in(there, value_set=keys)).as_py())

        return {part.month for part, any_ in zip(live, _each(has_any, live), strict=True) if any_}

    def _fetched(self, parts: Sequence[Part], folder: Path) -> list[Path]:
        copies = [folder / f"old-{number}.parquet" for number in range(len(parts))]
        for part, copy in zip(parts, copies, strict=True):
            self._lake.get(part.file, copy)
        return copies

    def _counted(self, part: Part) -> tuple[int, int]:
        try:
            digests = self._columns(part, DIGEST).column(0)
        except FileNotFoundError:
            return 0, 0
        return len(digests), pc.sum(digests.cast(pa.int64())).as_py() or 0

    def _columns(self, part: Part, *names: str) -> pa.Table:
        files, path = self._lake.path(part.file)
        with files.open_input_file(path) as file:
            return pq.ParquetFile(file).read(columns=list(names), use_threads=False)

    def _sweep(self, dataset: Dataset, new: Manifest, old: Manifest | None) -> None:
        """Take away the files of the last manifest that the new one lacks, and what a delivery that died left."""
        live, replaced = set(new.files()), set(old.files()) if old else set()
        before = self._lake.modified(_manifest_name(dataset)) - self._lake.grace
        for table in DELIVERED_TABLES:
            for info in self._lake.listing(_folder(dataset, table)):
                name = self._lake.named(info)
                if name not in live and (name in replaced or info.mtime <= before):
                    self._lake.remove(name)


def _manifest_name(dataset: Dataset) -> str:
    return f"{dataset.table}.json"


def _folder(dataset: Dataset, table: str) -> str:
    return dataset.table if table == "events" else f"{table}/{dataset.table}"


def _each(ask: Callable[[Part], Answer], parts: Sequence[Part]) -> Iterator[Answer]:
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        yield from threads.map(ask, parts)
