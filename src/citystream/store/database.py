"""The file ``citystream.duckdb``: opening it, its shared tables, and which datasets are in it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final

import duckdb

from citystream.catalog.crosswalk import Crosswalk
from citystream.catalog.dataset import Dataset
from citystream.disclosure import taking_changed
from citystream.errors import NoStore, StorageError, StoreBusy
from citystream.store import tables
from citystream.store.views import UNIONS, statements

FILE = "citystream.duckdb"

#: A lock on a file is the whole process's: whoever closes it anywhere lets go of it everywhere. So nobody opens the
#: store while another thread closes it for the last time, or others could write to what is being read.
_OPENING: Final = Lock()


def first_line(error: BaseException) -> str:
    """The first line of an error of the library beneath."""
    return str(error).strip().split("\n", 1)[0]


def connect(
    folder: Path, *, read_only: bool, memory_limit: str = "700MB", threads: int = 2
) -> duckdb.DuckDBPyConnection:
    """Open the store in *folder*; raises `StoreBusy` if another process writes to it."""
    path = folder / FILE
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
    }
    try:
        if not read_only:
            folder.mkdir(parents=True, exist_ok=True)
            _create(path)
        with _OPENING:
            connection = duckdb.connect(str(path), read_only=read_only, config=settings)
        connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
    except (OSError, duckdb.Error) as error:
        raise _translated(error, path) from error
    return connection


def disconnect(connection: duckdb.DuckDBPyConnection) -> None:
    """Close what `connect` opened."""
    with _OPENING:
        connection.close()


_BUSY = "wait until it has finished, or stop it, and try again"
#: What the database says -> what it means to a person; the first that fits.
_CAUSES: tuple[tuple[str, type[StorageError], str, str], ...] = (
    ("Conflicting lock", StoreBusy, "another process{who} is using the store {path}", _BUSY),
    ("being used by another process", StoreBusy, "another process{who} is using the store {path}", _BUSY),
    ("file with a different configuration", StoreBusy, "this process is using the store {path} already", _BUSY),
    ("Catalog Error", StorageError, "{path} is not a store of citystream: {text}", "choose another folder with --data"),
    ("Parser Error", StorageError, "memory_limit: {text}", "write for example 700MB or 2GB"),
    *(
        (
            words,
            StorageError,
            "the store {path} is damaged: {text}",
            "set {path} and its .wal aside and repeat the command: the tables are made anew from the log",
        )
        for words in ("not a valid DuckDB database", "WAL", "checksum")
    ),
)


def _translated(error: Exception, path: Path) -> StorageError:
    text = first_line(error)
    if not path.exists() and "does not exist" in text:
        return NoStore(f"there is no store at {path}", "run: citystream import, or citystream run, first")
    process = text.partition("held in ")[2].partition(" (PID ")[2].partition(")")[0]
    who = f" (process {process})" if process else ""
    for words, kind, message, hint in _CAUSES:
        if words in text:
            return kind(message.format(path=path, text=text, who=who), hint.format(path=path))
    return StorageError(f"the store {path} cannot be opened: {text}", "check the folder, its rights and the disk")


#: Goes up whenever the private tables change their shape.
LAYOUT = 5

#: What a definition says about the publisher and the feed, and not about what its rows become.
_SHAPELESS = {
    "crosswalk",
    "beats",
    "sources",
    "ingest",
    "title",
    "description",
    "publisher",
    "licence",
    "notice",
    "homepage",
    "lag",
    "cadence",
    "series_breaks",
    "overlap",
    "measures",  # what of them becomes a column is an attribute; the rest is in the views
    "stations",
}


def fingerprint(dataset: Dataset) -> str:
    """What tells two definitions apart whose tables differ; another address or notice needs no replay."""
    inside = dataset.model_copy(update={"detectors": tables.inside(dataset)})
    said = inside.model_dump_json(exclude=_SHAPELESS) + repr(sorted(dataset.crosswalk.entries.items()))
    following = repr([rule.model_dump() for rule in dataset.detectors if rule.follows])
    return _digest(said) + (f"-{_digest(following)[:4]}" if following != "[]" else "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without_following(mark: str) -> str:
    """A fingerprint without what it says of detectors that follow, which need no replay to be asked otherwise."""
    return mark.partition("-")[0]


def _taking(known: Dataset, dataset: Dataset) -> str:
    """What a replay cannot do about columns that are taken now, or no longer, behind its command."""
    changed = taking_changed(known, dataset)
    return f" ({changed})" if changed else ""


def _said(dataset: Dataset) -> str:
    """A definition as it is written down."""
    return dataset.model_dump_json(exclude={"crosswalk"})


def _create(path: Path) -> None:
    """Make an empty store, unless there is one: whole or not at all, also if the disk is full or the power goes."""
    if path.exists() and (path.is_dir() or path.stat().st_size):
        return
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    try:
        duckdb.connect(str(new)).close()
        # a journal without its database says nothing: all that it could say is in the log
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def patiently(
    folder: Path, patience: float, *, read_only: bool, memory_limit: str = "700MB", threads: int = 2
) -> duckdb.DuckDBPyConnection:
    """`connect`, once nobody is in the way, for which it waits up to *patience* seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            return connect(folder, read_only=read_only, memory_limit=memory_limit, threads=threads)
        except StoreBusy:
            if time.monotonic() >= until:
                raise
            time.sleep(0.1)


@contextmanager
def refusals(folder: Path) -> Iterator[None]:
    """What the database beneath refuses, as a `StorageError`."""
    try:
        yield
    except duckdb.Error as error:
        raise _translated(error, folder / FILE) from error


