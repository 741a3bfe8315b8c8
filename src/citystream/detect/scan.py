"""An excess that is spread over neighbouring areas, across district borders: a prospective space-time scan.

Every hour and for each type: the zone of nearest areas (`zones`) and the duration (6, 12, 24 or 48 hours, ending now)
with the largest conditional Poisson ratio (`scan_statistic`), against what districts (`baseline`) and the areas' shares
of them (`area_shares`) let expect. Its score is -log10 of the chance of such a maximum (`scan_look`); how rare a score
is, the dataset's own past says (`recurrence`), because records are not as independent as chance would have them: an
alarm is an hour with RI >= 1/budget weeks. (Kulldorff 2001, J. R. Statist. Soc. A 164:61-72.)

The clock is the newest time at which anything was fetched. Windows are looked at when the clock has passed their end by
each of *ages*, with the records first seen by then; again only for the types of which something came since; score
first, then learn. How the clock is cut into calls, and in which order changes of one slot come, changes nothing. A
record that is taken away counts as never seen: the alarms of the last thirty days are judged again without it; what was
learnt from it, `go_back` lets learn again. The first 28 days are silent.

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

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import log10

import numpy as np

from citystream.detect.area_rows import AreaDeltas, seen_at_once
from citystream.detect.arrays import Floats, State, copied, under, within
from citystream.detect.local_days import LocalClock, LocalDays, shifted_clock
from citystream.detect.scan_alarms import AlarmBook, Looked, ScanAlarm, alarm_of
from citystream.detect.scan_learning import ScanLearning
from citystream.detect.scan_look import DURATIONS, FEWEST, Narrow, best_zones
from citystream.detect.zones import Zones, nearest_zones
from citystream.ports import Booleans, Integers

__all__ = ["Scan", "ScanAlarm", "ScanLook", "seen_at_once", "shifted_clock"]

_HOUR = 2
#: Alarms of windows that ended before so many slots stay as they are.
REACH = 30 * 48
_SLOTS_A_DAY = 48
_NEVER = -(1 << 40)
_OF_A_DAY = DURATIONS.index(_SLOTS_A_DAY)


@dataclass(frozen=True, slots=True)
class ScanLook:
    """What was found at one *moment* of the clock: *alarms*, and the types of which alarms were *revised* because
    records were taken away.
    """

    moment: int
    alarms: list[ScanAlarm]
    revised: list[int]


class Scan:
    """The areas of one dataset: their *places* in a plane, the district of each, and the zone of the city's *clock*.

    *budget*: false alarms a week; *ages*: slots after its end at which each window is looked at; *lag*: slots within
    which nothing is complete, until delays are known; *learn_after*: days; *slack*: as in `Looking`. *zones* other than
    the nearest areas may be given.
    """

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
        slack: int = 0,
        zones: Zones | None = None,
    ) -> None:
        self.budget = budget
        self.ages = ages
        self.zones = zones or nearest_zones(places)
        self.days = LocalDays(clock)
        self.learning = ScanLearning(self.zones, district_of, self.days, lag=lag, learn_after=learn_after, slack=slack)
        #: What was at least half as rare as an alarm has to be.
        self.alarms = AlarmBook(self.zones.members.__getitem__)
        #: The moment up to which time was passed.
        self.position = _NEVER
        self._before = DURATIONS[-1] + ages[-1] + _SLOTS_A_DAY * (learn_after + 2)
        self._fed: list[AreaDeltas] = []
        self._coming = self._came = self._odd = self._rows = AreaDeltas.none()
        self._next = _NEVER

    @property
    def day_end(self) -> int:
        """The moment at which the next local day begins."""
        return self.days.bounds(self.learning.today + 1)[0] + self.ages[0]

    def feed(self, changes: AreaDeltas) -> None:
        """Changes that came, in any order; those of a slot that is over already count as having come in the next."""
        if self.position > _NEVER:
            came = np.maximum(changes.came, self.position)
            changes = replace(changes, came=came, since=np.where(changes.delta > 0, came, changes.since))
        self._fed.append(changes)

    def advance(self, clock: int) -> list[ScanAlarm]:
        """Everything that came before slot *clock* is there: look and learn up to it. The alarms of these looks."""
        found: list[ScanAlarm] = []
        while (stop := self.stop(clock)) is not None:
            found += [alarm for look in self.pass_to(stop) for alarm in look.alarms]
            if stop == self.day_end:
                self.begin_day()
        return found

    def due(self) -> int:
        """The next moment at which something is looked at, or a day ends."""
        return min(self._next, self.day_end) if self.position > _NEVER else _NEVER

    def stop(self, clock: int) -> int | None:
        """Up to where time is passed at once: to *clock*, or to the end of the day; None if there is nothing to do."""
        self._sort()
        begun = self.position > _NEVER or self._begin(clock)
        return min(clock, self.day_end) if begun and self.position < clock else None

    def coming(self, stop: int) -> AreaDeltas:
        """What comes before the moment *stop*, and was not taken in yet."""
        return self._coming.take(slice(0, int(np.searchsorted(self._coming.came, stop))))

    def pass_to(self, stop: int) -> Iterator[ScanLook]:
        """Pass the time up to the moment *stop* of the same day, look by look, for as long as it is asked for more."""
        self._take(stop)
        while self._next <= stop:
            revised = self._turn(self._next)
            alarms = [alarm for age in self.ages for alarm in self._look(self._next - age, self._next)]
            if alarms or revised:
                yield ScanLook(self._next, alarms, revised)
            self._next += _HOUR
        if stop == self.day_end and (revised := self._turn(stop)):
            yield ScanLook(stop, [], revised)
        self.position = stop

    def begin_day(self, kept_from: int | None = None) -> None:
        """Learn what is old enough; the next day begins. Records are kept that are needed from now on, or from the
        moment *kept_from*, to which time may go back.
        """
        begins = self.day_end
        self.learning.new_day(self.learning.today + 1, self._rows, self._came, begins)
        self._came = AreaDeltas.none()
        self.alarms.drop_before(begins - REACH)
        moment, rows = begins if kept_from is None else kept_from, self._rows
        self._rows = rows.take((rows.slot >= moment - self._before) | (rows.since >= moment))

    def wrong_since(self, oldest: int) -> int | None:
        """When the first was seen of the records that were taken away since the last day began; of those first seen
        from slot *oldest* on; None if there are none.
        """
        came = self._came
        gone = came.since[(came.delta < 0) & (came.since < came.came) & (came.since >= oldest)]
        return int(gone.min()) if len(gone) else None

    def copy(self) -> State:
        """What is learnt when a day begins, for `go_back`."""
        return copied(self.learning.learnt() | {"position": np.array([self.position, self._next])})

    def go_back(self, copy: State) -> None:
        """To when *copy* was made, and from there once more: records that were taken away since never came."""
        self._sort()
        self.position, self._next = (int(each) for each in copy["position"].tolist())
        self.learning.restore(copy)
        self.learning.past.forget_from(self._next)
        self.alarms.keep(lambda alarm: alarm.looked_at <= self.position)
        rows = self._rows.standing()
        again = rows.take(rows.since >= self.position)
        self._rows = rows.take(rows.since < self.position)
        self._coming = AreaDeltas.joined([again.by(again.came), self._coming])
        self._came = self._odd = AreaDeltas.none()

    def state(self) -> State:
        """Everything that later looks depend on."""
        self._sort()
        made: State = {"next": np.array([self._next, self.position], np.int64)}
        for name, part in (("coming", self._coming), ("came", self._came), ("odd", self._odd), ("rows", self._rows)):
            made |= under(part.state(), name)
        return made | under(self.alarms.state(), "alarms") | under(self.learning.state(), "learning")

    def restore(self, state: State) -> None:
        """Go on from what `state` gave."""
        self._next, self.position = (int(each) for each in state["next"].tolist())
        self._fed.clear()
        self._coming, self._came, self._odd, self._rows = (
            AreaDeltas.restored(within(state, name)) for name in ("coming", "came", "odd", "rows")
        )
        self.learning.restore(within(state, "learning"))
        self.alarms.restore(within(state, "alarms"))

    def _sort(self) -> None:
        """Changes in the order in which they came."""
        if self._fed:
            joined = AreaDeltas.joined([self._coming, *self._fed])
            self._coming = joined.by(joined.came)
            self._fed.clear()

    def _begin(self, clock: int) -> bool:
        """Begin on the local day on which the first change came (or would have, were there no delay)."""
        if not len(self._coming) or self._coming.came[0] >= clock:
            return False
        day = self.days.of(int(self._coming.came[0]) - self.ages[0])
        first = self._coming.take(self._coming.came == self._coming.came[0])
        self.learning.begin(day, int(first.type.max()) + 1)
        start, _ = self.days.bounds(day)
        self.position = start + self.ages[0]
        self._next = self.position + start % _HOUR
        return True

    def _take(self, moment: int) -> None:
        """Take in what came before *moment*; looks before it leave out what came later."""
        came = self.coming(moment)
        self._coming = self._coming.take(slice(len(came), None))
        self._came = AreaDeltas.joined([self._came, came])
        self._rows = self._rows.inserted(came)
        odd = came.take((came.delta < 0) | (came.type >= self.learning.shape[1]))
        self._odd = AreaDeltas.joined([self._odd, odd])

    def _turn(self, moment: int) -> list[int]:
        """Before *moment*, make room for types that are new, and judge alarms again by what was taken away."""
        after = int(np.searchsorted(self._odd.came, moment))
        if not after:
            return []
        odd, self._odd = self._odd.take(slice(0, after)), self._odd.take(slice(after, None))
        self.learning.grow(int(odd.type.max()) + 1)
        gone = odd.take(odd.delta < 0)
        kinds = set(gone.type.tolist())
        self.alarms.judge_again(lambda alarm, expected: self._again(alarm, expected, moment, kinds))
        return sorted(kinds)

    def _look(self, end: int, moment: int) -> list[ScanAlarm]:
        kinds = self._to_look_at(end, moment) if self.learning.warm else None
        if kinds is None or not kinds.any():
            return []
        counts = self._counts(end, moment, moment)
        if counts[:, -1].sum(axis=0).max(initial=0) < FEWEST:
            return []
        expected = self.learning.expected(end, moment)
        best = best_zones(self.zones, counts, expected, kinds)
        scores = self.learning.scores(best)
        self.learning.past.put(end, moment, best.zone, scores)
        log_weeks = self.learning.map.log_weeks_of(scores)
        found = []
        for kind in np.flatnonzero((log_weeks >= log10(0.5 / self.budget)) & (best.ratio > 0)).tolist():
            each = expected[:, :, kind].astype(np.float32)
            alarm = alarm_of(
                Looked(end, moment, kind, counts[:, :, kind], each), best, kind, self.learning, self.budget
            )
            self.alarms.put(alarm, each)
            if log_weeks[kind] >= -log10(self.budget):
                found.append(alarm)
        return found

    def _to_look_at(self, end: int, moment: int) -> Booleans:
        """The types of which something came since the last look at the window before *end*."""
        age = moment - end
        if age == self.ages[0]:
            return np.ones(self.learning.shape[1], bool)
        before = end + self.ages[self.ages.index(age) - 1]
        near = self._near(end)
        came = (near.came >= before) & (near.came < moment)
        return np.bincount(near.type[came], minlength=self.learning.shape[1]) > 0

    def _near(self, end: int) -> AreaDeltas:
        """The records of the longest window before *end*."""
        first, after = np.searchsorted(self._rows.slot, [end - DURATIONS[-1], end])
        return self._rows.take(slice(int(first), int(after)))

    def _counts(self, end: int, seen_by: int, known_by: int, kind: int = -1) -> Floats:
        """(areas, durations, types) of the records seen before *seen_by*, by what came before *known_by*; of one type,
        if *kind* is given.
        """
        near = self._near(end)
        near = near.take((near.since < seen_by) & (near.came < known_by) & ((near.type == kind) | (kind < 0)))
        areas, types = self.learning.shape
        kinds = near.type if kind < 0 else np.zeros_like(near.type)
        shortest = np.searchsorted(DURATIONS, end - near.slot)
        shortest = np.where(near.timed > 0, shortest, np.maximum(shortest, _OF_A_DAY))
        shape = areas, len(DURATIONS), types if kind < 0 else 1
        return np.asarray(near.counts(shape, near.area, shortest, kinds).cumsum(axis=1))

    def _again(self, alarm: ScanAlarm, each: Narrow, moment: int, kinds: set[int]) -> ScanAlarm:
        """What is left of *alarm* by what came before *moment*; untouched if none of its records was taken away."""
        if alarm.type not in kinds:
            return alarm
        counts = self._counts(alarm.end, alarm.looked_at, moment, alarm.type)
        best = best_zones(self.zones, counts, each[:, :, None].astype(np.float64))
        if int(best.observed[0]) == alarm.observed and int(best.zone[0]) == alarm.zone:
            return alarm
        look = Looked(alarm.end, alarm.looked_at, alarm.type, counts[:, :, 0], each)
        again = alarm_of(look, best, 0, self.learning, self.budget)
        return replace(again, completeness=alarm.completeness, provisional=alarm.provisional)
