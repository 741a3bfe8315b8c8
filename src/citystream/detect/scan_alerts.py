"""From alarms of `scan` to alerts: what is raised, updated and withdrawn at one moment, type by type.

Alarms of one type that share an area and end at most a day apart are one alert. It shows the window with the largest
score, its areas, and as district the area that has most of the excess. An alert keeps its name while some of it is left
that is at least half as rare as an alarm has to be, also where its first alarm is rare enough no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from citystream.detect.alerting import GONE, Rule
from citystream.detect.arrays import State
from citystream.detect.episodes import Alert, AlertChange, alert_id, alerts_of, columns_of, taken_back
from citystream.detect.feed import FeedState
from citystream.detect.scan_alarms import ScanAlarm, together

_NO_DISTRICT = -1


@dataclass(frozen=True, slots=True)
class _Episode:
    """Alarms that belong together, and the end of the window whose alarm came first."""

    alarms: list[ScanAlarm]
    first: int

    def shares(self, alert: Alert) -> bool:
        """Whether some of it is where and when *alert* is."""
        return any(_within(each, alert) for each in self.alarms)


class ScanAlerts:
    """The alerts of all types that may still change."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._alerts: dict[str, Alert] = {}
        self._limit = 0

    def all(self) -> list[Alert]:
        """As they stand."""
        return list(self._alerts.values())

    def drop_before(self, slot: int) -> None:
        """Alerts whose last alarm was of a window that ended before *slot* stay as they are."""
        self._limit = slot
        self._alerts = {name: alert for name, alert in self._alerts.items() if alert.last_alarm >= slot}

    def settle(
        self, kind: int, alarms: Sequence[ScanAlarm], moment: int, feed: FeedState = "fresh"
    ) -> list[AlertChange]:
        """What happened to the alerts of type *kind* by its *alarms* up to *moment*, some of which may be less rare
        than an alarm has to be; *feed*: the state of the feed at it.
        """
        known = [alert for alert in self._alerts.values() if alert.type == kind]
        found = self._episodes(kind, alarms, known)
        changes = []
        for name, episode in found.items():
            changes += self._change(name, episode, (moment, feed))
        for alert in known:
            if alert.active and alert.alert_id not in found:
                into = next((name for name, each in found.items() if each.shares(alert)), "")
                changes.append(taken_back(alert, f"now part of {into}" if into else GONE, moment))
        self._alerts |= {change.alert.alert_id: change.alert for change in changes}
        return changes

    def state(self) -> State:
        """As arrays."""
        return columns_of(self.all()) | {"limit": np.array([self._limit])}

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self._alerts = {alert.alert_id: alert for alert in alerts_of(state)}
        self._limit = int(state["limit"][0])

    def _episodes(self, kind: int, alarms: Sequence[ScanAlarm], known: list[Alert]) -> dict[str, _Episode]:
        """By alert id; alerts that something still sustains keep theirs."""
        rare = [each for each in alarms if each.recurrence_days >= 7 / self._rule.budget]
        found = self._named(kind, together(rare), {})
        lost = [alert for alert in known if alert.active and alert.alert_id not in found]
        left = {alert.alert_id: [each for each in alarms if each.active and _within(each, alert)] for alert in lost}
        left = {name: sustaining for name, sustaining in left.items() if sustaining}
        if not left:
            return found
        everything = {id(each): each for each in [*rare, *(each for part in left.values() for each in part)]}
        named = {id(each): alert for alert in reversed(lost) for each in left.get(alert.alert_id, [])}
        return self._named(kind, together(list(everything.values()), list(left.values())), named)

    def _named(self, kind: int, groups: list[list[ScanAlarm]], named: dict[int, Alert]) -> dict[str, _Episode]:
        """*groups* by alert id; that of the alert that was raised first of those that some are *named* after."""
        found = {}
        for group in (each for each in groups if max(alarm.end for alarm in each) >= self._limit):
            first = min(group, key=lambda each: (each.looked_at, each.end)).end
            lost = [named[id(each)] for each in group if id(each) in named]
            if lost:
                alerts = [*lost, *(alert for alert in [self._alerts.get(self._name(kind, first))] if alert)]
                first = min(alerts, key=lambda alert: (alert.raised_at, alert.episode)).episode
            found[self._name(kind, first)] = _Episode(group, first)
        return found

    def _name(self, kind: int, first: int) -> str:
        series = self._rule.naming(_NO_DISTRICT, kind)
        return alert_id(self._rule.detector, self._rule.dataset, series, first)

    def _change(self, name: str, episode: _Episode, now: tuple[int, FeedState]) -> list[AlertChange]:
        """Nothing if the alert stands as before."""
        before = self._alerts.get(name)
        if before is None or not before.active:
            return [AlertChange(now[0], "raised", _alert(name, episode, now))]
        alert = _alert(name, episode, (before.raised_at, before.feed_state))
        return [] if before == alert else [AlertChange(now[0], "updated", alert)]


def _alert(name: str, episode: _Episode, since: tuple[int, FeedState]) -> Alert:
    """An episode as an alert that was raised *since* a moment, by the feed's state at that."""
    best = min(episode.alarms, key=lambda each: (-each.score, each.looked_at, each.end))
    ends = [each.end for each in episode.alarms]
    return Alert(
        alert_id=name,
        district=best.peak,
        type=best.type,
        window_start=best.end - best.slots,
        window_end=best.end,
        observed=best.observed,
        expected=best.expected,
        lo95=best.lo95,
        hi95=best.hi95,
        score=best.score,
        recurrence_days=best.recurrence_days,
        episode=episode.first,
        first_alarm=min(ends),
        last_alarm=max(ends),
        active=True,
        raised_at=since[0],
        withdrawn_at=-1,
        completeness=best.completeness,
        provisional=best.provisional,
        feed_state=since[1],
        reason="",
        areas=best.areas,
    )


def _within(alarm: ScanAlarm, alert: Alert) -> bool:
    """Whether *alarm* is of the time of *alert*, and of some of its areas."""
    return alert.first_alarm <= alarm.end <= alert.last_alarm and not {*alarm.areas}.isdisjoint(alert.areas)
