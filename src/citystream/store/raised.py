"""The alerts of one detector, remembered: when each window was last raised and withdrawn."""

from __future__ import annotations

import duckdb
import numpy as np

from citystream.panes import key_sql
from citystream.ports import AlertRows, Booleans, Integers
from citystream.store.levels import Levels

_STANDING = f"""SELECT {key_sql("type", "district", "1", "pane")} AS key, raised_at, withdrawn_at
FROM core.{{t}}_alerts WHERE detector = ? AND up IS NULL
QUALIFY row_number() OVER (PARTITION BY type, district, pane ORDER BY off DESC) = 1 ORDER BY key"""


class Raised:
    """Alerts of *detector* in the tables of *table*; follows each commit by `take`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str, detector: str) -> None:
        self._alerts = Levels((np.int64, np.int64))
        rows = connection.sql(_STANDING.format(t=table), params=[detector]).fetchnumpy()
        self._alerts.load(np.ascontiguousarray(rows["key"]), rows["raised_at"], rows["withdrawn_at"])

    def between(self, low: Integers, high: Integers) -> Booleans:
        """Whether there is an alert whose key lies in [low, high)."""
        some: Booleans = self._alerts.range_count(low, high) > 0
        return some

    def rows(self, keys: Integers) -> AlertRows:
        """The alerts with sorted *keys*; -1 and -1 where there was never one."""
        found = self._alerts.find(keys)
        return AlertRows(keys, self._alerts.get(found, 0, -1), self._alerts.get(found, 1, -1))

    def take(self, changed: AlertRows) -> None:
        """Take over what a committed transaction changed."""
        self._alerts.put(self._alerts.find(changed.key), changed.key, changed.raised_at, changed.withdrawn_at)
