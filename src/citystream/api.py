"""citystream from Python: open a data folder and ask, or take files in.

All public names are in `citystream.__all__`; import them from there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from citystream import registry
from citystream.app import App, Outcome
from citystream.config import load
from citystream.errors import (
    CitystreamError,
    FileRefused,
    PortalError,
    QueryError,
    StorageError,
    UnknownName,
)
from citystream.ports import Ledger
from citystream.store.status import DatasetStatus

if TYPE_CHECKING:
    import pandas
    import polars

    from citystream.catalog.dataset import Dataset

__all__ = [
    "Answer",
    "CitystreamError",
    "DatasetStatus",
    "FileRefused",
    "Ledger",
    "Outcome",
    "PortalError",
    "QueryError",
    "StorageError",
    "Store",
    "UnknownName",
    "__version__",
    "import_files",
    "open",
]

__version__: str = version("citystream")


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The rows that answer a question.

    Iterating gives one dictionary a row. Anything that reads the Arrow C stream interface can take it as it is.
    """

    _table: pa.Table

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return list(self._table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self._table.to_batches():
            yield from batch.to_pylist()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def arrow(self) -> pa.Table:
        """As a `pyarrow.Table`; nothing is copied."""
        return self._table

    def pandas(self) -> pandas.DataFrame:
        """As a `pandas.DataFrame`; needs pandas."""
        registry.load_path("pandas:DataFrame", extra="pandas")
        frame: pandas.DataFrame = self._table.to_pandas()
        return frame

    def polars(self) -> polars.DataFrame:
        """As a `polars.DataFrame`; needs polars."""
        frame: polars.DataFrame = registry.load_path("polars:from_arrow", extra="polars")(self._table)
        return frame


class Store:
    """A data folder opened for questions; it never writes. Use it in a ``with``, or `close` it.

    It shows one consistent state: what was committed when it was opened.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._reader = app.reader()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file, so that a writer can have it."""
        self._reader.close()

    @property
    def datasets(self) -> Mapping[str, Dataset]:
        """The datasets in this store by name: title, kind, notice, lag, columns."""
        return self._reader.datasets

    def query(self, sql: str, as_of: str | int | date | datetime | None = None) -> Answer:
        """The answer to one SELECT over the public tables: events, daily, sliding, alerts, revisions, ...

        *as_of*: as it was known at the end of that day, at that time (UTC), or at an offset of the log. Rows of
        different kinds (incident, call, ...) must not be added up. Raises `QueryError`.
        """
        return Answer(self._reader.query(sql, as_of))

    def status(self) -> list[DatasetStatus]:
        """Where every dataset stands: events, newest event, last visit, ledger, alerts, rejects, pending."""
        return self._app.status(self._reader)


def open(folder: str | os.PathLike[str] = "citystream-data") -> Store:  # noqa: A001 -- as a user says it: citystream.open
    """The store in *folder*, for reading. Raises `StorageError` if there is none, or if a writer keeps it."""
    return Store(_app(folder))


def import_files(
    dataset: str,
    *files: str | os.PathLike[str],
    data: str | os.PathLike[str] = "citystream-data",
    complete: bool = False,
    encoding: str = "utf-8",
) -> Outcome:
    """Take published *files* of *dataset* into the folder *data*, each whole or not at all.

    A file twice changes nothing. *complete*: each file is everything the publisher has, so that what it lacks is
    gone. Raises `UnknownName`,
    `FileRefused`, or `StorageError`.
    """
    return _app(data).import_files(dataset, [Path(file) for file in files], encoding=encoding, complete=complete)


def _app(folder: str | os.PathLike[str]) -> App:
    return App(load({"data": Path(folder)}, os.environ))
