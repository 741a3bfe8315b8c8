"""Alerts: alarms of one cell that belong together, under a name that stays.

Alarms whose windows overlap, or end at most 5 hours apart, are one alert. Its id is a hash of (detector, dataset,
cell, episode), where `episode` is the end of the window whose alarm came first, so that replaying the log gives the
same ids. The window that is shown is the one with the largest score; all others are inside the alert. Revised records
can take an alert back: it stays active while the recurrence of what is left is at least 1/(2B) weeks (half of what
raised it), below it is withdrawn with a reason, and it returns under the same id if its alarm does. Nothing is deleted.

>>> alert_id("surge", "metropolis/crimes", "9/THEFT", 912345)
'dee3948055012da8'
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from math import log10
from typing import Any, Literal

import numpy as np

from citystream.detect.arrays import State
from citystream.detect.feed import FeedState
from citystream.detect.scores import Scored
from citystream.detect.tail import LENGTHS
from citystream.ports import Integers

Direction = Literal["more", "fewer"]

#: Slots between the ends of two windows up to which their alarms are one alert.
GAP = 10


def alert_id(detector: str, dataset: str, series: str, episode: int) -> str:
    """The name of an alert for ever: *series* is its cell or type, *episode* the end slot of its first alarm."""
    said = "\x1f".join((detector, dataset, series, str(episode)))
    return blake2b(said.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it stands. Slots are half hours since 1970 (UTC); windows are [window_start, window_end).

    *raised_at* and *withdrawn_at* are slots of the clock (-1: not withdrawn), *first_alarm* and *last_alarm* ends of
    windows. *expected*, *lo95* and *hi95* are of what was to be seen by then; *completeness* is the share of the
    records that is usually in by then. *areas*: codes of the areas together in which it is unusual, where *district*
    is the one of them that has most of it.
    """

    alert_id: str
    district: int
    type: int
    window_start: int
    window_end: int
    observed: int
    expected: float
    lo95: int
    hi95: int
    score: float
    recurrence_days: float
    episode: int
    first_alarm: int
    last_alarm: int
    active: bool
    raised_at: int
    withdrawn_at: int
    completeness: float
    provisional: bool
    feed_state: FeedState
    reason: str
    direction: Direction = "more"
    areas: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertChange:
    """What happened to an alert before slot *at* of the clock, and how it stands since."""

    at: int
    what: Literal["raised", "updated", "withdrawn"]
    alert: Alert


@dataclass(frozen=True, slots=True)
class Episode:
    """Alarms of one cell that belong together: the *first* that came, the *best*, and the ends they span."""

    first: int
    first_end: int
    last_end: int
    best: int


def episodes_of(alarms: Scored) -> Iterator[Episode]:
    """The episodes of one cell's alarms; *first* in them is an end, *best* a place in *alarms*."""
    order = np.lexsort((alarms.moment, alarms.end))
    ends = alarms.end[order]
    # windows that overlap belong together, however far apart they end
    starts = np.minimum.accumulate((ends - np.array(LENGTHS)[alarms.length[order]])[::-1])[::-1]
    splits = np.flatnonzero((np.diff(ends) > GAP) & (starts[1:] >= ends[:-1])) + 1
    for rows in np.split(order, splits):
        if len(rows):
            came = rows[np.lexsort((alarms.end[rows], alarms.moment[rows]))]
            best = rows[np.lexsort((alarms.end[rows], alarms.moment[rows], -alarms.score[rows]))]
            ends = alarms.end[rows]
            yield Episode(int(alarms.end[came[0]]), int(ends.min()), int(ends.max()), int(best[0]))


def sustaining(entries: Scored, alert: Alert, budget: float) -> Integers:
    """Places of *entries* that keep an alert active whose alarms are gone: within it, and rarer than 1/(2B) weeks."""
    inside = (entries.end >= alert.first_alarm) & (entries.end <= alert.last_alarm)
    return np.flatnonzero(inside & (entries.log_weeks >= log10(0.5 / budget)))


def taken_back(alert: Alert, reason: str, moment: int) -> AlertChange:
    """*alert*, withdrawn before *moment* for a *reason*, with the numbers by which it stood."""
    return AlertChange(moment, "withdrawn", replace(alert, active=False, withdrawn_at=moment, reason=reason))


class AlertBook:
    """The alerts that may still change, by cell."""

    def __init__(self) -> None:
        self._alerts: dict[tuple[int, int], dict[str, Alert]] = {}

    def of(self, district: int, kind: int) -> list[Alert]:
        """The alerts of a cell, in the order in which they were raised."""
        return list(self._alerts.get((district, kind), {}).values())

    def put(self, alert: Alert) -> None:
        """How *alert* stands now."""
        self._alerts.setdefault((alert.district, alert.type), {})[alert.alert_id] = alert

    def drop_before(self, slot: int) -> None:
        """Forget alerts whose last alarm was of a window that ended before *slot*: they stay as they are."""
        kept = (
            (cell, {a.alert_id: a for a in alerts.values() if a.last_alarm >= slot})
            for cell, alerts in self._alerts.items()
        )
        self._alerts = {cell: alerts for cell, alerts in kept if alerts}

    def all(self) -> list[Alert]:
        """All alerts that may still change."""
        return [alert for alerts in self._alerts.values() for alert in alerts.values()]

    def state(self) -> State:
        """As arrays, one for each column."""
        return columns_of(self.all())

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self._alerts.clear()
        for alert in alerts_of(state):
            self.put(alert)


def columns_of(alerts: list[Alert]) -> State:
    """*alerts* as arrays, one for each column."""
    made: State = {each.name: np.array([getattr(alert, each.name) for alert in alerts]) for each in _PLAIN}
    return made | {"areas": np.array([" ".join(map(str, alert.areas)) for alert in alerts], np.str_)}


def alerts_of(state: State) -> list[Alert]:
    """The alerts of which `columns_of` made *state*."""
    names = [each.name for each in _PLAIN]
    areas: list[str] = state["areas"].tolist()
    rows: list[dict[str, Any]] = [
        dict(zip(names, row, strict=True)) for row in zip(*(state[name].tolist() for name in names), strict=True)
    ]
    pairs = zip(rows, areas, strict=True)
    return [Alert(**row, areas=tuple(int(code) for code in codes.split())) for row, codes in pairs]


_PLAIN = [each for each in fields(Alert) if each.name != "areas"]
