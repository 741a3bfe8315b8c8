"""From days on which a sum was large to alerts of `drift`: what is raised, updated, withdrawn and closed.

Alarms of one cell and direction at most seven days apart are one alert, unless a series break lies between them. Its
window goes from the day when the change is thought to have begun to the last day of an alarm, whose numbers it shows.
An alert that was open at a series break is closed, because what it compares is not the same any more. An alert keeps
its name while some of it is left, also when records that come late move its first day. Where they leave no alarm, it
stands as long as one of its days is half as rare as raises one; else it is withdrawn, and may come back.

"Fewer" is said of a day only once 95 % of the records of its type are usually in, and while the feed is fresh.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
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
    """What is known when alerts are settled before slot *moment*: the *newest* day that was judged, how *complete* a
    day is by type, the *feed*'s state, and the last day that is *settled*.
    """

    moment: int
    newest: int
    complete: Callable[[int], Floats]
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
        rows = [*self._settled, *standing]
        found = self._found([row for row in rows if row.alarm])
        found |= self._sustained([row for row in rows if not row.alarm], found)
        changes = [change for name, episode in found.items() for change in self._change(name, episode, now)]
        lost = (each for each in self._book.all() if each.active and each.alert_id not in found)
        changes += [_withdrawn(each, self._reason(each, found), now.moment) for each in lost]
        for change in changes:
            self._book.put(change.alert)
        self._drop(found, now.settled - GAP)
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

    def _found(self, alarms: Sequence[DriftAlarm]) -> dict[str, list[DriftAlarm]]:
        """The episodes of *alarms* by the alert that each is."""
        found: dict[str, list[DriftAlarm]] = {}
        for episode in self._episodes(alarms):
            before = self._before(episode, found)
            found.setdefault(before.alert_id if before else self._name(episode[0]), []).extend(episode)
        return found

    def _sustained(self, rows: Sequence[DriftAlarm], found: dict[str, list[DriftAlarm]]) -> dict[str, list[DriftAlarm]]:
        """Of the active alerts that are not *found* those that *rows* of their days keep, and these rows."""
        lost = (alert for alert in self._book.all() if alert.active and alert.alert_id not in found)
        cells: dict[tuple[int, int], list[DriftAlarm]] = {}
        for row in rows:
            cells.setdefault((row.district, row.type), []).append(row)
        kept = (
            (alert, [row for row in cells.get((alert.district, alert.type), ()) if self._meets([row], alert)])
            for alert in lost
        )
        return {alert.alert_id: days for alert, days in kept if days and not self._into(alert, found)}

    def _meets(self, rows: list[DriftAlarm], alert: Alert) -> bool:
        """Whether the days from the first of *rows* to the last meet those of *alert*, in its cell and direction."""
        first, last = rows[0], rows[-1]
        if (first.district, first.type, _direction(first)) != (alert.district, alert.type, alert.direction):
            return False
        begun, ended = self._span(alert)
        return first.day <= ended and last.day >= begun

    def _span(self, alert: Alert) -> tuple[int, int]:
        """The days of its first alarm and of its last one."""
        return self._days.of(alert.first_alarm - 1), self._days.of(alert.last_alarm - 1)

    def _into(self, alert: Alert, found: dict[str, list[DriftAlarm]]) -> str:
        """The alert whose days meet those of *alert*, if there is one."""
        return next((name for name, rows in found.items() if self._meets(rows, alert)), "")

    def _reason(self, alert: Alert, found: dict[str, list[DriftAlarm]]) -> str:
        into = self._into(alert, found)
        return f"now part of {into}" if into else GONE

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

    def _before(self, episode: list[DriftAlarm], taken: Container[str]) -> Alert | None:
        """The active alert that goes on in *episode*."""
        first, last = episode[0], episode[-1]
        for alert in self._book.of(first.district, first.type):
            same = alert.direction == _direction(first) and alert.active and alert.alert_id not in taken
            if same and not self._beyond(self._span(alert), (first.day, last.day)):
                return alert
        return None

    def _beyond(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        earlier, later = sorted((one, other))
        return later[0] > earlier[1] and self._apart(earlier[1], later[0])

    def _known(self, name: str, of: DriftAlarm) -> Alert | None:
        known = (each for each in self._book.of(of.district, of.type) if each.alert_id == name)
        return next(known, None)

    def _change(self, name: str, episode: list[DriftAlarm], now: Judged) -> list[AlertChange]:
        """What became of the alert *name*, which *episode* is."""
        before = self._known(name, episode[0])
        if self._closed(episode[-1].day, now.newest):
            return [_withdrawn(before, REDEFINED, now.moment)] if before and before.active else []
        last = next((row for row in reversed(episode) if _may_be_told(row, now)), None)
        if last is None:
            return []
        alert = self._alert(name, (episode[0], last), before if before and before.active else None, now)
        if before is None or not before.active:
            return [AlertChange(now.moment, "raised", alert)]
        return [] if _same(before, alert) else [AlertChange(now.moment, "updated", alert)]

    def _alert(self, name: str, span: tuple[DriftAlarm, DriftAlarm], before: Alert | None, now: Judged) -> Alert:
        """The alert *name*, whose first alarm and the last that may be told are *span*."""
        first, last = span
        begun, end = self._days.bounds(first.day)[1], self._days.bounds(last.day)[1]
        return Alert(
            alert_id=name,
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
            episode=before.episode if before else begun,
            first_alarm=begun,
            last_alarm=end,
            active=True,
            raised_at=before.raised_at if before else now.moment,
            withdrawn_at=-1,
            completeness=float(now.complete(last.day)[last.type]),
            provisional=bool(last.provisional),
            feed_state=before.feed_state if before else now.feed,
            reason="",
            direction=_direction(last),
        )

    def _name(self, first: DriftAlarm) -> str:
        cell = self._rule.naming(first.district, first.type)
        series, episode = f"{cell}/{_direction(first)}", self._days.bounds(first.day)[1]
        return alert_id(self._rule.detector, self._rule.dataset, series, episode)

    def _drop(self, found: dict[str, list[DriftAlarm]], limit: int) -> None:
        """What ended before day *limit* stays as it is; days that something still hangs on are kept."""
        self._book.drop_before(self._days.bounds(max(limit, 0))[1])
        known = {alert.alert_id for alert in self._book.all()}
        kept = {id(row) for name, rows in found.items() if rows[-1].day >= limit or name in known for row in rows}
        spans: dict[tuple[int, int, str], list[tuple[int, int]]] = {}
        for alert in (each for each in self._book.all() if each.active):
            spans.setdefault((alert.district, alert.type, alert.direction), []).append(self._span(alert))
        self._settled = [row for row in self._settled if id(row) in kept or _hangs(row, spans)]


def _hangs(row: DriftAlarm, spans: Mapping[tuple[int, int, str], Sequence[tuple[int, int]]]) -> bool:
    """Whether *row* is a day of one of the *spans* of active alerts, by cell and direction."""
    of_cell = spans.get((row.district, row.type, _direction(row)), ())
    return any(begun <= row.day <= ended for begun, ended in of_cell)


def _place(alarm: DriftAlarm) -> tuple[int, int, int, int]:
    return alarm.district, alarm.type, alarm.direction, alarm.day


def _direction(alarm: DriftAlarm) -> Direction:
    return "more" if alarm.direction > 0 else "fewer"


def _may_be_told(row: DriftAlarm, now: Judged) -> bool:
    """Whether it is of records that are in: fewer may be what has not come yet."""
    return row.direction > 0 or (now.feed == "fresh" and now.complete(row.day)[row.type] >= _COMPLETE)


def _same(one: Alert, other: Alert) -> bool:
    """Whether both say the same of the same days: what was not in yet may be in now."""
    return replace(one, completeness=other.completeness) == other


def _withdrawn(alert: Alert, reason: str, moment: int) -> AlertChange:
    gone = replace(alert, active=False, withdrawn_at=moment, reason=reason)
    return AlertChange(moment, "withdrawn", gone)
