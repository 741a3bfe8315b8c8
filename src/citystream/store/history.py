"""What became of one dataset's records, as detectors that follow the store are told it, and their alerts."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from citystream import schema
from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import MeasureRule
from citystream.errors import StorageError
from citystream.ports import Followed, Integers
from citystream.store.database import first_line
from citystream.store.known_incidents import KnownIncidents
from citystream.store.stretch import ROWS, Stretch
from citystream.store.tables import INCIDENT, has_incidents, statement
from citystream.store.views import quoted

_COLUMNS = ", ".join(schema.EPISODE.names)
#: So many offsets are a short stretch, and so many a very short one, which is read as rows: that costs least then.
_SHORT, _VERY_SHORT = 20_000, 200


class StoredHistory:
    """The history of *dataset* in the tables of the private name *table*; *key*: the name of its position; *incidents*:
    those that are known from before.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        dataset: Dataset,
        table: str,
        key: str,
        incidents: KnownIncidents | None = None,
    ) -> None:
        self._incidents = incidents or KnownIncidents()
        self._number = INCIDENT if has_incidents(dataset) else "k"
        self._connection = connection
        self._dataset = dataset
        self._table = table
        self._key = key
        self._stretch: tuple[tuple[int, int], Stretch] | None = None
        self._clocks: dict[str, tuple[str, int]] = {}

    def moments(self, after: int) -> pa.Table:
        """`MOMENT`: everything that moved the clock from offset *after* on, in order."""
        sql = statement("moments").format(key=quoted(self._key), after=after)
        return self._table_of(sql, schema.MOMENT)

    def came(self, edges: Integers, before: Integers) -> tuple[Integers, Integers]:
        """How many records came for the first time between each two of the offsets *edges*, and how many of them
        occurred before the half hours *before*, one for each.
        """
        stretch = self._short((int(edges[0]), int(edges[-1])))
        if stretch:
            return stretch.came(edges, before)
        places = np.arange(len(before))
        pulses = pa.table({"place": places, "first": edges[:-1], "before": before})
        sql = statement("came").format(t=self._table, first=int(edges[0]), until=int(edges[-1]))
        self._connection.register("pulses", pulses)
        found = self._connection.sql(sql).to_arrow_table()
        self._connection.unregister("pulses")
        many, old = np.zeros(len(before), np.int64), np.zeros(len(before), np.int64)
        for counts, name in ((many, "many"), (old, "old")):
            counts[found["place"].to_numpy()] = found[name].to_numpy()
        return many, old

    def span(self, until: int) -> tuple[datetime, datetime] | None:
        """Between when (UTC) nearly all records before offset *until* occurred: a few claim to be from long ago."""
        rows = self._rows(
            "SELECT quantile_disc(occurred_at, 0.005), quantile_disc(occurred_at, 0.995) FROM core.{t}_versions "
            "WHERE off < ? AND occurred_at IS NOT NULL",
            until,
        )
        first, last = rows[0]
        return (first, last) if first is not None else None

    def versions(self, first: int, until: int, since: datetime, *, beats: bool = False) -> pa.Table:
        """`COUNTED_VERSION`: all versions before *until* of the incidents that changed from offset *first* on; with
        *beats* their district is the beat.
        """
        stretch = self._short((first, until)) if first else None
        if stretch and stretch.quiet and self._incidents.all_new((first, until), stretch.incidents, self._numbers):
            return stretch.counted(since, beats=beats)
        touched = self._touched(first, until) if first else None
        asked = {
            "t": self._table,
            "until": until,
            "incident": self._number,
            "district": "beat" if beats else "district",
        }
        if touched is None:
            return self._versions(since, **asked, least=0, touched="")
        new = not stretch and self._incidents.all_new((first, until), touched["incident"].to_numpy(), self._numbers)
        if new:
            return self._versions(since, **asked, least=first, touched="")
        self._connection.register("touched_incidents", touched)
        only = f"SEMI JOIN touched_incidents n ON n.incident = v.{self._number}"
        found = self._versions(since, **asked, least=0, touched=only)
        self._connection.unregister("touched_incidents")
        return found

    def _short(self, between: tuple[int, int]) -> Stretch | None:
        """What came between two offsets, read once, if that is not much."""
        first, until = between
        if until - first > _SHORT:
            return None
        if not self._stretch or self._stretch[0] != between:
            sql = statement("stretch").format(t=self._table, incident=self._number, first=first, until=until)
            few = until - first <= _VERY_SHORT
            rows = self._table_of(sql, ROWS) if few else self._connection.sql(sql).to_arrow_table()
            self._stretch = between, Stretch.of(rows)
        return self._stretch[1]

    def _table_of(self, sql: str, columns: pa.Schema) -> pa.Table:
        """Few rows, as a table."""
        rows: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        return pa.table(values, schema=columns)

    def _versions(self, since: datetime, **asked: object) -> pa.Table:
        return self._connection.sql(statement("counted_versions").format(**asked), params=[since]).to_arrow_table()

    def _touched(self, first: int, until: int) -> pa.Table:
        """The incidents of which a version began or ended from offset *first* on."""
        sql = statement("touched_incidents").format(t=self._table, first=first, until=until, incident=self._number)
        return self._connection.sql(sql).to_arrow_table()

    def _numbers(self, first: int, until: int) -> Integers:
        """The incidents of all versions between two offsets."""
        sql = f"SELECT {self._number} AS n FROM core.{self._table}_versions WHERE off >= {first} AND off < {until}"
        return np.asarray(self._connection.sql(sql).to_arrow_table()["n"].to_numpy(), np.int64)

    def readings(self, first: int, until: int) -> pa.Table:
        """What stations said, and what was taken back, between the offsets *first* and *until*."""
        values = ", ".join(_valid(name, rule) for name, rule in self._dataset.measures.items())
        sql = statement("changed_readings").format(t=self._table, first=first, until=until, values=values)
        return self._connection.sql(sql).to_arrow_table()

    def clock(self, detector: str) -> tuple[str, int] | None:
        """Its settings and clock, without its state. Those of all are read at once, and each is told once."""
        if detector not in self._clocks:
            rows = self._rows("SELECT detector, settings, clock FROM core.{t}_followed")
            self._clocks = {name: (settings, clock) for name, settings, clock in rows}
        return self._clocks.pop(detector, None)

    def followed(self, detector: str) -> Followed | None:
        """How far *detector* has come, None if it has to begin."""
        rows = self._rows("SELECT settings, clock, state FROM core.{t}_followed WHERE detector = ?", detector)
        return Followed(*rows[0]) if rows else None

    def episodes(self, detector: str, clock: int) -> pa.Table:
        """`EPISODE`: its alerts as they stood in half hour *clock* of the clock."""
        return self._connection.sql(
            f"SELECT {_COLUMNS} FROM core.{self._table}_episodes WHERE detector = ? AND clock <= ? QUALIFY "
            "row_number() OVER (PARTITION BY alert_id ORDER BY off DESC, clock DESC) = 1 ORDER BY off, clock, alert_id",
            params=[detector, clock],
        ).to_arrow_table()

    def write(self, detector: str, episodes: pa.Table, followed: Followed, *, saves: bool, anew: bool) -> None:
        """Append *episodes* and move on, in one transaction; the state only if *saves*. *anew*: instead of all."""
        try:
            self._connection.execute("BEGIN")
            self._write(detector, episodes, followed, saves=saves, anew=anew)
            self._connection.execute("COMMIT")
        except duckdb.Error as error:
            self._roll_back()
            raise StorageError(
                f"{self._dataset.name}: the store refused alerts of {detector}: {first_line(error)}",
                "free some space if the disk is full, then run again: it goes on where it stopped",
            ) from error
        except BaseException:
            self._roll_back()
            raise

    def keep_only(self, detectors: list[str]) -> None:
        """Remove what is kept of detectors that are no longer asked for."""
        for what in ("followed", "episodes"):
            name = f"core.{self._table}_{what}"
            others = f"FROM {name} WHERE NOT list_contains(?, detector)"
            if self._rows(f"SELECT 1 {others} LIMIT 1", detectors):
                self._connection.execute(f"DELETE {others}", [detectors])

    def _write(self, detector: str, episodes: pa.Table, followed: Followed, *, saves: bool, anew: bool) -> None:
        execute, table = self._connection.execute, f"core.{self._table}"
        self._clocks.clear()
        if anew:
            execute(f"DELETE FROM {table}_episodes WHERE detector = ?", [detector])
        if len(episodes):
            self._connection.register("appended", episodes)
            execute(
                f"INSERT INTO {table}_episodes (detector, written, {_COLUMNS}) SELECT ?, ?, {_COLUMNS} FROM appended",
                [detector, self._position()],
            )
            self._connection.unregister("appended")
        if saves:
            execute(f"DELETE FROM {table}_followed WHERE detector = ?", [detector])
            execute(
                f"INSERT INTO {table}_followed VALUES (?, ?, ?, ?)",
                [detector, followed.settings, followed.clock, followed.state],
            )
        else:
            execute(f"UPDATE {table}_followed SET clock = ? WHERE detector = ?", [followed.clock, detector])

    def _position(self) -> int:
        rows = self._rows("SELECT log_offset FROM core.positions WHERE dataset = ?", self._key)
        return int(rows[0][0]) if rows else 0

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql.format(t=self._table), list(values)).fetchall()

    def _roll_back(self) -> None:
        with suppress(duckdb.Error):
            self._connection.execute("ROLLBACK")


def _valid(name: str, rule: MeasureRule) -> str:
    """SQL of a measure's value where it stands, is one, and can be true."""
    rules = ["v.stands", *(f'v."{name}" <> {sentinel!r}::DOUBLE' for sentinel in rule.sentinels)]
    if rule.range:
        rules.append(f'v."{name}" BETWEEN {rule.range[0]!r}::DOUBLE AND {rule.range[1]!r}::DOUBLE')
    return f'CASE WHEN {" AND ".join(rules)} THEN v."{name}" END AS "{name}"'
