"""Rows of `schema.EPISODE` for tests of what shows alerts, and how they come into a store."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from citystream.store.database import FILE

HOUR = timedelta(hours=1)
PLAIN: dict[str, Any] = {
    "off": 0,
    "clock": 1_000_000,
    "observed": 11.0,
    "expected": 3.1,
    "lo95": 0.0,
    "hi95": 7.0,
    "score": 4.0,
    "recurrence_days": 98.0,
    "active": True,
    "raised_at": 0,
    "withdrawn_at": None,
    "direction": "more",
    "areas": None,
    "completeness": 0.92,
    "feed_state": "fresh",
    "provisional": False,
    "reason": None,
}


def alert_row(detector: str, name: str, cell: tuple[str, str], start: datetime, hours: float, **more: Any) -> Any:
    """One row: *cell* is type and district, or measure and station."""
    end = start + hours * HOUR
    times = {"window_start": start, "window_end": end, "episode": end, "first_alarm": end, "last_alarm": end}
    return {"detector": detector, "alert_id": name, "type": cell[0], "district": cell[1], **PLAIN, **times, **more}


def put(folder: Path, table: str, rows: list[dict[str, Any]]) -> None:
    """Write *rows* as if the detectors that follow *table* had said so."""
    with duckdb.connect(str(folder / FILE)) as store:
        for row in rows:
            names = ", ".join(row)
            marks = ", ".join("?" for _ in row)
            store.execute(f"INSERT INTO core.{table}_episodes (written, {names}) VALUES (0, {marks})", [*row.values()])


def put_fixed(folder: Path, table: str, cell: tuple[str, str], start: datetime, observed: int) -> None:
    """Write a window from *start* on that a fixed rule found in the type and district *cell*."""
    pane = (start - datetime(1970, 1, 1)) // timedelta(minutes=30)
    with duckdb.connect(str(folder / FILE)) as store:
        store.execute(
            f"INSERT INTO core.{table}_alerts SELECT 'threshold', t.code, d.code, ?, 0, NULL, ?, 0, -1 "
            f"FROM core.{table}_types t, core.{table}_districts d WHERE t.name = ? AND d.name = ?",
            [pane, observed, *cell],
        )
