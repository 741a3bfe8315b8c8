"""From alarms to alerts: what is raised, updated and withdrawn at one moment, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log10

import numpy as np

from citystream.detect.arrays import State
from citystream.detect.episodes import (
    Alert,
    AlertBook,
    AlertChange,
    Episode,
    alert_id,
    episodes_of,
    sustaining,
)
from citystream.detect.feed import FeedState
from citystream.detect.judging import Standard, Windows, completeness_of, count_window, score_of
from citystream.detect.rows import Rows, cell_codes, district_of, type_of
from citystream.detect.scores import ScoreBook, Scored
from citystream.detect.tail import LENGTHS, quantile
from citystream.ports import Booleans

#: How a cell is called in an alert's id, by district and type.
Naming = Callable[[int, int], str]
#: Whether what is said of a window (cell, end) rests on little.
Provisional = Callable[[int, int, int], bool]

GONE = "records were moved, merged or removed"


def codes_as_names(district: int, kind: int) -> str:
    """The cell by its codes."""
    return f"{district}/{kind}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Whose alerts they are, and how rare an alarm has to be: once in 1/*budget* weeks."""

    detector: str
    dataset: str
    budget: float
    naming: Naming = codes_as_names

    def alarms(self, looks: Scored) -> Booleans:
        """Which looks are alarms."""
        return np.asarray(looks.log_weeks >= log10(1 / self.budget))


class Alerting:
    """Follows the alerts of all cells."""

    def __init__(self, rule: Rule, standard: Standard, scores: ScoreBook, provisional: Provisional) -> None:
        self.rule = rule
        self.alerts = AlertBook()
        self._standard = standard
        self._scores = scores
        self._provisional = provisional
        self.limit = 0

    def drop_before(self, slot: int) -> None:
        """Alerts and alarms of windows that ended before *slot* stay as they are."""
        self.limit = slot
        self.alerts.drop_before(slot)

    def cells(self) -> list[int]:
        """Codes of the cells that have alerts."""
        return sorted({_code(alert) for alert in self.alerts.all()})

    def state(self) -> State:
        """As arrays."""
        return self.alerts.state() | {"limit": np.array([self.limit])}

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        self.limit = int(state["limit"][0])
        self.alerts.restore(state)

    def settle(self, code: int, moment: int, rows: Rows, feed_state: FeedState) -> list[AlertChange]:
        """What happened to the alerts of one cell by the looks up to *moment*."""
        district, kind = _cell(code)
        known = {alert.alert_id: alert for alert in self.alerts.of(district, kind)}
        entries = self._scores.of_cell(code, moment)
        alarms, found = self._episodes(entries, district, kind, list(known.values()))
        changes = []
        for name, episode in found.items():
            before = known.get(name)
            since = (before.raised_at, before.feed_state) if before and before.active else (moment, feed_state)
            changes += _difference(before, self._alert(name, episode, alarms, since), moment)
        for alert in known.values():
            if alert.active and alert.alert_id not in found:
                changes.append(self._withdraw(alert, moment, rows, found))
        for change in changes:
            self.alerts.put(change.alert)
        return changes

    def _name(self, district: int, kind: int, episode: int) -> str:
        return alert_id(self.rule.detector, self.rule.dataset, self.rule.naming(district, kind), episode)

    def _episodes(
        self, entries: Scored, district: int, kind: int, known: list[Alert]
    ) -> tuple[Scored, dict[str, Episode]]:
        """The alarms of a cell, and its episodes by alert id; alerts that something still sustains keep theirs."""
        alarms = entries.take(self.rule.alarms(entries))
        found = self._named(alarms, district, kind)
        parts = [alarms]
        for alert in known:
            if alert.active and alert.alert_id not in found:
                places = sustaining(entries, alert, self.rule.budget)
                parts += [_anchor(entries.take(places[:1]), alert), entries.take(places)] if len(places) else []
        if len(parts) > 1:
            alarms = Scored.joined(parts)
            found = self._named(alarms, district, kind)
        return alarms, found

    def _named(self, alarms: Scored, district: int, kind: int) -> dict[str, Episode]:
        episodes = (each for each in episodes_of(alarms) if each.last_end >= self.limit)
        return {self._name(district, kind, each.first): each for each in episodes}

    def _alert(self, name: str, episode: Episode, alarms: Scored, since: tuple[int, FeedState]) -> Alert:
        """An episode as an alert that was raised *since* a moment, by the feed's state at that."""
        best = alarms.take(np.array([episode.best]))
        end, length = int(best.end[0]), int(best.length[0])
        district, kind = _cell(int(best.code[0]))
        expected, spread = float(best.expected[0]), float(best.spread[0])
        complete = completeness_of(self._standard, Windows(best.code, best.end, best.moment), length)
        return Alert(
            alert_id=name,
            district=district,
            type=kind,
            window_start=end - LENGTHS[length],
            window_end=end,
            observed=int(best.observed[0]),
            expected=expected,
            lo95=quantile(expected, spread, 0.025),
            hi95=quantile(expected, spread, 0.975),
            score=float(best.score[0]),
            recurrence_days=7 * 10 ** float(best.log_weeks[0]),
            episode=episode.first,
            first_alarm=episode.first_end,
            last_alarm=episode.last_end,
            active=True,
            raised_at=since[0],
            withdrawn_at=-1,
            completeness=complete,
            provisional=self._provisional(district, kind, end),
            feed_state=since[1],
            reason="",
        )

    def _withdraw(self, alert: Alert, moment: int, rows: Rows, found: dict[str, Episode]) -> AlertChange:
        """*alert* with what its window holds now, and why it is taken back."""
        others = (name for name, each in found.items() if each.first_end <= alert.last_alarm <= each.last_end)
        into = next(others, "")
        window = Windows(*(np.array([value], np.int64) for value in (_code(alert), alert.window_end, moment)))
        now = count_window(self._standard, rows, window, LENGTHS.index(alert.window_end - alert.window_start))
        expected, spread, score = float(now.expected[0]), float(now.spread[0]), score_of(now)
        weeks = self._standard.recurrence.newest.weeks_of(score)
        gone = replace(
            alert,
            observed=int(now.observed[0]),
            expected=expected,
            lo95=quantile(expected, spread, 0.025),
            hi95=quantile(expected, spread, 0.975),
            score=float(score[0]),
            recurrence_days=7 * float(weeks[0]),
            active=False,
            withdrawn_at=moment,
            reason=f"now part of {into}" if into else GONE,
        )
        return AlertChange(moment, "withdrawn", gone)


def _cell(code: int) -> tuple[int, int]:
    """District and type of a cell code."""
    codes = np.array([code], np.int64)
    return int(district_of(codes)[0]), int(type_of(codes)[0])


def _code(alert: Alert) -> int:
    cell = np.array([alert.district], np.int64), np.array([alert.type], np.int64)
    return int(cell_codes(*cell, np.ones(1, bool))[0])


def _anchor(entry: Scored, alert: Alert) -> Scored:
    """*entry* as if it were the first alarm of *alert*, so that what sustains it keeps its name."""
    at = np.array([alert.episode]), np.array([alert.raised_at])
    return replace(entry, end=at[0], moment=at[1], score=np.array([-1.0]))


def _difference(before: Alert | None, now: Alert, moment: int) -> list[AlertChange]:
    """Nothing if the alert stands as before."""
    if before is None or not before.active:
        return [AlertChange(moment, "raised", now)]
    return [] if before == now else [AlertChange(moment, "updated", now)]
