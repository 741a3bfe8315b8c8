"""One dataset's tables in DuckDB: every batch of the log in one transaction, all of it or nothing.

Tables grow by appends only; old versions are found in memory and closed, never rewritten; so a batch costs the
same at ten million rows as at a hundred thousand. What the transaction does, in order: versions, closings, gone
records, pane changes, alerts, rejects, ledger, position.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from citystream import schema
from citystream.catalog.dataset import Dataset
from citystream.errors import StorageError
from citystream.ports import Conformed, Detector, Fetch, Integers, Judgement, Ledger, RaisedAlerts
from citystream.store import tables
from citystream.store.changes import NEVER, OPEN, Changes, Rows, compare, unique_ids
from citystream.store.codes import Codes
from citystream.store.database import first_line
from citystream.store.memory import Memory
from citystream.windows import panes
from citystream.windows.panes import microseconds

_NONE = np.empty(0, np.int64)
_NO_ALERTS = RaisedAlerts(_NONE, _NONE, _NONE)
_DAY_ONLY = int(schema.TimePrecision.day)


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
        self._codes = Codes(connection, self.table)
        self._batches = 0
        self._pending = self._one(f"SELECT count(*) FROM core.{self.table}_closed")
        self._alerts = {detector.name: self._raised(detector.name) for detector in detectors}
        row = self._row("SELECT * EXCLUDE (dataset) FROM core.ledger WHERE dataset = ?", [self._key])
        self._ledger = Ledger(*row) if row else Ledger()
        self._position = self._read_position()

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

        A batch that was applied before changes nothing; one that leaves a gap is refused."""
        if batch.next <= self._position:
            return self._ledger
        self._expect_no_gap(batch)
        coded = self._codes.encode(batch)
        rows = self._rows(batch, coded.types, coded.districts)
        ids, order = unique_ids(rows)
        self._recall(ids, rows.packed)
        before, found = self._memory.standing(ids)
        changes = compare(rows, order, ids, before)
        judged = {
            d.name: d.judge(self._memory.panes, changes.timed, self._alerts[d.name]) for d in self._detectors
        }
        ledger = self._counted(batch, changes)
        folded = self._commit(batch, coded.additions, coded.meaning, changes, judged, ledger)
        self._codes.accept(coded)
        self._memory.remember(changes, found)
        for name, judgement in judged.items():
            self._alerts[name] = _merged(self._alerts[name], judgement.alerts)
        self._pending = 0 if folded else self._pending + len(changes.closed_off)
        self._ledger, self._position = ledger, batch.next
        self._batches += 1
        return ledger

    def record_fetch(self, fetch: Fetch) -> None:
        """Remember a visit to the publisher."""
        values = [getattr(fetch, field.name) for field in fields(Fetch)]
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO core.fetches VALUES ({marks})", values)

    def last_fetch(self, mode: str | None = None) -> Fetch | None:
        """The newest visit (of this *mode*) that was not refused."""
        row = self._row(
            "SELECT * FROM core.fetches WHERE dataset = ? AND state <> 'refused' AND (? IS NULL OR mode = ?) "
            "ORDER BY finished_at DESC LIMIT 1",
            [self.dataset.name, mode, mode],
        )
        return Fetch(*row) if row else None

    def current_ids(self) -> pa.Array:
        """The record ids of all current events, sorted."""
        sql = (
            f"SELECT x.event_id FROM core.{self.table}_versions x LEFT JOIN core.{self.table}_closed c "
            f"ON c.off = x.off WHERE x.valid_to = {OPEN} AND c.off IS NULL ORDER BY 1"
        )
        ids: pa.Table = self._connection.execute(sql).to_arrow_table()
        return ids["event_id"].combine_chunks()

    def _expect_no_gap(self, batch: Conformed) -> None:
        first = batch.next - len(batch.rows) - len(batch.rejects)
        if first != self._position:
            raise StorageError(
                f"{self.dataset.name}: the store stands at offset {self._position}, the batch begins at {first}",
                "run: citystream replay " + self.dataset.name,
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

    def _commit(
        self,
        batch: Conformed,
        additions: dict[str, pa.Table],
        meaning: Integers,
        changes: Changes,
        judged: dict[str, Judgement],
        ledger: Ledger,
    ) -> bool:
        """The transaction; True if the pending closings were folded in it."""
        self._connection.execute("BEGIN")
        try:
            for name, added in additions.items():
                self._append(name, added)
            self._append("versions", self._version_rows(batch, meaning, changes))
            self._append("closed", pa.table({"off": changes.closed_off, "valid_to": changes.closed_to}))
            self._append("gone", _gone_rows(changes))
            self._append(
                "touched", pa.table({"k": changes.touched_k, "version": changes.touched_version})
            )
            self._append("panes", self._pane_rows(changes))
            for name, judgement in judged.items():
                self._replace_alerts(name, judgement)
            self._append("rejects", batch.rejects)
            folded = self._fold(len(changes.closed_off))
            self._move_on(batch, ledger)
            self._connection.execute("COMMIT")
        except duckdb.Error as error:
            self._roll_back()
            raise StorageError(
                f"{self.dataset.name}: the store refused a batch at offset {self._position}: {first_line(error)}",
                "free some space if the disk is full, then run again: it goes on where it stopped",
            ) from error
        except BaseException:
            self._roll_back()
            raise
        return folded

    def _roll_back(self) -> None:
        """Leave the transaction; a database that has given up altogether cannot, and needs not."""
        with suppress(duckdb.Error):
            self._connection.execute("ROLLBACK")

    def _append(self, suffix: str, rows: pa.Table) -> None:
        if not len(rows):
            return
        self._connection.register("appended", rows)
        columns = ", ".join(f'"{name}"' for name in rows.column_names)
        self._connection.execute(
            f"INSERT INTO core.{self.table}_{suffix} ({columns}) SELECT * FROM appended"
        )
        self._connection.unregister("appended")

    def _version_rows(self, batch: Conformed, meaning: Integers, changes: Changes) -> pa.Table:
        names = tables.content(self.dataset).names
        rows = batch.rows
        if len(changes.row) < len(rows):
            rows = rows.take(pa.array(changes.row))
            meaning = meaning[changes.row]
        columns = {name: rows[name] for name in names}
        columns["meaning"] = pa.array(meaning, pa.int32())
        first = pa.array(changes.first * 1_000_000, pa.timestamp("us"))
        return pa.table(
            columns
            | {
                "version": rows["version"],
                "h": rows["h"],
                "change": pa.array(changes.change),
                "first_seen_at": first,
                "changed_at": rows["fetched_at"],
                "off": rows["off"],
                "valid_to": pa.array(changes.valid_to),
            }
        )

    def _pane_rows(self, changes: Changes) -> pa.Table:
        key = changes.pane_key
        return pa.table(
            {
                **_series(key),
                "timed": panes.is_timed(key),
                "pane": panes.pane_of(key),
                "n": changes.pane_n,
                "domestic": changes.pane_domestic,
            }
        )

    def _replace_alerts(self, name: str, judgement: Judgement) -> None:
        rows = judgement.alerts
        if len(rows.key):
            alerts = pa.table(
                {
                    "detector": [name] * len(rows.key),
                    **_series(rows.key),
                    "pane": panes.pane_of(rows.key),
                    "observed": judgement.observed,
                    "raised_at": rows.raised_at,
                    "withdrawn_at": rows.withdrawn_at,
                }
            )
            self._connection.register("judged", alerts)
            self._connection.execute(
                f"DELETE FROM core.{self.table}_alerts a USING judged j WHERE a.detector = j.detector "
                "AND a.type = j.type AND a.district = j.district AND a.pane = j.pane"
            )
            self._connection.unregister("judged")
            self._append("alerts", alerts)
        moved = {
            "detector": [name] * len(judgement.moved_key),
            **_series(judgement.moved_key),
            "pane": panes.pane_of(judgement.moved_key),
            "off": judgement.moved_off,
            "up": judgement.moved_up,
        }
        self._append("alert_moves", pa.table(moved))

    def _fold(self, closings: int) -> bool:
        """Write the pending closings into the versions, once they are many."""
        if self._pending + closings < self._fold_after:
            return False
        for suffix in ("versions", "gone"):
            self._connection.execute(
                f"UPDATE core.{self.table}_{suffix} SET valid_to = c.valid_to "
                f"FROM core.{self.table}_closed c WHERE core.{self.table}_{suffix}.off = c.off"
            )
        self._connection.execute(f"DELETE FROM core.{self.table}_closed")
        return True

    def _move_on(self, batch: Conformed, ledger: Ledger) -> None:
        """Ledger, position and the times of fetching."""
        name = self._key
        counts = [getattr(ledger, field.name) for field in fields(Ledger)]
        fetched = batch.fetches[-1][1] if batch.fetches else None
        known = self._row("SELECT 1 FROM core.ledger WHERE dataset = ?", [name])
        if known:
            sets = ", ".join(f"{field.name} = ?" for field in fields(Ledger))
            self._connection.execute(f"UPDATE core.ledger SET {sets} WHERE dataset = ?", [*counts, name])
            self._connection.execute(
                "UPDATE core.positions SET log_offset = ?, fetched_at = ? WHERE dataset = ?",
                [batch.next, fetched, name],
            )
        else:
            self._connection.execute("INSERT INTO core.ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [name, *counts])
            self._connection.execute("INSERT INTO core.positions VALUES (?, ?, ?)", [name, batch.next, fetched])
        for off, at in batch.fetches:
            self._connection.execute("INSERT INTO core.commits VALUES (?, ?, ?)", [name, off, at])

    def _raised(self, detector: str) -> RaisedAlerts:
        rows = self._connection.execute(
            f"SELECT ((type::BIGINT << 14 | district) << 1 | 1) << 22 | (pane + 2097152) AS key, raised_at, "
            f"withdrawn_at FROM core.{self.table}_alerts WHERE detector = ? ORDER BY key",
            [detector],
        ).fetchnumpy()
        return RaisedAlerts(rows["key"], rows["raised_at"], rows["withdrawn_at"])

    def _read_position(self) -> int:
        row = self._row("SELECT log_offset FROM core.positions WHERE dataset = ?", [self._key])
        return int(row[0]) if row else 0

    def _row(self, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(sql, list(values)).fetchone()
        return row

    def _one(self, sql: str) -> int:
        row = self._row(sql)
        return int(row[0]) if row else 0


def _series(key: Integers) -> dict[str, Integers]:
    return {"type": panes.type_of(key), "district": panes.district_of(key)}


def _gone_rows(changes: Changes) -> pa.Table:
    return pa.table(
        {
            "k": changes.gone_k,
            "off": changes.gone_off,
            "version_off": changes.gone_version,
            "vanished_at": pa.array(changes.gone_fetched * 1_000_000, pa.timestamp("us")),
            "valid_to": changes.gone_to,
        }
    )


def _merged(old: RaisedAlerts, new: RaisedAlerts) -> RaisedAlerts:
    """*old* with the rows of *new* in place of those with the same key, sorted."""
    kept = ~np.isin(old.key, new.key)
    key = np.concatenate([old.key[kept], new.key])
    order = np.argsort(key, kind="stable")
    raised = np.concatenate([old.raised_at[kept], new.raised_at])[order]
    withdrawn = np.concatenate([old.withdrawn_at[kept], new.withdrawn_at])[order]
    return RaisedAlerts(key[order], raised, withdrawn)
