"""From days on which a sum was large to alerts of `drift`: what is raised, updated, withdrawn and closed.

Alarms of one cell and direction at most seven days apart are one alert, unless a series break lies between them. Its
window goes from the day when the change is thought to have begun to the last day of an alarm, whose numbers it shows.
An alert that was open at a series break is closed, because what it compares is not the same any more. An alert keeps
its name while some of it is left, also when records that come late move its first day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np

from citystream.detect.alerting import GONE, Rule
from citystream.detect.arrays import Floats, State, under, within
from citystream.detect.drift_days import DriftAlarm
from citystream.detect.episodes import Alert, AlertBook, AlertChange, Direction, alert_id
from citystream.detect.feed import FeedState
from citystream.detect.local_days import LocalDays

#: Days between two alarms up to which they are one alert.
GAP = 7
REDEFINED = "definition changed"
_COMPLETE = 0.95


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known when alerts are settled before slot *moment*: the *newest* day that was judged, how *complete* each
    type was on it, the *feed*'s state, and the last day that is *settled*.
    """

    moment: int
    newest: int
    complete: Floats
    feed: FeedState
    settled: int


class DriftAlerts:
    """The alerts of all cells; *breaks*: the first day of each series break."""

    def __init__(self, rule: Rule, days: LocalDays, breaks: tuple[int, ...]) -> None:
        self._rule = rule
        self._days = days
        self._breaks = breaks
        self._book = AlertBook()
        self._settled: list[DriftAlarm] = []

    def all(self) -> list[Alert]:
        """The alerts that may still change, as they stand."""
        return self._book.all()

    def settle(self, left: list[DriftAlarm], standing: list[DriftAlarm], now: Judged) -> list[AlertChange]:
        """What alarms do to alerts: those *left*, which no longer change, and those *standing*, which may."""
        self._settled += left
        episodes = list(self._episodes([*self._settled, *standing]))
        changes, kept = [], set[str]()
        for episode in episodes:
            before = self._before(episode, kept)
            alert = self._alert(episode, before, now)
            kept.add(alert.alert_id)
            changes += self._change(before or self._known(alert), alert, now)
        for alert in self._book.all():
            if alert.active and alert.alert_id not in kept:
                changes.append(_withdrawn(alert, GONE, now.moment))
        for change in changes:
            self._book.put(change.alert)
        self._drop(episodes, now.settled - GAP)
        return changes

    def state(self) -> State:
        """As arrays."""
        settled = np.array(self._settled, np.float64).reshape(-1, len(DriftAlarm._fields))
        return under(self._book.state(), "book") | {"settled": settled}

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self._book.restore(within(state, "book"))
        whole = 5
        rows: list[list[float]] = np.asarray(state["settled"], np.float64).tolist()
        self._settled = [DriftAlarm(*(int(each) for each in row[:whole]), *row[whole:]) for row in rows]

    def _episodes(self, alarms: Sequence[DriftAlarm]) -> Iterator[list[DriftAlarm]]:
        """Alarms that belong together, by cell and direction, in order of their days."""
        for _, group in groupby(sorted(alarms, key=_place), key=lambda alarm: _place(alarm)[:3]):
            rows = list(group)
            ends = [at for at, pair in enumerate(pairwise(rows), 1) if self._apart(pair[0].day, pair[1].day)]
            yield from (rows[first:after] for first, after in pairwise([0, *ends, len(rows)]))

    def _apart(self, day: int, later: int) -> bool:
        return later - day > GAP or any(day < each <= later for each in self._breaks)

    def _closed(self, last: int, newest: int) -> bool:
        """Whether a series break came while an alert, whose last alarm was on day *last*, was open."""
        return any(last < each <= min(newest, last + GAP + 1) for each in self._breaks)

    def _before(self, episode: list[DriftAlarm], taken: set[str]) -> Alert | None:
        """The active alert that goes on in *episode*."""
        first, last = episode[0], episode[-1]
        for alert in self._book.of(first.district, first.type):
            begun, ended = (self._days.of(slot - 1) for slot in (alert.first_alarm, alert.last_alarm))
            same = alert.direction == _direction(first) and alert.active and alert.alert_id not in taken
            if same and not self._beyond((begun, ended), (first.day, last.day)):
                return alert
        return None

    def _beyond(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        earlier, later = sorted((one, other))
        return later[0] > earlier[1] and self._apart(earlier[1], later[0])

    def _known(self, alert: Alert) -> Alert | None:
        known = (each for each in self._book.of(alert.district, alert.type) if each.alert_id == alert.alert_id)
        return next(known, None)

    def _change(self, before: Alert | None, alert: Alert, now: Judged) -> list[AlertChange]:
        if self._closed(self._days.of(alert.last_alarm - 1), now.newest):
            return [_withdrawn(before, REDEFINED, now.moment)] if before and before.active else []
        # fewer may be what has not come yet
        if alert.direction == "fewer" and not (now.feed == "fresh" and alert.completeness >= _COMPLETE):
            return []
        if before is None or not before.active:
            return [AlertChange(now.moment, "raised", alert)]
        return [] if _same(before, alert) else [AlertChange(now.moment, "updated", alert)]

    def _alert(self, episode: list[DriftAlarm], before: Alert | None, now: Judged) -> Alert:
        first, last = episode[0], episode[-1]
        named = before.episode if before else self._days.bounds(first.day)[1]
        end = self._days.bounds(last.day)[1]
        return Alert(
            alert_id=before.alert_id if before else self._name(first, named),
            district=last.district,
            type=last.type,
            window_start=self._days.bounds(last.onset)[0],
            window_end=end,
            observed=int(last.observed),
            expected=last.expected,
            lo95=int(last.lo95),
            hi95=int(last.hi95),
            score=last.score,
            recurrence_days=last.recurrence_days,
            episode=named,
            first_alarm=self._days.bounds(first.day)[1],
            last_alarm=end,
            active=True,
            raised_at=before.raised_at if before else now.moment,
            withdrawn_at=-1,
            completeness=float(now.complete[last.type]) if last.day == now.newest else 1.0,
            provisional=bool(last.provisional),
            feed_state=before.feed_state if before else now.feed,
            reason="",
            direction=_direction(last),
        )

    def _name(self, first: DriftAlarm, episode: int) -> str:
        cell = self._rule.naming(first.district, first.type)
        return alert_id(self._rule.detector, self._rule.dataset, f"{cell}/{_direction(first)}", episode)

    def _drop(self, episodes: list[list[DriftAlarm]], limit: int) -> None:
        """What ended before day *limit* stays as it is."""
        open_still = {id(alarm) for rows in episodes if rows[-1].day >= limit for alarm in rows}
        self._settled = [alarm for alarm in self._settled if id(alarm) in open_still]
        self._book.drop_before(self._days.bounds(max(limit, 0))[1])


def _place(alarm: DriftAlarm) -> tuple[int, int, int, int]:
    return alarm.district, alarm.type, alarm.direction, alarm.day


def _direction(alarm: DriftAlarm) -> Direction:
    return "more" if alarm.direction > 0 else "fewer"


def _same(one: Alert, other: Alert) -> bool:
    """Whether both say the same of the same days: what was not in yet may be in now."""
    return replace(one, completeness=other.completeness) == other


def _withdrawn(alert: Alert, reason: str, moment: int) -> AlertChange:
    gone = replace(alert, active=False, withdrawn_at=moment, reason=reason)
    return AlertChange(moment, "withdrawn", gone)
