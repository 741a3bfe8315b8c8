"""An excess that is spread over neighbouring areas, across district borders: a prospective space-time scan.

Every hour and for each type: the zone of nearest areas (`zones`) and the duration (6, 12, 24 or 48 hours, ending now)
with the largest conditional Poisson ratio (`scan_statistic`), against what districts (`baseline`) and the areas' shares
of them (`area_shares`) let expect. Its score is -log10 of the chance of such a maximum (`scan_look`); how rare a score
is, the dataset's own past says (`recurrence`), because records are not as independent as chance would have them: an
alarm is an hour with RI >= 1/budget weeks. (Kulldorff 2001, J. R. Statist. Soc. A 164:61-72.)

The clock is the newest time at which anything was fetched. Windows are looked at when the clock has passed their end by
each of *ages*, with the records first seen by then; score first, then learn. How the clock is cut into calls, and in
which order changes of one slot come, changes nothing. A record that is taken away counts as never seen: the alarms of
the last thirty days are judged again without it. The first 28 days are silent.

>>> import numpy as np
>>> places = np.array([[0.0, 0], [1, 0], [2, 0], [9, 9], [9, 8], [8, 9]])
>>> scan = Scan(places, np.array([0, 0, 1, 1, 1, 1]), clock=shifted_clock(0))
>>> usual = np.arange(48 * 60)
>>> burst = np.full(40, 48 * 58)
>>> scan.feed(seen_at_once(usual, usual * 5 % 6, 0 * usual))
>>> scan.feed(seen_at_once(burst, 1 + np.arange(40) % 2, 0 * burst))
>>> found = scan.advance(48 * 58 + 4)
>>> found[0].areas, found[0].slots, found[0].observed
((1, 2), 12, 44)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log10

import numpy as np

from citystream.detect.area_rows import AreaDeltas, seen_at_once
from citystream.detect.arrays import Floats, State, under, within
from citystream.detect.local_days import LocalClock, LocalDays, shifted_clock
from citystream.detect.scan_learning import ScanLearning
from citystream.detect.scan_look import DURATIONS, Best, best_zones
from citystream.detect.tail import quantile
from citystream.detect.zones import Zones, nearest_zones
from citystream.ports import Integers

__all__ = ["Scan", "ScanAlarm", "seen_at_once", "shifted_clock"]

_HOUR = 2
_REACH = 30 * 48
_SLOTS_A_DAY = 48
_NEVER = -(1 << 40)
_CHANCE_ONLY = 1e-9  # the spread of counts whose mean is known


@dataclass(frozen=True, slots=True)
class ScanAlarm:
    """One hour at which one type had a rare excess somewhere.

    *end*: the slot before which the window ends; *looked_at*: before which slot of the clock; *slots*: its length;
    *zone*: its number, and the *areas* of it; *expected* and its range if only chance were at work; *active*: still at
    least half as rare as an alarm has to be; *provisional*: judged before the dataset's own past was long enough.
    """

    end: int
    looked_at: int
    type: int
    slots: int
    zone: int
    areas: tuple[int, ...]
    observed: int
    expected: float
    lo95: int
    hi95: int
    score: float
    recurrence_days: float
    active: bool
    provisional: bool


class Scan:
    """The areas of one dataset: their *places* in a plane, the district of each, and the zone of the city's *clock*.

    *budget*: false alarms a week; *ages*: slots after its end at which each window is looked at; *lag*: slots within
    which nothing is complete, until delays are known; *learn_after*: days. *zones* other than the nearest areas may be
    given.
    """

    name = "scan"

    def __init__(
        self,
        places: Floats,
        district_of: Integers,
        *,
        clock: LocalClock,
        budget: float = 0.5,
        ages: tuple[int, ...] = (0,),
        lag: int = 0,
        learn_after: int = 1,
        zones: Zones | None = None,
    ) -> None:
        self.budget = budget
        self.ages = ages
        self.zones = zones or nearest_zones(places)
        self._days = LocalDays(clock)
        self._learning = ScanLearning(self.zones, district_of, self._days, lag, learn_after)
        self._kept = _REACH + DURATIONS[-1] + ages[-1] + _SLOTS_A_DAY * (learn_after + 1)
        self._fed: list[AreaDeltas] = []
        self._coming = self._came = self._rows = AreaDeltas.none()
        self._next = _NEVER
        self._alarms: list[tuple[ScanAlarm, Floats]] = []

    def feed(self, changes: AreaDeltas) -> None:
        """Changes that came, in any order."""
        self._fed.append(changes)

    def advance(self, clock: int) -> list[ScanAlarm]:
        """Everything that came before slot *clock* is there: look and learn up to it. The alarms of these looks."""
        coming = AreaDeltas.joined([self._coming, *self._fed])
        self._coming = coming.by(coming.came)
        self._fed.clear()
        if self._next == _NEVER and not self._begin(clock):
            return []
        found: list[ScanAlarm] = []
        while self._next <= clock:
            self._begin_days(self._next)
            self._take(self._next)
            for age in self.ages:
                found += self._look(self._next - age, self._next)
            self._next += _HOUR
        return found

    def standing(self, clock: int) -> list[ScanAlarm]:
        """The alarms of the last thirty days, without the records that were taken away before slot *clock*."""
        coming = AreaDeltas.joined([self._coming, *self._fed])
        rows = AreaDeltas.joined([self._rows, coming.take(coming.came < clock)])
        rows = rows.by(rows.slot)
        return [self._again(alarm, expected, rows) for alarm, expected in self._alarms]

    def state(self) -> State:
        """Everything that later looks depend on."""
        coming = AreaDeltas.joined([self._coming, *self._fed])
        made: State = {"next": np.array([self._next], np.int64)}
        for name, part in (("coming", coming), ("came", self._came), ("rows", self._rows)):
            made |= under(part.state(), name)
        numbers = [(a.end, a.looked_at, a.type, a.slots, a.zone, a.observed) for a, _ in self._alarms]
        made["alarms"] = np.array(numbers, np.int32).reshape(-1, 6)
        measured = [(a.expected, a.score, a.recurrence_days, a.provisional) for a, _ in self._alarms]
        made["measured"] = np.array(measured, np.float64).reshape(-1, 4)
        made["expected"] = np.array([expected for _, expected in self._alarms])
        return made | under(self._learning.state(), "learning")

    def restore(self, state: State) -> None:
        """Go on from what `state` gave."""
        self._next = int(state["next"][0])
        self._fed.clear()
        self._coming, self._came, self._rows = (
            AreaDeltas.restored(within(state, name)) for name in ("coming", "came", "rows")
        )
        self._learning.restore(within(state, "learning"))
        rows = zip(state["alarms"].tolist(), state["measured"].tolist(), state["expected"], strict=True)
        self._alarms = [
            (self._made(tuple(whole), tuple(measured)), np.array(expected, np.float64))
            for whole, measured, expected in rows
        ]

    def _begin(self, clock: int) -> bool:
        """Begin on the local day of the first record that is known when anything came."""
        if not len(self._coming) or self._coming.came[0] >= clock:
            return False
        first = self._coming.take(self._coming.came == self._coming.came[0])
        day = self._days.of(int(first.slot.min()))
        self._learning.begin(day, int(first.type.max()) + 1)
        start, _ = self._days.bounds(day)
        self._next = start + start % _HOUR + self.ages[0]
        return True

    def _take(self, moment: int) -> None:
        """Take in what came before *moment*."""
        after = int(np.searchsorted(self._coming.came, moment))
        if not after:
            return
        came, self._coming = self._coming.take(slice(0, after)), self._coming.take(slice(after, None))
        self._learning.grow(int(came.type.max()) + 1)
        self._came = AreaDeltas.joined([self._came, came])
        self._rows = self._rows.inserted(came)

    def _begin_days(self, moment: int) -> None:
        """Begin the local days whose first slot is *ages* [0] before *moment*, or earlier."""
        while True:
            day = self._learning.today + 1
            start, _ = self._days.bounds(day)
            begins = start + self.ages[0]
            if begins >= moment:
                return
            self._take(begins)
            self._learning.new_day(day, self._rows, self._came, begins)
            self._came = AreaDeltas.none()
            self._rows = self._rows.take(self._rows.slot >= begins - self._kept)
            self._alarms = [each for each in self._alarms if each[0].end > begins - _REACH]

    def _look(self, end: int, moment: int) -> list[ScanAlarm]:
        if not self._learning.warm:
            return []
        counts = self._counts(self._rows, end, moment)
        expected = self._learning.expected(end, moment)
        best = best_zones(self.zones, counts, expected)
        scores = self._learning.scores(best)
        if moment - end == self.ages[0]:
            self._learning.remember(end, scores)
        log_weeks = self._learning.map.log_weeks_of(scores)
        found = []
        for kind in np.flatnonzero((log_weeks >= -log10(self.budget)) & (best.ratio > 0)).tolist():
            alarm = self._alarm((end, moment, kind), best, kind, float(scores[kind]))
            self._alarms.append((alarm, expected[:, :, kind : kind + 1].copy()))
            found.append(alarm)
        return found

    def _counts(self, rows: AreaDeltas, end: int, moment: int, kind: int = -1) -> Floats:
        """(areas, durations, types) of *rows* (by slot) seen before *moment*; of one type, if *kind* is given."""
        first, after = np.searchsorted(rows.slot, [end - DURATIONS[-1], end])
        near = rows.take(slice(int(first), int(after)))
        near = near.take((near.since < moment) & ((near.type == kind) | (kind < 0)))
        areas, types = self._learning.shape
        kinds = near.type if kind < 0 else np.zeros_like(near.type)
        made = np.zeros((areas, len(DURATIONS), types if kind < 0 else 1))
        for place, slots in enumerate(DURATIONS):
            held = (near.slot >= end - slots) & ((near.timed > 0) | (slots >= _SLOTS_A_DAY))
            part = near.take(held)
            made[:, place] = part.counts((areas, made.shape[2]), part.area, kinds[held])
        return made

    def _alarm(self, look: tuple[int, int, int], best: Best, place: int, score: float) -> ScanAlarm:
        whole = (*look, DURATIONS[int(best.duration[place])], int(best.zone[place]), int(best.observed[place]))
        log_weeks = float(self._learning.map.log_weeks_of(np.array([score]))[0])
        cold = float(not len(self._learning.map.maxima))
        return self._made(whole, (float(best.expected[place]), score, 7 * 10 ** min(log_weeks, 12.0), cold))

    def _made(self, whole: tuple[int, ...], measured: tuple[float, ...]) -> ScanAlarm:
        end, looked_at, kind, slots, zone, observed = whole
        expected, score, days, cold = measured
        return ScanAlarm(
            end=end,
            looked_at=looked_at,
            type=kind,
            slots=slots,
            zone=zone,
            areas=tuple(self.zones.members[zone].tolist()),
            observed=observed,
            expected=expected,
            lo95=quantile(max(expected, 1e-9), _CHANCE_ONLY, 0.025),
            hi95=quantile(max(expected, 1e-9), _CHANCE_ONLY, 0.975),
            score=score,
            recurrence_days=days,
            active=days >= 7 / (2 * self.budget),
            provisional=bool(cold),
        )

    def _again(self, alarm: ScanAlarm, expected: Floats, rows: AreaDeltas) -> ScanAlarm:
        """What is left of *alarm*; untouched if none of its records was taken away."""
        best = best_zones(self.zones, self._counts(rows, alarm.end, alarm.looked_at, alarm.type), expected)
        if int(best.observed[0]) == alarm.observed and int(best.zone[0]) == alarm.zone:
            return alarm
        score = self._learning.score_of(alarm.type, float(best.cases[0]), float(best.ratio[0]))
        again = self._alarm((alarm.end, alarm.looked_at, alarm.type), best, 0, score)
        return replace(again, provisional=alarm.provisional)
