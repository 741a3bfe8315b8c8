"""One dataset's tables in DuckDB: every batch of the log in one transaction, all of it or nothing.

Tables grow by appends only; old versions are found in memory and closed, never rewritten; so a batch costs the
same at ten million rows as at a hundred thousand. What the transaction does, in order: versions, closings, gone
records, pane changes, alerts, rejects, ledger, position.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import date, datetime
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from citystream import panes, schema
from citystream.catalog.dataset import Dataset
from citystream.errors import StorageError
from citystream.panes import microseconds
from citystream.ports import Conformed, Detector, Fetch, Integers, Ledger, Visited
from citystream.store.changes import NEVER, Changes, Rows, compare, unique_ids
from citystream.store.codes import Codes
from citystream.store.database import first_line
from citystream.store.history import StoredHistory
from citystream.store.known_incidents import KnownIncidents
from citystream.store.memory import Memory
from citystream.store.raised import Raised
from citystream.store.tables import current
from citystream.store.writing import Writing

_DAY_ONLY = int(schema.TimePrecision.day)
_REPLAY = "citystream replay"


class DatasetStore:
    """The tables of *dataset*, under the private name *table* (its own, unless it is being rebuilt).

    *fold_after*: closings that may wait before they are folded into the versions; *load_after*: batches after
    which it is worth remembering every id instead of looking up each batch's own; *load_all_below*: ids that are
    few enough to be remembered at once.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        dataset: Dataset,
        detectors: Sequence[Detector],
        *,
        table: str = "",
        fold_after: int = 20_000,
        load_after: int = 20,
        load_all_below: int = 20_000,
    ) -> None:
        self.dataset = dataset
        self.table = table or dataset.table
        self._connection = connection
        self._detectors = tuple(detectors)
        self._fold_after = fold_after
        self._load_after = load_after
        self._load_all_below = load_all_below
        self._width = microseconds(dataset.pane)
        sliding = dataset.windows.sliding
        reach = sliding.size // sliding.pane if sliding else 1
        self._memory = Memory(connection, self.table, self._width, dataset.version is not None, reach)
        self._batches = 0
        self._pending = self._one(f"SELECT count(*) FROM core.{self.table}_closed")
        row = self._row("SELECT * EXCLUDE (dataset) FROM core.ledger WHERE dataset = ?", [self._key])
        self._ledger = Ledger(*row) if row else Ledger()
        self._position = self._read_position()

    @cached_property
    def _codes(self) -> Codes:
        """Read when a batch comes: many openings of the store only ask."""
        return Codes(self._connection, self.table)

    @cached_property
    def _alerts(self) -> dict[str, Raised]:
        return {d.name: Raised(self._connection, self.table, d.name) for d in self._detectors}

    @property
    def _key(self) -> str:
        """The name under which ledger and position are kept: a table being rebuilt has its own."""
        return self.dataset.name if self.table == self.dataset.table else self.table

    def position(self) -> int:
        """The log offset to go on from."""
        return self._position

    def ledger(self) -> Ledger:
        """Where every record so far went."""
        return self._ledger

    def apply(self, batch: Conformed) -> Ledger:
        """Everything of *batch* in one transaction, or nothing; the memory follows only after the commit.

        A batch that was applied before changes nothing; one that leaves a gap is refused.
        """
        if batch.next <= self._position:
            return self._ledger
        self._expect_no_gap(batch)
        coded = self._codes.encode(batch)
        rows = self._rows(batch, coded.types, coded.districts)
        ids, order = unique_ids(rows)
        self._recall(ids, rows.packed)
        before, found = self._memory.standing(ids)
        changes = compare(rows, order, ids, before)
        judged = {d.name: d.judge(self._memory.panes, changes.timed, self._alerts[d.name]) for d in self._detectors}
        ledger = self._counted(batch, changes)
        writing = Writing(self.dataset, self.table, self._key, batch, coded, changes, judged, ledger)
        folded = self._commit(writing, fold=self._pending + writing.to_fold >= self._fold_after)
        self._codes.accept(coded)
        self._memory.remember(changes, found)
        for name, judgement in judged.items():
            self._alerts[name].take(judgement.alerts)
        self._pending = 0 if folded else self._pending + writing.to_fold
        self._ledger, self._position = ledger, batch.next
        self._batches += 1
        return ledger

    def record_fetch(self, fetch: Fetch) -> None:
        """Remember a visit to the publisher, for those who look how it went; when it ended the log knows."""
        values = [getattr(fetch, field.name) for field in fields(Fetch)]
        try:
            self._connection.execute(f"INSERT INTO core.fetches VALUES ({', '.join('?' * len(values))})", values)
        except duckdb.Error as error:
            raise self._refusal("to remember a visit", error) from error

    def visits(self) -> int:
        """How many of the visits that the log has noted it knows."""
        return self._one("SELECT count(*) FROM core.visits WHERE dataset = ?", [self._key])

    def take_visits(self, first: int, visits: Sequence[Visited]) -> None:
        """The log's *visits* from number *first* on, all or none of them; those that it knows change nothing."""
        known = self.visits()
        if first > known:
            raise StorageError(f"{self.dataset.name}: visit {known} is missing", f"run: {_REPLAY} {self.dataset.name}")
        new = visits[known - first :]
        if not new:
            return
        rows = pa.table(
            {
                "dataset": pa.repeat(pa.scalar(self._key), len(new)),
                "number": np.arange(known, known + len(new)),
                "off": np.array([each.off for each in new], np.int64),
                "finished_at": pa.array([each.finished_at for each in new], pa.timestamp("us")),
                "whole": [each.whole for each in new],
            }
        )
        self._connection.register("appended", rows)
        try:
            self._connection.execute("INSERT INTO core.visits SELECT * FROM appended")
        except duckdb.Error as error:
            raise self._refusal("to remember when visits ended", error) from error
        finally:
            self._connection.unregister("appended")

    def newest(self) -> datetime | None:
        """When (UTC) the newest of all records was fetched; None if there is none."""
        row = self._row("SELECT max(fetched_at) FROM core.commits WHERE dataset = ?", [self._key])
        return row[0] if row else None

    def history(self, incidents: KnownIncidents | None = None) -> StoredHistory:
        """What became of its records, for detectors that follow; *incidents*: those that this process knows of."""
        return StoredHistory(self._connection, self.dataset, self.table, self._key, incidents)

    def last_fetch(self, *modes: str, source: str = "") -> Fetch | None:
        """The newest visit (of one of these *modes*, to this *source*) that brought something."""
        row = self._row(
            "SELECT * FROM core.fetches WHERE dataset = ? AND state NOT IN ('refused', 'gone') "
            "AND (? = [] OR list_contains(?, mode)) AND ? IN ('', source) "
            "ORDER BY finished_at DESC, rowid DESC LIMIT 1",
            [self.dataset.name, list(modes), list(modes), source],
        )
        return Fetch(*row) if row else None

    def last_state(self, source: str = "") -> str:
        """How the newest visit of all (to this *source*) ended; '' if there was none."""
        row = self._row(
            "SELECT state FROM core.fetches WHERE dataset = ? AND ? IN ('', source) "
            "ORDER BY finished_at DESC, rowid DESC LIMIT 1",
            [self.dataset.name, source],
        )
        return str(row[0]) if row else ""

    def current_ids(self, first: date | None = None, last: date | None = None) -> pa.Array:
        """The record ids of all current events, sorted; of those that occurred on local days from *first* to *last*
        only, both included, if one is given.
        """
        sql = current(self.table, "versions", "coalesce(x.event_id, x.k::VARCHAR) AS event_id")
        bounds = {">=": first, "<=": last}
        within = "".join(f" AND x.occurred_local::DATE {sign} ?" for sign, day in bounds.items() if day)
        days = [day for day in bounds.values() if day]
        ids: pa.Table = self._connection.sql(f"{sql}{within} ORDER BY 1", params=days).to_arrow_table()
        return ids["event_id"].combine_chunks()

    def _expect_no_gap(self, batch: Conformed) -> None:
        first = batch.next - len(batch.rows) - len(batch.rejects)
        if first != self._position:
            raise StorageError(
                f"{self.dataset.name}: the store stands at offset {self._position}, the batch begins at {first}",
                f"run: {_REPLAY} {self.dataset.name}",
            )

    def _rows(self, batch: Conformed, types: Integers, districts: Integers) -> Rows:
        """The batch's columns as NumPy arrays, with packed pane keys."""
        rows = batch.rows
        gone = rows["gone"].to_numpy(zero_copy_only=False).astype(bool)
        occurred = rows["occurred_at"].cast(pa.int64())
        dated = rows["occurred_at"].is_valid().to_numpy(zero_copy_only=False)
        us = occurred.fill_null(0).to_numpy()
        timed = (rows["time_precision"].fill_null(0).to_numpy() != _DAY_ONLY).astype(np.int64)
        key = np.where(
            dated,
            panes.pack(types, districts, timed, us, self._width),
            panes.without_day(types, districts),
        )
        domestic = rows["domestic"].fill_null(False).to_numpy(zero_copy_only=False).astype(np.int64)
        version = rows["version"].fill_null(NEVER).to_numpy() if self.dataset.version is not None else None
        fetched = rows["fetched_at"].cast(pa.int64()).to_numpy() // 1_000_000
        packed = np.where(gone, 0, key << 1 | domestic)
        return Rows(
            rows["k"].to_numpy(),
            rows["off"].to_numpy(),
            rows["h"].fill_null(0).to_numpy(),
            gone,
            packed,
            version,
            fetched,
        )

    def _recall(self, ids: Integers, packed: Integers) -> None:
        """Have in memory what this batch needs: everything, once many batches came or there is little."""
        if self._memory.whole:
            return
        if self._batches >= self._load_after or self._ledger.inserted < self._load_all_below:
            self._memory.load_all()
        else:
            self._memory.load_for(ids, packed)

    def _counted(self, batch: Conformed, changes: Changes) -> Ledger:
        was = self._ledger
        return Ledger(
            received=was.received + len(batch.rows) + len(batch.rejects),
            inserted=was.inserted + changes.inserted,
            revised=was.revised + changes.revised,
            unchanged=was.unchanged + changes.unchanged,
            rejected=was.rejected + len(batch.rejects),
            vanished=was.vanished + changes.vanished,
            returned=was.returned + changes.returned,
        )

    def _commit(self, writing: Writing, *, fold: bool) -> bool:
        """The transaction; True if the pending closings were folded in it."""
        try:
            self._connection.execute("BEGIN")
            writing.write(self._connection)
            if fold:
                writing.fold(self._connection)
            self._connection.execute("COMMIT")
        except duckdb.Error as error:
            self._roll_back()
            raise self._refusal(f"a batch at offset {self._position}", error) from error
        except BaseException:
            self._roll_back()
            raise
        return fold

    def _refusal(self, what: str, error: duckdb.Error) -> StorageError:
        return StorageError(
            f"{self.dataset.name}: the store refused {what}: {first_line(error)}",
            "free some space if the disk is full, then run again: it goes on where it stopped",
        )

    def _roll_back(self) -> None:
        """Leave the transaction; a database that has given up altogether cannot, and needs not."""
        with suppress(duckdb.Error):
            self._connection.execute("ROLLBACK")

    def _read_position(self) -> int:
        row = self._row("SELECT log_offset FROM core.positions WHERE dataset = ?", [self._key])
        return int(row[0]) if row else 0

    def _row(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        rows: list[tuple[Any, ...]] = self._connection.execute(sql, list(values)).fetchall()
        return rows[0] if rows else None

    def _one(self, sql: str, values: Sequence[object] = ()) -> int:
        row = self._row(sql, values)
        return int(row[0]) if row else 0
