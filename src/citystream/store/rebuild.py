"""Tables of one dataset made anew beside those in use, compared with them, and put in their place."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import duckdb

from citystream.catalog.dataset import Dataset
from citystream.ports import Detector
from citystream.store import tables
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.views import DatasetViews

_SHARED = ("positions", "ledger", "commits", "visits")
_COMPARED = ("records", "vanished", "revisions", "rejects", "daily", "sliding", "alerts")


class DatasetRebuild:
    """A rebuild of *dataset*; the private names of its tables begin with ``new_``."""

    def __init__(self, database: Database, dataset: Dataset, detectors: Sequence[Detector]) -> None:
        self._database = database
        self._dataset = dataset
        self._table = f"new_{dataset.table}"
        self.abandon()
        database.connection.execute(tables.create(dataset, self._table))
        self._store = DatasetStore(database.connection, dataset, detectors, table=self._table)

    @property
    def store(self) -> DatasetStore:
        """Where the records go."""
        return self._store

    def differences(self) -> dict[str, int]:
        """Rows in which old and new tables differ, by public table; all of them where the columns differ."""
        known = self._database.datasets.get(self._dataset.name)
        if known is None:
            return {}
        old, new = DatasetViews(known), DatasetViews(self._dataset, table=self._table)
        return {name: self._differing(getattr(old, name)(), getattr(new, name)()) for name in _COMPARED}

    def take_over(self) -> None:
        """Put the new tables in the place of the old, in one transaction."""
        connection = self._database.connection
        name, table = self._dataset.name, self._dataset.table
        connection.execute("BEGIN")
        try:
            self._database.drop_views()
            connection.execute(tables.drop(table))
            connection.execute(tables.rename(self._table, table))
            for shared in _SHARED:
                connection.execute(f"DELETE FROM core.{shared} WHERE dataset = ?", [name])
                connection.execute(f"UPDATE core.{shared} SET dataset = ? WHERE dataset = ?", [name, self._table])
            self._database.register(self._dataset)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            raise

    def abandon(self) -> None:
        """Remove the new tables; the old ones stay as they are."""
        connection = self._database.connection
        with suppress(duckdb.Error):
            connection.execute(tables.drop(self._table))
            for shared in _SHARED:
                connection.execute(f"DELETE FROM core.{shared} WHERE dataset = ?", [self._table])

    def _differing(self, old: str, new: str) -> int:
        sql = f"SELECT count(*) FROM (({old}) EXCEPT ALL ({new}) UNION ALL (({new}) EXCEPT ALL ({old})))"
        try:
            rows = self._database.connection.execute(sql).fetchall()
        except duckdb.BinderException:
            rows = self._database.connection.execute(f"SELECT count(*) FROM ({new})").fetchall()
        return int(rows[0][0])
