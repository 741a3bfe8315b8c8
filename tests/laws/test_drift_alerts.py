"""Alerts of `drift` under any revision: what stands is what its days still say, and nothing is lost or named twice."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.detect.alerting import GONE, Rule
from citystream.detect.drift_alerts import GAP, DriftAlerts, Judged
from citystream.detect.drift_days import DriftAlarm
from citystream.detect.episodes import Alert
from citystream.detect.local_days import LocalDays, shifted_clock

NOTHING, KEEPS, ALARM = 0, 1, 2
DAYS = 24
BUDGET = 0.25
strengths = st.lists(st.sampled_from([NOTHING, KEEPS, ALARM]), min_size=DAYS, max_size=DAYS)


def rows(of: list[int]) -> list[DriftAlarm]:
    """The days of one cell as `Drift.alarms` gives them; each day is of the strength in its place."""
    weeks = {KEEPS: 0.6 / BUDGET, ALARM: 1.5 / BUDGET}
    return [
        DriftAlarm(
            day, 0, 0, 1, day, 20.0 + day, 10.0, 4.0, 17.0, 5.0, 7 * weeks[strength], 0.0, float(strength == ALARM)
        )
        for day, strength in enumerate(of)
        if strength
    ]


def alerts() -> DriftAlerts:
    return DriftAlerts(Rule("drift", "testville/calls", BUDGET), LocalDays(shifted_clock(0)), ())


def settle(book: DriftAlerts, of: list[int], moment: int) -> None:
    now = Judged(moment, DAYS, lambda day: np.ones(1), "fresh", settled=-1)
    before = {each.alert_id for each in book.all()}
    changes = book.settle([], rows(of), now)
    assert len({each.alert.alert_id for each in changes}) == len(changes)
    assert before <= {each.alert_id for each in book.all()}


def days_of(alert: Alert) -> range:
    return range(alert.first_alarm // 48 - 1, alert.last_alarm // 48)


@settings(max_examples=400, deadline=None)
@given(st.lists(strengths, min_size=1, max_size=4))
def test_an_alert_stands_exactly_as_long_as_its_days_are_half_as_rare(states) -> None:
    book = alerts()
    active: list[Alert] = []
    for moment, state in enumerate(states, DAYS * 48):
        before = active
        settle(book, state, moment)
        active = [each for each in book.all() if each.active]
        assert all(each.recurrence_days >= 3.5 / BUDGET for each in active)
        # every alarm is in one alert, and no two alerts say the same day
        alarms = [day for day, strength in enumerate(state) if strength == ALARM]
        assert all(any(day in days_of(each) for each in active) for day in alarms)
        assert len({day for each in active for day in days_of(each)}) == sum(len(days_of(each)) for each in active)
        for each in before:
            now = next(alert for alert in book.all() if alert.alert_id == each.alert_id)
            left = [state[day] for day in days_of(each) if state[day]]
            assert now.active or now.reason.startswith("now part of") or (now.reason == GONE and not left)
            near = any(state[day] == ALARM for day in range(max(each.first_alarm // 48 - 1 - GAP, 0), DAYS))
            assert not now.active or left or near


@settings(max_examples=60, deadline=None)
@given(strengths, st.lists(strengths, max_size=2))
def test_a_memory_that_was_kept_says_the_same(first, later) -> None:
    whole, cut = alerts(), alerts()
    for moment, state in enumerate([first, *later], DAYS * 48):
        settle(whole, state, moment)
        settle(cut, state, moment)
        again = alerts()
        again.restore(cut.state())
        cut = again
    assert cut.all() == whole.all()
