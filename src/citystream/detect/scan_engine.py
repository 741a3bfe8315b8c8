"""`scan` as it follows the store: what is told of areas becomes alarms every hour, and alarms become alerts.

What was learnt from records that are taken away later is learnt again at the next local midnight: what is remembered is
put aside every week, and from there the time is passed once more without them, so that nothing of them stays. Of
records that were first seen before the oldest copy, four to five weeks ago, only the alarms are judged again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from citystream.detect.alerting import Naming, Rule, codes_as_names
from citystream.detect.area_rows import AreaDeltas
from citystream.detect.arrays import Floats, State, copied, under, within
from citystream.detect.arrivals import Arrivals
from citystream.detect.changes import PaneDeltas
from citystream.detect.episodes import Alert, AlertChange
from citystream.detect.feed import FeedState
from citystream.detect.learning import Looking
from citystream.detect.local_days import LocalClock
from citystream.detect.scan import REACH, Scan
from citystream.detect.scan_alerts import ScanAlerts
from citystream.ports import Integers

_DAYS_BETWEEN_COPIES = 7
_COPIES = 5


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """What is asked of `scan` in one dataset: *budget* false alerts are expected a week, anywhere; *places* of its
    areas in a plane, and the district of each as a small number.
    """

    dataset: str
    places: Floats
    district_of: Integers
    budget: float = 0.5
    looking: Looking = field(default_factory=Looking)
    naming: Naming = codes_as_names


class ScanEngine:
    """The engine: `feed` it with changes, whose districts are areas, `advance` its clock, get what happened to alerts.

    The district of an alert is the area that has most of it.
    """

    def __init__(self, settings: ScanSettings, clock: LocalClock) -> None:
        self.settings = settings
        self._scan = Scan(
            settings.places,
            settings.district_of,
            clock=clock,
            budget=settings.budget,
            ages=settings.looking.ages,
            lag=settings.looking.lag,
            learn_after=settings.looking.learn_after,
            slack=settings.looking.slack,
        )
        self._alerts = ScanAlerts(Rule("scan", settings.dataset, settings.budget, settings.naming))
        self._copies: list[State] = []
        self._arrivals = Arrivals()
        #: The state of the feed at the moments that were passed last, where that is watched.
        self._feed: dict[int, FeedState] = {}

    def feed(self, changes: PaneDeltas) -> None:
        """Changes that came, in any order."""
        self._scan.feed(AreaDeltas(*changes.columns))

    def advance(self, clock: int) -> tuple[AlertChange, ...]:
        """Everything that came before slot *clock* of the clock is there: judge and learn up to it."""
        changes: list[AlertChange] = []
        while (stop := self._scan.stop(clock)) is not None:
            self._watch(stop)
            for look in self._scan.pass_to(stop):
                changes += self._settle({*look.revised, *(alarm.type for alarm in look.alarms)}, look.moment)
            if stop == self._scan.day_end:
                changes += self._relearn(stop)
                self._begin_day()
        return tuple(changes)

    def due(self) -> int:
        """The next moment at which it looks at something, or a day ends."""
        return self._scan.due()

    def alerts(self) -> list[Alert]:
        """The alerts that may still change, as they stand."""
        return self._alerts.all()

    def state(self) -> State:
        """Everything that later results depend on, as arrays."""
        made = under(self._scan.state(), "scan") | under(self._alerts.state(), "alerts")
        made |= under(self._arrivals.state(), "arrivals")
        for place, copy in enumerate(self._copies):
            made |= under(copy, f"copy{place}")
        return copied(made)

    def restore(self, state: State) -> None:
        """Take what `state` gave, of an engine with the same settings."""
        self._scan.restore(within(state, "scan"))
        self._alerts.restore(within(state, "alerts"))
        self._arrivals.restore(within(state, "arrivals"), self._scan.days)
        copies = (within(state, f"copy{place}") for place in range(_COPIES))
        self._copies = [copy for copy in copies if copy]

    def _settle(self, kinds: Iterable[int], moment: int) -> list[AlertChange]:
        changes: list[AlertChange] = []
        for kind in sorted(kinds):
            feed = self._feed.get(moment, "fresh")
            changes += self._alerts.settle(kind, self._scan.alarms.of(kind), moment, feed)
        return changes

    def _watch(self, stop: int) -> None:
        """What the feed is like up to the moment *stop*."""
        if not self.settings.looking.watch:
            return
        came, complete = self._scan.coming(stop), self._scan.learning.complete
        types = int(came.type.max(initial=-1)) + 1
        known = complete if types <= len(complete.curve) else complete.grown(types)
        self._arrivals.note(PaneDeltas(*came.columns), known)
        self._feed = self._arrivals.passed(self._scan.days, self._scan.position + 1, stop)

    def _begin_day(self) -> None:
        scan = self._scan
        scan.begin_day(_position_of(self._copies[0]) if self._copies else None)
        self._alerts.drop_before(scan.position - REACH)
        age = scan.learning.today - scan.learning.first_day
        if not self._copies or age % _DAYS_BETWEEN_COPIES == 0:
            self._copies = [*self._copies, scan.copy()][-_COPIES:]

    def _relearn(self, moment: int) -> list[AlertChange]:
        """Go back before the first record that was taken away, and pass the time up to *moment* without it."""
        scan = self._scan
        wrong = scan.wrong_since(_position_of(self._copies[0])) if self._copies else None
        if wrong is None:
            return []
        self._copies = [copy for copy in self._copies if _position_of(copy) <= wrong]
        scan.go_back(self._copies[-1])
        while (stop := scan.stop(moment)) is not None:
            for _ in scan.pass_to(stop):
                pass  # what becomes of alerts is said at the end
            if stop == scan.day_end and stop < moment:
                self._begin_day()
        kinds = {alarm.type for alarm in scan.alarms.all()} | {alert.type for alert in self._alerts.all()}
        return self._settle(kinds, moment)


def _position_of(copy: State) -> int:
    return int(copy["position"][0])
