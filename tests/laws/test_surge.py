"""`surge` is a function of the log: however it is cut, restarted or ordered, and after records were taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from citystream.detect.arrays import State
from citystream.detect.changes import NEW, REVISED, PaneDeltas
from citystream.detect.episodes import Alert, AlertChange
from citystream.detect.learning import Looking
from citystream.detect.local_days import LocalClock
from citystream.detect.surge import Surge, SurgeSettings

#: The clocks of Chicago were put back on 3 November 2024: a day of 50 panes lies in the days that are cut.
START = datetime(2024, 9, 6, tzinfo=UTC)
FIRST = int(START.timestamp()) // 1800
PREPARED = FIRST + 56 * 48
END = PREPARED + 6 * 48
LOOKING = Looking(learn_after=2)
SLOW = settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a run takes too long for shrinking
)


@cache
def chicago() -> LocalClock:
    """Local day and half hour of slots, by the rules of the zone itself."""
    zone, first = ZoneInfo("America/Chicago"), FIRST - 400
    local = [START + timedelta(minutes=30 * (slot - FIRST)) for slot in range(first, END + 400)]
    hours = np.array([at.astimezone(zone).utcoffset() // timedelta(minutes=30) for at in local], np.int64)

    def clock(slots):
        local_slots = slots + hours[slots - first]
        return local_slots // 48, local_slots % 48

    return clock


def engine() -> Surge:
    return Surge(SurgeSettings("law", budget=5.0, looking=LOOKING), chicago())


def usual() -> PaneDeltas:
    """A small city, whose records come late."""
    rng = np.random.default_rng(1)
    parts = []
    for district, kind, daily in ((0, 0, 3.0), (0, 1, 12.0), (1, 0, 1.0), (1, 1, 6.0)):
        many = rng.poisson(daily * (END - FIRST) / 48)
        slot = rng.integers(FIRST, END, many)
        parts.append(records(slot, district, kind, slot + rng.exponential(20, many).astype(np.int64)))
    return PaneDeltas.joined(parts)


def records(slot, district: int, kind: int, came, origin: int = NEW) -> PaneDeltas:
    slot, came = np.asarray(slot, np.int64), np.asarray(came, np.int64)
    one = np.ones(len(slot), np.int64)
    return PaneDeltas(slot, one * district, one * kind, one, one, came, came, one * origin)


@dataclass(frozen=True)
class Burst:
    """More records in one cell than is usual; *taken_after* slots later they are gone again."""

    district: int
    kind: int
    begins: int
    slots: tuple[int, ...]
    delays: tuple[int, ...]
    taken_after: int
    origin: int

    def changes(self) -> PaneDeltas:
        slot = PREPARED + self.begins + np.array(self.slots)
        came = np.maximum(slot + np.resize(self.delays, len(slot)), PREPARED)
        added = records(slot, self.district, self.kind, came, self.origin)
        if not self.taken_after:
            return added
        taken = replace(added, delta=-added.delta, came=added.came * 0 + added.came.max() + self.taken_after)
        return PaneDeltas.joined([added, taken])


bursts = st.builds(
    Burst,
    district=st.integers(0, 1),
    kind=st.integers(0, 2),  # the third type is a new one
    begins=st.integers(-60, 150),
    slots=st.lists(st.integers(0, 12), min_size=1, max_size=14).map(tuple),
    delays=st.lists(st.sampled_from([0, 1, 30, 120]), min_size=1, max_size=3).map(tuple),
    taken_after=st.sampled_from([0, 0, 1, 7, 60]),
    origin=st.sampled_from([NEW, REVISED]),
)


@pytest.fixture(scope="module")
def prepared() -> tuple[State, PaneDeltas]:
    """The city after 56 days, and what comes then."""
    everything = usual()
    begun = engine()
    begun.feed(everything.take(everything.came < PREPARED))
    begun.advance(PREPARED)
    return begun.state(), everything.take(everything.came >= PREPARED)


def resumed(state: State) -> Surge:
    made = engine()
    made.restore(state)
    return made


def together(coming: PaneDeltas, more: list[Burst]) -> PaneDeltas:
    joined = PaneDeltas.joined([coming, *(burst.changes() for burst in more)])
    return joined.take(np.argsort(joined.came, kind="stable"))


def at_once(state: State, coming: PaneDeltas, until: int = END) -> tuple[Surge, tuple[AlertChange, ...]]:
    made = resumed(state)
    made.feed(coming)
    return made, made.advance(until)


def same(mine: State, theirs: State, *parts: str) -> bool:
    names = [name for name in mine if name.startswith(parts)]
    return all(np.array_equal(mine[name], theirs[name]) for name in names) and bool(names)


@SLOW
@given(
    more=st.lists(bursts, max_size=3),
    cuts=st.lists(st.integers(PREPARED, END - 1), max_size=12),
    restarts=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_cuts_restarts_and_the_order_of_equal_times_change_nothing(prepared, more, cuts, restarts, order) -> None:
    state, coming = prepared
    coming = together(coming, more)
    whole, expected = at_once(state, coming)
    cut, told, fed = resumed(state), [], 0
    for clock in [*sorted(cuts), END]:
        after = int(np.searchsorted(coming.came, clock))
        part = list(range(fed, after))
        order.shuffle(part)
        cut.feed(coming.take(np.array(part, np.int64)))
        told += cut.advance(clock)
        cut, fed = resumed(cut.state()) if restarts else cut, after
    assert tuple(told) == expected
    cut.feed(coming.take(slice(fed, None)))
    cut.advance(END)
    assert same(whole.state(), cut.state(), "course", "alerts", "rates", "copy")


@SLOW
@given(more=st.lists(bursts, min_size=1, max_size=3))
def test_records_that_are_taken_away_leave_nothing(prepared, more) -> None:
    state, coming = prepared
    more = [replace(each, taken_after=max(each.taken_after, 1), begins=each.begins % 60 - 60) for each in more]
    clean, _ = at_once(state, coming)
    marked, _ = at_once(state, together(coming, more))
    assert same(clean.state(), marked.state(), "course", "rates", "copy")
    # an alert that something still sustains keeps the name under which it was raised
    kept = [alert for name, alert in standing(marked).items() if standing(clean).get(name) != alert]
    assert all(alert.recurrence_days >= 7 / (2 * 5.0) for alert in kept)
    for name, alert in standing(clean).items():
        assert standing(marked).get(name) == alert or any(covers(each, alert) for each in kept)


def covers(alert: Alert, other: Alert) -> bool:
    """Whether *alert* has what *other* shows."""
    cells = {(each.district, each.type) for each in (alert, other)}
    return len(cells) == 1 and alert.first_alarm <= other.window_end <= alert.last_alarm


def standing(of: Surge) -> dict[str, Alert]:
    """Active alerts by id, whenever they were raised."""
    return {alert.alert_id: replace(alert, raised_at=0) for alert in of.alerts() if alert.active}


def test_what_was_added_and_taken_away_is_raised_and_withdrawn(prepared) -> None:
    state, coming = prepared
    burst = Burst(1, 0, 100, (0, 1, 1, 2, 3, 3, 4, 5), (0,), 20, NEW)
    _, told = at_once(state, together(coming, [burst]))
    moved = {each.alert.alert_id: each for each in told if (each.alert.district, each.alert.type) == (1, 0)}
    gone = [each for each in moved.values() if each.what == "withdrawn"]
    assert len(gone) == 1
    assert gone[0].alert.observed < 3
    assert gone[0].alert.reason == "records were moved, merged or removed"
    assert gone[0].at == PREPARED + 100 + 5 + 20 + 1


def test_it_comes_back_under_the_same_id(prepared) -> None:
    state, coming = prepared
    burst = Burst(1, 0, 100, (0, 1, 1, 2, 3, 3, 4, 5), (0,), 20, NEW)
    again = replace(burst, taken_after=0, origin=REVISED, delays=(30,), slots=burst.slots)
    _, told = at_once(state, together(coming, [burst, again]))
    names = {each.alert.alert_id for each in told if (each.alert.district, each.alert.type) == (1, 0)}
    steps = [each.what for each in told if (each.alert.district, each.alert.type) == (1, 0)]
    assert steps.count("withdrawn") >= 1
    assert steps.count("raised") >= 2
    assert len(names) <= steps.count("raised")


def test_a_restored_engine_is_the_same(prepared) -> None:
    state, _ = prepared
    assert same(state, resumed(state).state(), "course", "rates", "rows", "alerts", "copy", "pending", "begun")


def test_a_record_from_before_the_copies_does_not_keep_later_ones_from_being_forgotten(prepared) -> None:
    state, coming = prepared
    # as it is after three months: only the younger of the two copies is left
    younger = {name.replace("copy1.", "copy0."): each for name, each in state.items() if name.startswith("copy1.")}
    assert younger
    state = {name: each for name, each in state.items() if not name.startswith("copy")} | younger
    old = usual().take(slice(0, 1))
    gone = replace(old, delta=-old.delta, came=old.came * 0 + PREPARED + 30)
    burst = Burst(1, 0, -40, (0, 1, 1, 2, 3, 3, 4, 5), (0,), 20, NEW)
    alone, _ = at_once(state, PaneDeltas.joined([coming, gone]))
    both, _ = at_once(state, together(PaneDeltas.joined([coming, gone]), [burst]))
    mine, theirs = alone.state(), both.state()
    names = [name for name in mine if name.startswith(("course", "rates")) and ".delays." not in name]
    # by going back the delay of the old record is known again: it was one of those that the copy has
    assert names and all(np.array_equal(mine[name], theirs[name]) for name in names)
