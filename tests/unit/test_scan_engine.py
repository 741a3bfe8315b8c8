"""`scan` as it follows the store: which alarms are one alert, what it is called, and what is left when records go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from citystream.detect.alerting import GONE, Rule
from citystream.detect.changes import NEW, PaneDeltas
from citystream.detect.episodes import Alert, AlertChange
from citystream.detect.keeping import packed, unpacked
from citystream.detect.learning import Looking
from citystream.detect.local_days import shifted_clock
from citystream.detect.scan_alarms import ScanAlarm, together
from citystream.detect.scan_alerts import ScanAlerts
from citystream.detect.scan_engine import ScanEngine, ScanSettings
from citystream.detect.zones import nearest_zones

PLACES = np.array([(x, y) for x in range(4) for y in range(3)], np.float64)
DAYS, BURST = 36, 48 * 33 + 10
END = 48 * DAYS


def make(**looking) -> ScanEngine:
    settings = ScanSettings(
        "testville/crimes", PLACES, np.arange(12) // 6, budget=1.0, looking=Looking(**({"ages": (0, 24)} | looking))
    )
    return ScanEngine(settings, shifted_clock(-12))


def records(slots: np.ndarray, areas: np.ndarray, kinds: np.ndarray, late: int = 0) -> PaneDeltas:
    one = np.ones(len(slots), np.int64)
    return PaneDeltas(slots, areas, kinds, one, one, slots + late, slots + late, one * NEW)


def usual(seed: int = 0) -> PaneDeltas:
    rng = np.random.default_rng(seed)
    slots = np.sort(rng.integers(0, END, DAYS * 40))
    return records(slots, rng.integers(0, 12, len(slots)), rng.integers(0, 2, len(slots)))


def burst(late: int = 0, at: int = BURST, areas: tuple[int, ...] = (5, 8)) -> PaneDeltas:
    place = np.arange(24)
    return records(at + place % 8, np.array(areas)[place % len(areas)], np.ones(24, np.int64), late)


def taken(away: PaneDeltas, at: int) -> PaneDeltas:
    return replace(away, delta=-away.delta, came=np.full(len(away), at))


def told(engine: ScanEngine, *parts: PaneDeltas, until: int = END) -> list[AlertChange]:
    for part in parts:
        engine.feed(part)
    return list(engine.advance(until))


def standing(changes: list[AlertChange]) -> dict[str, Alert]:
    last = {change.alert.alert_id: change.alert for change in changes}
    return {name: alert for name, alert in last.items() if alert.active}


def about(changes: list[AlertChange]) -> list[AlertChange]:
    """What was said of the burst."""
    return [each for each in changes if each.alert.type == 1 and BURST <= each.alert.first_alarm <= BURST + 24]


def test_a_burst_across_a_border_is_one_alert() -> None:
    found = about(told(make(), usual(), burst()))
    assert {change.alert.alert_id for change in found} == {found[0].alert.alert_id}
    assert found[0].what == "raised"
    assert found[0].at <= BURST + 10
    alert = found[-1].alert
    assert {5, 8} <= set(alert.areas)
    assert alert.district in (5, 8)
    assert alert.observed > alert.hi95 >= alert.expected > 0
    assert alert.window_end - alert.window_start in (12, 24, 48, 96)
    assert alert.first_alarm == found[0].at
    assert alert.provisional


def test_it_goes_on_from_what_was_kept() -> None:
    whole = told(make(), usual(), burst(), taken(burst(), BURST + 60))
    pieces, engine = [], make()
    everything = PaneDeltas.joined([usual(), burst(), taken(burst(), BURST + 60)])
    for before, clock in ((-1, 700), (700, BURST + 3), (BURST + 3, BURST + 61), (BURST + 61, END)):
        engine.feed(everything.take((everything.came >= before) & (everything.came < clock)))
        pieces += engine.advance(clock)
        kept = unpacked(packed(engine.state()))
        engine = make()
        engine.restore(kept)
    assert pieces == whole
    assert engine.alerts() == list({change.alert.alert_id: change.alert for change in whole}.values())


def test_records_that_are_taken_away_leave_nothing() -> None:
    """The alert is taken back at once, and all that stands is, to the bit, what never having seen them gives."""
    changes = told(make(), usual(4), burst(), taken(burst(), BURST + 60))
    gone = [change for change in about(changes) if change.what == "withdrawn"]
    assert {change.alert.reason for change in gone} == {GONE}
    assert BURST + 60 < gone[0].at <= BURST + 62
    without = told(make(), usual(4))
    assert numbers(standing(changes)) == numbers(standing(without))


def numbers(alerts: dict[str, Alert]) -> dict[str, Alert]:
    return {name: replace(alert, raised_at=0) for name, alert in alerts.items()}


def test_what_comes_late_is_found_when_it_came() -> None:
    late = about(told(make(ages=(0, 24, 96)), usual(), burst(late=40)))
    assert min(change.at for change in late) > BURST + 40


def alarm(end: int, *areas: int, score: float = 5.0, days: float = 20.0, looked_at: int = 0) -> ScanAlarm:
    zone = [each.tolist() for each in nearest_zones(PLACES).members].index([areas[0]])
    return ScanAlarm(
        end=end, looked_at=looked_at or end, type=1, slots=12, zone=zone, areas=areas, peak=areas[0], observed=9,
        expected=1.5, lo95=0, hi95=4, score=score, recurrence_days=days, completeness=1.0, active=days >= 3.5,
        provisional=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("alarms", "groups"),
    [
        ([alarm(100, 1, 2), alarm(148, 2, 3)], 1),
        ([alarm(100, 1, 2), alarm(149, 2, 3)], 2),
        ([alarm(100, 1, 2), alarm(102, 3, 4)], 2),
        ([alarm(100, 1, 2), alarm(102, 3, 4), alarm(104, 2, 3)], 1),
        ([alarm(100, 1, 2), alarm(100, 3, 4, looked_at=124)], 1),
        ([], 0),
    ],
)
def test_alarms_that_share_an_area_within_a_day_are_one_alert(alarms, groups) -> None:
    assert len(together(alarms)) == groups


def book(*alarms: ScanAlarm, at: int) -> tuple[ScanAlerts, list[AlertChange]]:
    alerts = ScanAlerts(Rule("scan", "testville/crimes", 1.0))
    return alerts, alerts.settle(1, alarms, at)


def test_the_rarest_window_is_shown_under_the_name_of_the_first() -> None:
    alerts, [raised] = book(alarm(100, 1, 2), at=100)
    [updated] = alerts.settle(1, [alarm(100, 1, 2), alarm(104, 2, 3, score=6.0)], 104)
    assert (raised.what, updated.what) == ("raised", "updated")
    assert updated.alert.alert_id == raised.alert.alert_id
    assert (updated.alert.areas, updated.alert.window_end) == ((2, 3), 104)
    assert (updated.alert.first_alarm, updated.alert.last_alarm) == (100, 104)
    assert alerts.settle(1, [alarm(100, 1, 2), alarm(104, 2, 3, score=6.0)], 106) == []


def test_half_as_rare_sustains_an_alert_and_less_does_not() -> None:
    alerts, [raised] = book(alarm(100, 1, 2), at=100)
    [updated] = alerts.settle(1, [alarm(100, 1, 2, days=4.0)], 110)
    assert (updated.what, updated.alert.alert_id) == ("updated", raised.alert.alert_id)
    [gone] = alerts.settle(1, [alarm(100, 1, 2, days=3.0)], 120)
    assert (gone.what, gone.alert.reason, gone.alert.withdrawn_at) == ("withdrawn", GONE, 120)
    [again] = alerts.settle(1, [alarm(100, 1, 2)], 130)
    assert (again.what, again.alert.alert_id, again.alert.raised_at) == ("raised", raised.alert.alert_id, 130)


def test_a_first_alarm_that_is_rare_no_more_keeps_its_name() -> None:
    alerts, [raised] = book(alarm(100, 1, 2), alarm(104, 2, 3), at=104)
    [updated] = alerts.settle(1, [alarm(100, 1, 2, days=5.0), alarm(104, 2, 3)], 110)
    assert updated.alert.alert_id == raised.alert.alert_id


def test_alerts_that_grow_together_become_one() -> None:
    first, second, bridge = alarm(100, 1, 2), alarm(102, 4, 5), alarm(104, 2, 4)
    alerts, raised = book(first, second, at=102)
    assert len(raised) == 2
    changes = alerts.settle(1, [first, second, bridge], 104)
    kept = next(each.alert for each in raised if each.alert.episode == 100)
    assert {each.what: each.alert.alert_id for each in changes}["updated"] == kept.alert_id
    [gone] = [each.alert for each in changes if each.what == "withdrawn"]
    assert gone.reason == f"now part of {kept.alert_id}"


def test_what_ended_long_ago_stays_as_it_is() -> None:
    alerts, _ = book(alarm(100, 1, 2), alarm(300, 1, 2), at=300)
    alerts.drop_before(200)
    assert [alert.last_alarm for alert in alerts.all()] == [300]
    assert alerts.settle(1, [alarm(300, 1, 2)], 310) == []
    assert alerts.settle(1, [alarm(100, 1, 2), alarm(300, 1, 2)], 320) == []


def test_how_the_feed_was_is_said_where_that_means_something() -> None:
    """A burst after two days without a record, which say nothing of a publisher of whole days."""
    quiet = usual()
    quiet = quiet.take((quiet.slot < BURST - 96) | (quiet.slot >= BURST))
    for watched, state in ((True, {"partial"}), (False, {"fresh"})):
        found = [each for each in about(told(make(watch=watched), quiet, burst())) if each.what == "raised"]
        assert {each.alert.feed_state for each in found} == state
