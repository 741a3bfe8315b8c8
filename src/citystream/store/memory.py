"""What the store remembers between transactions: where each id stands, and what each pane holds.

Everything here is derived from the tables and changed only after a commit. Two ways to have it give the same
answers: `Memory.load_all` once for a process that stays, or `Memory.load_for` before each batch for one that
brings little to a large store.
"""

from __future__ import annotations

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from citystream import panes
from citystream.ports import Integers
from citystream.store.changes import DEAD, NEVER, Changes, Standing
from citystream.store.levels import Column, Found, Levels
from citystream.store.tables import current

_IDS = """
SELECT v.k, v.off, v.h, epoch(v.first_seen_at)::BIGINT AS first, {key} AS packed, {version} AS version
FROM ({versions}) v JOIN core.{t}_meanings m ON m.code = v.meaning
JOIN core.{t}_districts d ON d.name IS NOT DISTINCT FROM v.district {touched}
"""
_RECORD_KEY = panes.record_key_sql("m.type_code", "d.code", "v.time_precision <> 3", "v.occurred_at", "{width}")
_KEY = f"({_RECORD_KEY}) << 1 | coalesce(v.domestic, false)::BIGINT"
_LAST_VERSION = "JOIN core.{t}_versions v ON v.off = x.version_off"
_TOUCHED = "LEFT JOIN (SELECT k, max(version) AS version FROM core.{t}_touched GROUP BY k) u ON u.k = v.k"
_PANE_KEY = panes.key_sql("p.type", "p.district", "p.timed", "p.pane")
_PANES = f"""SELECT {_PANE_KEY} AS key, sum(n)::INTEGER AS n FROM core.{{t}}_panes p {{narrow}}
  GROUP BY ALL HAVING sum(n) <> 0 ORDER BY 1"""


class Memory:
    """Standing of ids and counts of panes of one dataset.

    *table*: its private tables' prefix; *width*: of a pane in microseconds; *versioned*: whether the publisher
    dates the versions of a record; *reach*: panes to each side of a pane that share a window with it.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, width: int, versioned: bool, reach: int
    ) -> None:
        self._connection = connection
        self._table = table
        self._words = {"t": table, "width": width}
        self._versioned = versioned
        self._reach = reach
        self._whole = False
        dtypes: list[npt.DTypeLike] = [np.int64, np.uint64, np.int64, np.uint32]
        self._ids = Levels(tuple([*dtypes, np.int64] if versioned else dtypes))
        self.panes = Levels((np.int32,))

    @property
    def whole(self) -> bool:
        """Whether every id is remembered."""
        return self._whole

    def load_all(self) -> None:
        """Read the standing of every id and the count of every pane: about 5 CPU seconds for 10 million ids."""
        self._fill_ids("")
        rows = self._numpy(_PANES.format(**self._words, narrow=""))
        self.panes.load(rows["key"], rows["n"])
        self._whole = True

    def load_for(self, ids: Integers, packed: Integers) -> None:
        """Read only what a batch of *ids* with the given packed keys can need; forget the rest."""
        self._connection.register("wanted_ids", pa.table({"k": ids}))
        self._fill_ids("JOIN wanted_ids w ON w.k = x.k")
        self._connection.unregister("wanted_ids")
        found = self._ids.find(ids)
        standing = self._ids.get(found, 2, DEAD)
        keys = panes.distinct(np.concatenate([packed, standing[standing != DEAD]]) >> 1)
        self._fill_panes(keys)
        self._whole = False

    def standing(self, ids: Integers) -> tuple[Standing, Found]:
        """Where sorted unique *ids* stand, and their places for `remember`."""
        found = self._ids.find(ids)
        version = self._ids.get(found, 4, NEVER) if self._versioned else np.full(len(ids), NEVER)
        first = self._ids.get(found, 3, 0).astype(np.int64)
        get = self._ids.get
        return Standing(get(found, 0, -1), get(found, 1, 0), get(found, 2, DEAD), version, first), found

    def remember(self, changes: Changes, found: Found) -> None:
        """Take over what a committed transaction changed; *found* is from `standing`."""
        moved = changes.touched_ids
        places: Found = [(hit[moved], place[moved]) for hit, place in found]
        now = changes.standing
        columns: list[Column] = [now.off, now.h, now.packed, now.first]
        self._ids.put(places, changes.ids, *columns, *([now.version] if self._versioned else []))
        self._add_panes(changes)

    def _add_panes(self, changes: Changes) -> None:
        moved = changes.pane_n != 0
        keys, n = changes.pane_key[moved], changes.pane_n[moved]
        found = self.panes.find(keys)
        self.panes.put(found, keys, self.panes.get(found, 0, 0) + n)

    def _numpy(self, sql: str) -> dict[str, Column]:
        return {name: np.ascontiguousarray(c) for name, c in self._connection.sql(sql).fetchnumpy().items()}

    def _fill_ids(self, narrow: str) -> None:
        last = f"{narrow} {_LAST_VERSION.format(**self._words)}"
        alive = self._ids_of(current(self._table, "versions", narrow=narrow))
        dead = self._ids_of(current(self._table, "gone", "v.* REPLACE (x.off AS off)", last))
        dead["packed"][:] = DEAD
        names = ["off", "h", "packed", "first", *(["version"] if self._versioned else [])]
        k = np.concatenate([alive.pop("k"), dead.pop("k")])
        order = np.argsort(k)
        columns = [np.concatenate([alive.pop(n), dead.pop(n)])[order] for n in names]
        self._ids.load(k[order], *columns)

    def _ids_of(self, versions: str) -> dict[str, Column]:
        version = f"greatest(coalesce(v.version, {NEVER}), coalesce(u.version, {NEVER}))"
        sql = _IDS.format(
            **self._words,
            key=_KEY.format(**self._words),
            versions=versions,
            version=version if self._versioned else "0",
            touched=_TOUCHED.format(**self._words) if self._versioned else "",
        )
        return self._numpy(sql)

    def _fill_panes(self, keys: Integers) -> None:
        """Counts of *keys* and of all panes that share a window with one of them."""
        dated = keys[panes.has_day(keys)]
        near = panes.distinct((dated[:, None] + np.arange(-self._reach, self._reach + 1)[None, :]).ravel())
        self._connection.register("wanted_panes", pa.table({"key": near}))
        narrow = f"JOIN wanted_panes w ON w.key = {_PANE_KEY}"
        rows = self._numpy(_PANES.format(**self._words, narrow=narrow))
        self._connection.unregister("wanted_panes")
        self.panes.load(rows["key"], rows["n"])
