"""What one transaction writes: rows appended to a dataset's tables, its alerts as they stand, its ledger moved on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream import panes
from citystream.catalog.dataset import Dataset
from citystream.ports import Conformed, Integers, Judgement, Ledger
from citystream.store import tables
from citystream.store.changes import Changes
from citystream.store.codes import Coded


@dataclass(frozen=True, slots=True)
class Writing:
    """A batch and everything that follows from it, ready to be written.

    *table* is the private name of the tables, *key* the name under which ledger and position are kept."""

    dataset: Dataset
    table: str
    key: str
    batch: Conformed
    coded: Coded
    changes: Changes
    judged: Mapping[str, Judgement]
    ledger: Ledger

    def write(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write it all, inside a transaction that the caller began."""
        changes = self.changes
        for name, added in self.coded.additions.items():
            self._append(connection, name, added)
        numbered = {tables.INCIDENT: tables.INCIDENT_SQL} if tables.has_incidents(self.dataset) else {}
        self._append(connection, "versions", self._version_rows(), numbered)
        self._append(connection, "closed", pa.table({"off": changes.closed_off, "valid_to": changes.closed_to}))
        self._append(connection, "gone", self._gone_rows())
        touched = {"k": changes.touched_k, "version": changes.touched_version}
        self._append(connection, "touched", pa.table(touched))
        self._append(connection, "panes", self._pane_rows())
        for name, judgement in self.judged.items():
            self._append_alerts(connection, name, judgement)
        self._append(connection, "rejects", self.batch.rejects)
        self._move_on(connection)

    @property
    def to_fold(self) -> int:
        """Rows of this transaction that `fold` would make unnecessary."""
        return len(self.changes.closed_off) + sum(len(judgement.alerts.key) for judgement in self.judged.values())

    def fold(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Write the pending closings into the versions they close, and leave only the newest row of each alert."""
        for suffix in ("versions", "gone"):
            connection.execute(
                f"UPDATE core.{self.table}_{suffix} SET valid_to = c.valid_to "
                f"FROM core.{self.table}_closed c WHERE core.{self.table}_{suffix}.off = c.off"
            )
        connection.execute(f"DELETE FROM core.{self.table}_closed")
        key = "detector, type, district, pane"
        connection.execute(
            f"DELETE FROM core.{self.table}_alerts a USING (SELECT {key}, max(off) AS newest "
            f"FROM core.{self.table}_alerts WHERE up IS NULL GROUP BY ALL) n "
            "WHERE a.detector = n.detector AND a.type = n.type AND a.district = n.district AND a.pane = n.pane "
            "AND a.off < n.newest AND a.up IS NULL"
        )

    def _append(
        self,
        connection: duckdb.DuckDBPyConnection,
        suffix: str,
        rows: pa.Table,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Append *rows*, and columns that SQL makes *more* of them."""
        if not len(rows):
            return
        connection.register("appended", rows)
        columns = ", ".join(f'"{name}"' for name in (*rows.column_names, *more))
        made = "".join(f", {sql}" for sql in more.values())
        connection.execute(f"INSERT INTO core.{self.table}_{suffix} ({columns}) SELECT *{made} FROM appended")
        connection.unregister("appended")

    def _version_rows(self) -> pa.Table:
        rows, meaning = self.batch.rows, self.coded.meaning
        if len(self.changes.row) < len(rows):
            rows, meaning = rows.take(pa.array(self.changes.row)), meaning[self.changes.row]
        columns = {name: rows[name] for name in tables.content(self.dataset).names}
        columns["meaning"] = pa.array(meaning, pa.int32())
        columns["event_id"] = _spelled(rows["k"], rows["event_id"])
        kept = {
            "version": rows["version"],
            "h": rows["h"],
            "change": pa.array(self.changes.change),
            "first_seen_at": _seconds(self.changes.first),
            "changed_at": rows["fetched_at"],
            "off": rows["off"],
            "valid_to": pa.array(self.changes.valid_to),
        }
        return pa.table(columns | kept)

    def _gone_rows(self) -> pa.Table:
        return pa.table(
            {
                "k": self.changes.gone_k,
                "off": self.changes.gone_off,
                "version_off": self.changes.gone_version,
                "vanished_at": _seconds(self.changes.gone_fetched),
                "valid_to": self.changes.gone_to,
            }
        )

    def _pane_rows(self) -> pa.Table:
        key = self.changes.pane_key
        counts = {"n": self.changes.pane_n, "domestic": self.changes.pane_domestic}
        return pa.table({**_series(key), "timed": panes.is_timed(key), "pane": panes.pane_of(key), **counts})

    def _append_alerts(self, connection: duckdb.DuckDBPyConnection, name: str, judgement: Judgement) -> None:
        """Alerts as they stand now (the newest row of each is the one that counts), and how they came there."""
        rows = judgement.alerts
        key = np.concatenate([rows.key, judgement.moved_key])
        moved = len(judgement.moved_key)
        standing = np.full(len(rows.key), self.batch.next - 1)
        alerts = {
            "detector": [name] * len(key),
            **_series(key),
            "pane": panes.pane_of(key),
            "off": np.concatenate([standing, judgement.moved_off]),
            "up": pa.concat_arrays([pa.nulls(len(rows.key), pa.bool_()), pa.array(judgement.moved_up, pa.bool_())]),
            "observed": _then_null(judgement.observed, moved),
            "raised_at": _then_null(rows.raised_at, moved),
            "withdrawn_at": _then_null(rows.withdrawn_at, moved),
        }
        self._append(connection, "alerts", pa.table(alerts))

    def _move_on(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Ledger, position and the times of fetching."""
        counts = [getattr(self.ledger, field.name) for field in fields(Ledger)]
        fetched = self.batch.fetches[-1][1] if self.batch.fetches else None
        sets = ", ".join(f"{field.name} = ?" for field in fields(Ledger))
        updated = connection.execute(f"UPDATE core.ledger SET {sets} WHERE dataset = ?", [*counts, self.key]).fetchall()
        if updated[0][0]:
            connection.execute(
                "UPDATE core.positions SET log_offset = ?, fetched_at = ? WHERE dataset = ?",
                [self.batch.next, fetched, self.key],
            )
        else:
            connection.execute("INSERT INTO core.ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [self.key, *counts])
            connection.execute("INSERT INTO core.positions VALUES (?, ?, ?)", [self.key, self.batch.next, fetched])
        for off, at in self.batch.fetches:
            connection.execute("INSERT INTO core.commits VALUES (?, ?, ?)", [self.key, off, at])


def _spelled(k: pa.ChunkedArray, event_id: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Ids that are whole numbers are kept as their key `k` (never negative then) and not once more as text."""
    is_number = pc.greater_equal(k, 0)
    if pc.all(is_number).as_py():
        return pa.nulls(len(k), pa.string())
    return pc.if_else(is_number, pa.scalar(None, pa.string()), event_id)


def _then_null(values: Integers, more: int) -> pa.Array:
    return pa.concat_arrays([pa.array(values, pa.int64()), pa.nulls(more, pa.int64())])


def _series(key: Integers) -> dict[str, Integers]:
    return {"type": panes.type_of(key), "district": panes.district_of(key)}


def _seconds(values: Integers) -> pa.Array:
    return pa.array(values * 1_000_000, pa.timestamp("us"))
