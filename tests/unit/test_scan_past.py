"""How rare a score of `scan` is: what counts as one episode of the past, and what large scores say of larger ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.detect.area_rows import AreaDeltas, seen_at_once
from citystream.detect.keeping import packed, unpacked
from citystream.detect.local_days import LocalDays, shifted_clock
from citystream.detect.recurrence import RecurrenceMap
from citystream.detect.scan import Scan
from citystream.detect.scan_alarms import ScanAlarm, together
from citystream.detect.scan_learning import ScanLearning
from citystream.detect.scan_past import PastScores
from citystream.detect.zones import nearest_zones

ZONES = nearest_zones(np.array([(x, y) for x in range(4) for y in range(3)], np.float64), most=3)
Found = tuple[int, int, int, float]
found = st.tuples(st.integers(0, 1), st.integers(0, 200), st.integers(0, len(ZONES) - 1), st.floats(1.1, 9))


def kept(rows: list[Found]) -> PastScores:
    past = PastScores(ZONES)
    for kind, end, zone, score in rows:
        zones, scores = np.zeros(2, np.int64), np.zeros(2)
        zones[kind], scores[kind] = zone, score
        past.put(end, end, zones, scores)
    return past


def alarm(end: int, zone: int, score: float) -> ScanAlarm:
    areas = tuple(ZONES.members[zone].tolist())
    return ScanAlarm(
        end=end, looked_at=end, type=0, slots=12, zone=zone, areas=areas, peak=areas[0], observed=9, expected=1.5,
        lo95=0, hi95=4, score=score, recurrence_days=20.0, completeness=1.0, active=True, provisional=False,
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(found, max_size=30))
def test_an_episode_of_the_past_is_what_an_alert_would_be(rows: list[Found]) -> None:
    alerts = [together([alarm(*row[1:]) for row in rows if row[0] == kind]) for kind in (0, 1)]
    largest = [max(each.score for each in group) for groups in alerts for group in groups]
    assert sorted(kept(rows).maxima(0).tolist()) == sorted(largest)


def test_small_scores_are_not_kept() -> None:
    assert kept([(0, 10, 0, 1.0), (0, 90, 0, 0.4)]).maxima(0).tolist() == []


def test_what_is_found_again_is_forgotten_and_what_ended_long_ago_dropped() -> None:
    past = PastScores(ZONES)
    for end, moment, score in ((10, 10, 2.0), (100, 100, 3.0), (100, 124, 5.0), (190, 190, 4.0)):
        past.put(end, moment, np.array([0]), np.array([score]))
    assert past.maxima(0).tolist() == [2.0, 5.0, 4.0]
    past.forget_from(124)
    assert past.maxima(0).tolist() == [2.0, 3.0]
    past.drop_before(11)
    assert past.maxima(0).tolist() == [3.0]


def test_it_comes_back_from_its_state() -> None:
    past, again = kept([(0, 10, 0, 2.0), (1, 20, 4, 3.0)]), PastScores(ZONES)
    again.restore(unpacked(packed(past.state())))
    past.put(30, 30, np.array([1, 1]), np.array([6.0, 7.0]))
    again.put(30, 30, np.array([1, 1]), np.array([6.0, 7.0]))
    assert again.maxima(0).tolist() == past.maxima(0).tolist()


def test_second_looks_count() -> None:
    """What is found only when late records are there is an episode of the past too."""
    usual = np.random.default_rng(0).integers(0, 48 * 36, 1440)
    burst = np.full(20, 48 * 34)
    records = seen_at_once(np.append(usual, burst), np.append(usual % 12, burst % 2), np.zeros(1460, np.int64))
    late = np.where(np.arange(1460) < 1440, 0, 20)
    records = replace(records, since=records.slot + late, came=records.slot + late)
    places = np.array([(x, y) for x in range(4) for y in range(3)], np.float64)
    largest = []
    for ages in ((0,), (0, 24)):
        scan = Scan(places, np.arange(12) // 6, clock=shifted_clock(0), ages=ages, zones=ZONES)
        scan.feed(records)
        scan.advance(48 * 36)
        largest.append(float(scan.learning.past.maxima(48 * 33).max(initial=0.0)))
    once, twice = largest
    assert twice > once


class TestBentTail:
    @pytest.mark.parametrize("shape", [0.25, 0.5, 1.0])
    def test_a_heavy_tail_is_as_rare_as_it_was(self, shape: float) -> None:
        """Of scores that are Pareto for sure, those said to come once in four weeks do, within a factor of two."""
        true = []
        for seed in range(20):
            excess = (np.random.default_rng(seed).uniform(size=1000) ** -shape - 1) / shape
            learnt = RecurrenceMap.fit(2 + excess / 10, 35.0, bends=True)
            assert learnt
            true.append(35 / 1000 * (1 + shape * 10 * (learnt.score_of(4.0) - 2)) ** (1 / shape))
        assert 2.0 < np.exp(np.mean(np.log(true))) < 8.0

    def test_a_straight_tail_stays_about_straight(self) -> None:
        scores = []
        for seed in range(20):
            maxima = 2 + np.random.default_rng(seed).exponential(1 / np.log(10), 1000)
            fits = [RecurrenceMap.fit(maxima, 35.0, bends=bends) for bends in (False, True)]
            scores += [each.score_of(2.0) for each in fits if each]
        straight, bent = np.mean(scores[::2]), np.mean(scores[1::2])
        assert 0 <= bent - straight < 0.4

    @settings(max_examples=30, deadline=None)
    @given(st.integers(31, 2000), st.floats(8, 35), st.integers(0, 99), st.floats(0.5, 4))
    def test_score_of_is_the_inverse(self, many: int, weeks: float, seed: int, power: float) -> None:
        learnt = RecurrenceMap.fit(2 + np.random.default_rng(seed).pareto(power, many), weeks, bends=True)
        assert learnt
        for wanted in (1.0, 10.0, 1000.0):
            score = learnt.score_of(wanted)
            assert learnt.weeks_of(np.array([score, score + 1e-6])).max() >= wanted * (1 - 1e-9)
        rising = learnt.log_weeks_of(np.linspace(0, 50, 400))
        assert (np.diff(rising) >= -1e-9).all()

    def test_the_largest_may_be_real_and_say_nothing(self) -> None:
        maxima = 2 + np.random.default_rng(1).pareto(2.0, 1000)
        falling = np.sort(maxima)[::-1]
        falling[:35] = falling[:35] * 10
        one, other = (RecurrenceMap.fit(each, 35.0, bends=True) for each in (maxima, falling))
        assert one
        assert other
        assert (one.slope, one.bend, one.edge) == (other.slope, other.bend, other.edge)

    def test_scores_that_are_all_the_same(self) -> None:
        learnt = RecurrenceMap.fit(np.full(60, 2.5), 20.0, bends=True)
        assert learnt
        assert (learnt.slope, learnt.bend) == (3.0, 0.0)

    def test_it_comes_back_from_its_state(self) -> None:
        learnt = RecurrenceMap.fit(2 + np.random.default_rng(1).pareto(2.0, 1000), 35.0, bends=True)
        assert learnt
        assert learnt.bend > 0
        scores = np.linspace(1, 30, 50)
        assert np.array_equal(RecurrenceMap.restored(learnt.state()).log_weeks_of(scores), learnt.log_weeks_of(scores))

    def test_scan_learns_it(self) -> None:
        days, rng = LocalDays(shifted_clock(0)), np.random.default_rng(3)
        learning = ScanLearning(ZONES, np.arange(12) // 6, days, lag=0, learn_after=1, slack=0)
        learning.begin(0, 4)
        for end in range(48 * 28, 48 * 112, 60):
            learning.past.put(end, end, rng.integers(0, len(ZONES), 4), 1 + rng.pareto(1.5, 4))
        learning.new_day(112, AreaDeltas.none(), AreaDeltas.none(), 48 * 112)
        assert learning.map.weeks == 12
        assert learning.map.bend > 0.2
