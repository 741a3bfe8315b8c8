"""Alarms of `scan`: the looks at which a type had a rare excess somewhere, and what was expected of each area then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from math import log10
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components

from citystream.detect.arrays import Floats, State
from citystream.detect.scan_learning import ScanLearning
from citystream.detect.scan_look import DURATIONS, Best, Narrow
from citystream.detect.scan_past import GAP
from citystream.detect.tail import quantile
from citystream.ports import Integers

_CHANCE_ONLY = 1e-9  # the spread of counts whose mean is known
_TINY = 1e-30
_MOST = 12.0
_MEASURED = ("expected", "score", "recurrence_days", "completeness")
_SAID = ("active", "provisional")
_OF_ZONE = "areas"


@dataclass(frozen=True, slots=True)
class ScanAlarm:
    """One hour at which one type had a rare excess somewhere.

    *end*: the slot before which the window ends; *looked_at*: before which slot of the clock; *slots*: its length;
    *zone*: its number, and the *areas* of it, of which *peak* has the largest excess; *expected* and its range if only
    chance were at work; *completeness*: the share of the window's records that is usually in by then; *active*: still
    at least half as rare as an alarm has to be; *provisional*: judged before the dataset's own past was long enough.
    """

    end: int
    looked_at: int
    type: int
    slots: int
    zone: int
    areas: tuple[int, ...]
    peak: int
    observed: int
    expected: float
    lo95: int
    hi95: int
    score: float
    recurrence_days: float
    completeness: float
    active: bool
    provisional: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """One look at one *type*: the *end* of its windows, the *moment* of the clock, and what each area held and was
    expected to hold, by (areas, durations).
    """

    end: int
    moment: int
    type: int
    counts: Floats
    expected: Narrow


def alarm_of(look: Looked, best: Best, place: int, learning: ScanLearning, budget: float) -> ScanAlarm:
    """What *best* has at *place* of *look*, as an alarm if one in 1/*budget* weeks is one."""
    score = learning.score_of(look.type, float(best.cases[place]), float(best.ratio[place]))
    log_weeks = float(learning.map.log_weeks_of(np.array([score]))[0])
    duration, zone, expected = int(best.duration[place]), int(best.zone[place]), float(best.expected[place])
    areas, slots = learning.zones.members[zone], DURATIONS[duration]
    usual = look.expected[areas, duration].astype(np.float64)
    excess = look.counts[areas, duration] - usual * (expected / max(float(usual.sum()), _TINY))
    return ScanAlarm(
        end=look.end,
        looked_at=look.moment,
        type=look.type,
        slots=slots,
        zone=zone,
        areas=tuple(areas.tolist()),
        peak=int(areas[int(excess.argmax())]),
        observed=int(best.observed[place]),
        expected=expected,
        lo95=quantile(max(expected, _CHANCE_ONLY), _CHANCE_ONLY, 0.025),
        hi95=quantile(max(expected, _CHANCE_ONLY), _CHANCE_ONLY, 0.975),
        score=score,
        recurrence_days=7 * 10 ** min(log_weeks, _MOST),
        completeness=learning.completeness(look.type, look.end, look.moment, slots),
        active=log_weeks >= log10(0.5 / budget),
        provisional=not len(learning.map.maxima),
    )


def together(alarms: Sequence[ScanAlarm], joined: Sequence[Sequence[ScanAlarm]] = ()) -> list[list[ScanAlarm]]:
    """The episodes of one type's *alarms*: those of windows that end at most 24 hours apart and share an area, or end
    at once, belong together; those of each of *joined*, which are among *alarms*, in any case.
    """
    if not alarms:
        return []
    ends = np.array([alarm.end for alarm in alarms])
    inside = np.zeros((len(alarms), max(max(alarm.areas) for alarm in alarms) + 1), np.float32)
    for place, alarm in enumerate(alarms):
        inside[place, list(alarm.areas)] = 1
    apart = np.abs(ends[:, None] - ends)
    linked = (apart == 0) | ((apart <= GAP) & (inside @ inside.T > 0))
    places = {id(alarm): place for place, alarm in enumerate(alarms)}
    for group in joined:
        linked[places[id(group[0])], [places[id(alarm)] for alarm in group]] = True
    count, label = connected_components(linked, directed=False)
    return [[alarms[place] for place in np.flatnonzero(label == each).tolist()] for each in range(count)]


class AlarmBook:
    """The alarms that may still change, in the order in which they came, each with what was expected of (areas,
    durations) at that look; *areas_of* gives the areas of a zone.
    """

    def __init__(self, areas_of: Callable[[int], Integers]) -> None:
        self._areas_of = areas_of
        self._alarms: list[ScanAlarm] = []
        self._expected: list[Narrow] = []

    def put(self, alarm: ScanAlarm, expected: Narrow) -> None:
        """One more."""
        self._alarms.append(alarm)
        self._expected.append(expected)

    def all(self) -> list[ScanAlarm]:
        """All of them."""
        return list(self._alarms)

    def of(self, kind: int) -> list[ScanAlarm]:
        """Those of one type."""
        return [alarm for alarm in self._alarms if alarm.type == kind]

    def judge_again(self, judged: Callable[[ScanAlarm, Narrow], ScanAlarm]) -> None:
        """Put what *judged* says of each alarm, by what was expected, in its place."""
        self._alarms = [judged(*pair) for pair in zip(self._alarms, self._expected, strict=True)]

    def drop_before(self, slot: int) -> None:
        """Forget the alarms of windows that ended before *slot*, unless what they may belong to went on after it."""
        begun = {alarm.type: slot for alarm in self._alarms}
        for alarm in sorted(self._alarms, key=lambda alarm: -alarm.end):
            if begun[alarm.type] - alarm.end <= GAP:
                begun[alarm.type] = min(begun[alarm.type], alarm.end)
        later = {alarm.type for alarm in self._alarms if alarm.end >= slot}
        self.keep(lambda alarm: alarm.end >= (begun[alarm.type] if alarm.type in later else slot))

    def keep(self, which: Callable[[ScanAlarm], bool]) -> None:
        """Forget the others."""
        kept = [place for place, alarm in enumerate(self._alarms) if which(alarm)]
        self._alarms = [self._alarms[place] for place in kept]
        self._expected = [self._expected[place] for place in kept]

    def state(self) -> State:
        """As arrays."""
        made: State = {
            each.name: np.array([getattr(alarm, each.name) for alarm in self._alarms], _kind_of(each.name))
            for each in fields(ScanAlarm)
            if each.name != _OF_ZONE
        }
        return made | {"each": np.array(self._expected, np.float32)}

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        names = [each.name for each in fields(ScanAlarm) if each.name != _OF_ZONE]
        rows: list[dict[str, Any]] = [
            dict(zip(names, row, strict=True)) for row in zip(*(state[name].tolist() for name in names), strict=True)
        ]
        self._alarms = [ScanAlarm(**row, areas=tuple(self._areas_of(row["zone"]).tolist())) for row in rows]
        self._expected = [np.array(each, np.float32) for each in state["each"]]


def _kind_of(name: str) -> type[np.generic]:
    return np.float64 if name in _MEASURED else np.bool_ if name in _SAID else np.int64