class Database:
    """The store opened for writing. Datasets are added as they are needed, and the public views follow.

    *patience*: seconds to wait for readers to let go.
    """

    def __init__(self, folder: Path, *, memory_limit: str = "700MB", threads: int = 2, patience: float = 0) -> None:
        self.folder = folder
        self.connection = patiently(folder, patience, read_only=False, memory_limit=memory_limit, threads=threads)
        try:
            with refusals(folder):
                self.connection.execute(tables.statement("shared"))
                self.connection.execute(
                    f"INSERT INTO core.layout SELECT {LAYOUT} WHERE NOT EXISTS (FROM core.layout) "
                    "AND NOT EXISTS (FROM core.datasets)"
                )
                check_layout(self.connection, folder)
                self._datasets = stored_datasets(self.connection)
                self._check_engine()
        except BaseException:
            disconnect(self.connection)
            raise

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        disconnect(self.connection)

    @property
    def datasets(self) -> Mapping[str, Dataset]:
        """The datasets in the store, by the definitions with which their tables were made."""
        return self._datasets

    def drop_views(self) -> None:
        """Remove the public views; `register` makes them anew."""
        for name in (*UNIONS, *(dataset.table for dataset in self._datasets.values())):
            self.connection.execute(f'DROP VIEW IF EXISTS "{name}"')

    def require(self, dataset: Dataset) -> None:
        """Make the dataset's tables and the public views, or check that they fit its definition."""
        known = self._datasets.get(dataset.name)
        if known is None:
            with refusals(self.folder):
                self.connection.execute("BEGIN")
                self.connection.execute(tables.create(dataset, dataset.table))
                self.register(dataset)
                self.connection.execute("COMMIT")
        elif tables.shape(known) != tables.shape(dataset):
            raise StorageError(
                f"{dataset.name}: the city file has other columns, windows or detectors than the store",
                f"run: citystream replay {dataset.name}{_taking(known, dataset)}",
            )
        elif self._may_be_said(dataset) and _said(known) != _said(dataset):
            with refusals(self.folder):
                self.register(dataset)

    def _may_be_said(self, dataset: Dataset) -> bool:
        """Whether the tables in use are what *dataset* would make."""
        return _without_following(self._made_by(dataset.name)) == _without_following(fingerprint(dataset))

    def _made_by(self, name: str) -> str:
        """The fingerprint of the definition by which a dataset's tables were made."""
        rows = self.connection.execute("SELECT fingerprint FROM core.datasets WHERE dataset = ?", [name]).fetchall()
        return str(rows[0][0])

    def register(self, dataset: Dataset) -> None:
        """Write down the definition by which the dataset's tables were made, and make the views anew."""
        self.connection.execute("DELETE FROM core.datasets WHERE dataset = ?", [dataset.name])
        self.connection.execute(
            "INSERT INTO core.datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                dataset.name,
                dataset.city.city,
                dataset.title,
                dataset.kind,
                dataset.city.timezone,
                dataset.notice,
                dataset.lag,
                tables.column_list(dataset),
                fingerprint(dataset),
                _said(dataset),
            ],
        )
        self._datasets = self._datasets | {dataset.name: dataset}
        for view in statements(self._datasets):
            self.connection.execute(view)

    def _check_engine(self) -> None:
        """Row hashes are the engine's own and may differ in another release: then they are made again."""
        rows = self.connection.execute("SELECT version FROM core.engine").fetchall()
        if rows == [(duckdb.__version__,)]:
            return
        self.connection.execute("BEGIN")
        if rows:
            for dataset in self._datasets.values():
                self.connection.execute(tables.rehash(dataset))
        self.connection.execute("DELETE FROM core.engine")
        self.connection.execute("INSERT INTO core.engine VALUES (?)", [duckdb.__version__])
        self.connection.execute("COMMIT")


def check_layout(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Raise `StorageError` if the tables were made by a release that shaped them otherwise."""
    try:
        found = connection.execute("SELECT number FROM core.layout").fetchall()
    except duckdb.CatalogException:
        if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'core'").fetchall():
            return  # whose database it is, its first question will show
        found = []
    if found != [(LAYOUT,)]:
        raise StorageError(
            f"the store {folder / FILE} was made by another release of citystream",
            "remove that file and run: citystream import DATASET, without files; it makes the tables anew from the log",
        )


def stored_datasets(connection: duckdb.DuckDBPyConnection) -> dict[str, Dataset]:
    """The datasets in a store, by the definitions with which their tables were made (without crosswalks)."""
    rows = connection.execute("SELECT definition FROM core.datasets ORDER BY dataset").fetchall()
    made = [_defined(row[0]) for row in rows]
    return {dataset.name: dataset for dataset in made}


@lru_cache(maxsize=256)
def _defined(text: str) -> Dataset:
    """The definition that *text* is; a process that follows reads the same ones every moment."""
    return Dataset.model_validate(json.loads(text) | {"crosswalk": Crosswalk()})


def cuts_at(
    connection: duckdb.DuckDBPyConnection, datasets: Sequence[str], offsets: Mapping[str, int]
) -> dict[str, int]:
    """The last offset that counts for each dataset: as given, never beyond what is stored."""
    rows = dict(connection.execute("SELECT dataset, log_offset FROM core.positions").fetchall())
    return {name: min(offsets.get(name, rows.get(name, 0) - 1), rows.get(name, 0) - 1) for name in datasets}


def signs(folder: Path) -> object:
    """What tells one state of the store's file in *folder* from another; None if there is none."""
    found = []
    for name in (FILE, f"{FILE}.wal"):
        with suppress(OSError):
            stat = (folder / name).stat()
            found.append((name, stat.st_ino, stat.st_mtime_ns, stat.st_size))
    return tuple(found) or None
