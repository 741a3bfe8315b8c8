"""The prospective scan: where an excess is found, what it may know, and that cuts and order change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.detect.area_rows import NEW, AreaDeltas, seen_at_once
from citystream.detect.scan import Scan, ScanAlarm, shifted_clock
from citystream.detect.scan_look import NullTable, best_zones, null_maxima
from citystream.detect.zones import nearest_zones

PLACES = np.array([(x, y) for x in range(4) for y in range(3)], np.float64)
DISTRICT_OF = np.arange(12) // 6
BURST = 48 * 34
END = 48 * 36


def make(**settings_) -> Scan:
    return Scan(PLACES, DISTRICT_OF, **({"clock": shifted_clock(-12), "budget": 1.0} | settings_))


def usual(days: int = 36, seed: int = 0, each: int = 40) -> AreaDeltas:
    """Records of two types anywhere, *each* a day."""
    rng = np.random.default_rng(seed)
    slots = np.sort(rng.integers(0, days * 48, days * each))
    return seen_at_once(slots, rng.integers(0, 12, len(slots)), rng.integers(0, 2, len(slots)))


def burst(areas=(2, 5), count: int = 24, kind: int = 1, at: int = BURST) -> AreaDeltas:
    """*count* records in few areas, some across the border between districts, within four hours."""
    place = np.arange(count)
    return seen_at_once(at + place % 8, np.array(areas)[place % len(areas)], np.full(count, kind))


def joined(*parts: AreaDeltas) -> AreaDeltas:
    return AreaDeltas.joined(list(parts))


def facts(found: list[ScanAlarm]) -> list[tuple]:
    return [(a.end, a.looked_at, a.type, a.slots, a.areas, a.observed, round(a.score, 9)) for a in found]


def test_a_burst_across_a_border_is_found_where_it_is() -> None:
    scan = make()
    scan.feed(joined(usual(), burst(areas=(5, 6, 8))))
    found = scan.advance(END)
    first = next(alarm for alarm in found if alarm.end >= BURST)
    assert first.type == 1
    assert {5, 6, 8} & set(first.areas)
    assert {area // 6 for area in first.areas} == {0, 1} or len(first.areas) < 3
    assert first.observed > first.hi95 >= first.expected
    assert first.recurrence_days >= 7
    assert first.provisional
    assert all(alarm.type == 1 for alarm in found if BURST <= alarm.end <= BURST + 24)


def test_the_first_28_days_are_silent() -> None:
    scan = make()
    scan.feed(joined(usual(), burst(at=48 * 20)))
    assert scan.advance(48 * 28) == []


def test_fewer_than_three_records_are_nothing() -> None:
    zones = nearest_zones(PLACES)
    counts = np.zeros((12, 4, 1))
    counts[3] = 2.0
    assert best_zones(zones, counts, np.full((12, 4, 1), 0.01)).ratio.tolist() == [0.0]


def test_a_zone_is_compared_with_the_rest_of_the_city() -> None:
    """Twice as many everywhere is no excess anywhere."""
    zones = nearest_zones(PLACES)
    expected = np.random.default_rng(0).integers(1, 5, (12, 4, 1)).cumsum(axis=1).astype(np.float64)
    assert best_zones(zones, 2 * expected, expected).ratio[0] == pytest.approx(0.0, abs=1e-9)


def test_chances_are_the_same_whatever_is_asked_first() -> None:
    zones, shares = nearest_zones(PLACES), np.full(12, 1 / 12)
    one, other = (NullTable(zones, lambda _: shares, seed=3) for _ in range(2))
    asked = [(20.0, 6.0), (4.0, 5.0), (400.0, 9.0), (77.0, 4.0)]
    assert [one.score(0, *each) for each in asked] == [other.score(0, *each) for each in reversed(asked)][::-1]
    assert one.score(0, 20.0, 9.0) > one.score(0, 20.0, 6.0)


def test_chances_are_about_right() -> None:
    """Of new draws about a tenth have a score above 1."""
    zones, shares = nearest_zones(PLACES), np.random.default_rng(0).dirichlet(np.full(12, 5.0))
    table = NullTable(zones, lambda _: shares, seed=3)
    for cases in (12, 60):
        drawn = np.concatenate([null_maxima(zones, shares, cases, np.random.default_rng((9, i))) for i in range(4)])
        above = np.mean([table.score(0, cases, ratio) > 1 for ratio in drawn.tolist()])
        assert 0.03 <= above <= 0.2


@pytest.fixture(scope="module")
def told_once() -> tuple[list[tuple], list[tuple]]:
    scan = make()
    scan.feed(joined(usual(), burst()))
    found = scan.advance(END)
    assert found
    return facts(found), facts(scan.alarms.all())


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(48 * 27, END), max_size=4), st.integers(0, 99))
def test_cuts_order_and_restarts_change_nothing(told_once, cuts, seed) -> None:
    everything = joined(usual(), burst())
    everything = everything.take(np.random.default_rng(seed).permutation(len(everything)))
    scan, found, before = make(), [], -1
    for clock in [*sorted(cuts), END]:
        scan.feed(everything.take((everything.came >= before) & (everything.came < clock)))
        before = clock
        found += scan.advance(clock)
        again = make()
        again.restore(scan.state())
        scan = again
    assert facts(found) == told_once[0]
    assert facts(scan.alarms.all()) == told_once[1]


def test_records_that_are_taken_away_take_the_alarm_with_them() -> None:
    """Before their day is learnt they leave no trace: all that follows is as if they had never come."""
    scan, plain, now = make(), make(), BURST + 10
    records = burst()
    scan.feed(joined(usual(), records))
    scan.advance(now)
    raised = [alarm for alarm in scan.alarms.all() if alarm.end > BURST and alarm.type == 1]
    assert any(alarm.active for alarm in raised)
    came = np.full(len(records), now)
    scan.feed(replace(records, delta=-records.delta, came=came))
    scan.advance(now + 2)
    left = [alarm for alarm in scan.alarms.all() if alarm.end > BURST and alarm.looked_at <= now and alarm.type == 1]
    assert len(left) == len(raised)
    assert not any(alarm.active for alarm in left)
    plain.feed(usual())
    without, never = ([a for a in each.advance(END) if a.end > now + 2] for each in (scan, plain))
    assert facts(without) == facts(never)


def test_a_look_counts_only_what_was_seen_by_then() -> None:
    """Records that come a day late are found by the second look, and not before."""
    late = burst()
    late = replace(late, since=late.slot + 20, came=late.slot + 20)
    scan = make(ages=(0, 24))
    scan.feed(joined(usual(), late))
    found = [alarm for alarm in scan.advance(END) if set(alarm.areas) & {2, 5} and alarm.end > BURST - 4]
    assert found
    assert min(alarm.looked_at for alarm in found) > BURST + 20


def test_late_records_are_expected_late() -> None:
    """Where half of all records come a day late, quiet hours are as quiet as elsewhere."""
    rows = usual(days=50, each=60)
    delay = np.where(np.arange(len(rows)) % 2 == 0, 40, 0)
    rows = replace(rows, since=rows.slot + delay, came=rows.slot + delay, origin=np.full(len(rows), NEW))
    scan = make(learn_after=2)
    scan.feed(rows)
    found = scan.advance(48 * 50)
    assert len({alarm.end // 48 for alarm in found}) <= 6
    curve = scan.state()["learning.complete.curve"]
    assert 0.4 < curve[0, 0] < 0.62
    assert curve[0, -1] == 1.0


def test_new_types_find_room() -> None:
    scan = make()
    scan.feed(joined(usual(), burst(kind=4)))
    found = scan.advance(END)
    assert any(alarm.type == 4 for alarm in found)
