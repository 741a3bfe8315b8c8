"""Alerts as rows of the store: `schema.EPISODE`, one for each change of an alert."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from citystream.detect.episodes import Alert

#: A row of `schema.EPISODE` by the names of its columns.
Row = dict[str, object]

HISTORY_CAME = "older records were loaded, and what is usual was learnt anew"
_EPOCH = datetime(1970, 1, 1)
_HALF_HOUR = timedelta(minutes=30)
_ITS_OWN = ("off", "clock", "raised_at", "withdrawn_at")


def row_of(alert: Alert, cell: tuple[str, str], at: tuple[int, int], before: Mapping[str, object] | None) -> Row:
    """*alert*, of the district and type *cell*, as it stands since (offset, half hour) *at*; *before*: as it stood."""
    off, clock = at
    stood = before is not None and before["active"]
    return {
        "off": off,
        "clock": clock,
        "alert_id": alert.alert_id,
        "district": cell[0],
        "type": cell[1],
        "window_start": _time(alert.window_start),
        "window_end": _time(alert.window_end),
        "observed": alert.observed,
        "expected": alert.expected,
        "lo95": alert.lo95,
        "hi95": alert.hi95,
        "score": alert.score,
        "recurrence_days": alert.recurrence_days,
        "episode": _time(alert.episode),
        "active": alert.active,
        "raised_at": before["raised_at"] if before is not None and (stood or not alert.active) else off,
        "withdrawn_at": None if alert.active else off,
        "direction": alert.direction,
        "first_alarm": _time(alert.first_alarm),
        "last_alarm": _time(alert.last_alarm),
        "areas": None,
        "completeness": alert.completeness,
        "feed_state": alert.feed_state,
        "provisional": alert.provisional,
        "reason": alert.reason or None,
    }


def withdrawn(row: Row, at: tuple[int, int]) -> Row:
    """The alert of *row*, taken back at (offset, half hour) *at* because history came."""
    off, clock = at
    return row | {"off": off, "clock": clock, "active": False, "withdrawn_at": off, "reason": HISTORY_CAME}


def says_the_same(one: Row, other: Row) -> bool:
    """Whether two rows differ only in when they were written."""
    return all(one[name] == other[name] for name in one if name not in _ITS_OWN)


def _time(slot: int) -> datetime:
    return _EPOCH + slot * _HALF_HOUR
