"""Alerts about readings as rows of the store: `schema.EPISODE`; the type is the measure, the district the station."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan

from citystream.detect.episode_rows import Row
from citystream.detect.episodes import alert_id
from citystream.detect.reading_episodes import Episode, name_of

TAKEN_BACK = "readings were corrected or taken back"
_EPOCH = datetime(1970, 1, 1)
_SPIKE = "spike"
_STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Cell:
    """What alerts of one series have in common; *step* is in seconds."""

    dataset: str
    station: str
    measure: str
    step: int

    def name(self, episode: Episode) -> str:
        """The id of the alert that *episode* is."""
        series = f"{self.station}/{self.measure}/{name_of(episode.kind)}"
        return alert_id("sensor", self.dataset, series, episode.first)


def reading_row(episode: Episode, cell: Cell, at: tuple[int, int], before: Row | None) -> Row:
    """*episode* of the series *cell*, as it stands since (offset, half hour) *at*; *before*: as it stood."""
    off, clock = at
    start, end = _window(episode, cell.step)
    reason = name_of(episode.kind)
    return {
        "off": off,
        "clock": clock,
        "alert_id": cell.name(episode),
        "district": cell.station,
        "type": cell.measure,
        "window_start": _time(start),
        "window_end": _time(end),
        "observed": episode.value,
        "expected": episode.expected,
        "lo95": episode.lo95,
        "hi95": episode.hi95,
        "score": abs(episode.score),
        "recurrence_days": None if isnan(episode.recurrence_days) else episode.recurrence_days,
        "episode": _time(episode.first + cell.step),
        "active": True,
        "raised_at": before["raised_at"] if before is not None and before["active"] else off,
        "withdrawn_at": None,
        "direction": None if reason == _STUCK else "more" if episode.value > episode.expected else "fewer",
        "first_alarm": _time(episode.first + cell.step),
        "last_alarm": _time(episode.last + cell.step),
        "areas": None,
        "completeness": None,
        "feed_state": None,
        "provisional": False,
        "reason": reason,
    }


def taken_back(row: Row, at: tuple[int, int], reason: str = TAKEN_BACK) -> Row:
    """The alert of *row*, withdrawn at (offset, half hour) *at*."""
    off, clock = at
    return row | {"off": off, "clock": clock, "active": False, "withdrawn_at": off, "reason": reason}


def _window(episode: Episode, step: int) -> tuple[int, int]:
    """A spike is shown by its reading, a shift from its beginning to its end, a value from when it stands still."""
    kind = name_of(episode.kind)
    if kind == _SPIKE:
        return episode.time, episode.time + step
    still = round(episode.score * 3600) if kind == _STUCK else step
    return min(episode.first, episode.time - still + step), episode.last + step


def _time(second: int) -> datetime:
    return _EPOCH + timedelta(seconds=second)
