"""The parts of `surge`, each against what it is defined to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from citystream.detect.arrivals import Arrivals
from citystream.detect.baseline import Baseline, Day, DayRates
from citystream.detect.changes import NEW, PaneDeltas
from citystream.detect.delay import CLASSES, Completeness, Delays
from citystream.detect.episodes import alert_id, episodes_of
from citystream.detect.expectation import RateHistory, expected_apart, expected_of_day
from citystream.detect.explain import Explained, factors, sentence
from citystream.detect.feed import Feed, is_frozen, is_silent
from citystream.detect.local_days import LocalDays, shifted_clock
from citystream.detect.nowcast import nowcast, scatter_of, size_of
from citystream.detect.recurrence import RecurrenceMap, episode_maxima
from citystream.detect.rows import Rows, cell_codes, counted, counted_apart, counted_in
from citystream.detect.scores import FLOOR, ScoreBook, Scored
from citystream.detect.tail import LENGTHS, Dispersion, DispersionSums, quantile, tail_score

HALF_HOURS = np.arange(48)
MONDAY = Day(0, first_of_month=False, half_hours=HALF_HOURS)


def learnt(days: int = 120, rate: float = 0.2, kinds: int = 2) -> Baseline:
    rng = np.random.default_rng(0)
    made = Baseline(3, kinds)
    for day in range(days):
        made.learn(Day(day % 7, day % 30 == 0, HALF_HOURS), rng.poisson(rate, (48, 3, kinds)).astype(float))
    return made


class TestBaseline:
    def test_a_burst_does_not_teach(self) -> None:
        usual, marked = learnt(), learnt()
        burst = np.full((48, 3, 2), 0.2)
        usual.learn(MONDAY, burst)
        burst[:, 0, 0] = 10.0
        marked.learn(MONDAY, burst)
        before, after = (each.expect(MONDAY).level[0, 0] for each in (usual, marked))
        assert before < after < 1.15 * before

    def test_a_day_without_some_half_hours_and_one_with_some_twice(self) -> None:
        for missing in (np.delete(HALF_HOURS, [4, 5]), np.insert(HALF_HOURS, 4, [2, 3])):
            made = learnt()
            made.learn(Day(0, first_of_month=False, half_hours=missing), np.full((len(missing), 3, 2), 0.2))
            plain = learnt()
            plain.learn(MONDAY, np.full((48, 3, 2), 0.2))
            assert made.expect(MONDAY).level == pytest.approx(plain.expect(MONDAY).level, rel=0.01)
            assert made.expect(MONDAY).panes(missing).shape == (len(missing), 3, 2)

    def test_what_is_not_in_yet_is_made_up_for(self) -> None:
        rng, made = np.random.default_rng(0), Baseline(3, 1)
        for day in range(150):
            made.learn(Day(day % 7, False, HALF_HOURS), rng.poisson(0.2, (48, 3, 1)) * 1.0, np.array([0.4]))
        assert made.expect(MONDAY).level == pytest.approx(np.full((3, 1), 0.2 * 48 / 0.4), rel=0.15)

    def test_records_without_a_time_are_a_share(self) -> None:
        made = Baseline(1, 1)
        for _ in range(100):
            made.learn(MONDAY, np.full((48, 1, 1), 0.25), untimed=np.full((1, 1), 4.0))
        rates = made.expect(MONDAY)
        assert rates.untimed == pytest.approx(0.25, abs=0.01)
        assert rates.day(HALF_HOURS) == pytest.approx(16.0, rel=0.02)

    def test_the_heap_at_the_first_midnight_of_a_month_is_learnt(self) -> None:
        made, first = Baseline(1, 1), Day(0, first_of_month=True, half_hours=HALF_HOURS)
        counts = np.full((48, 1, 1), 0.5)
        heaped = counts.copy()
        heaped[0] = 20.0
        for day in range(300):
            made.learn(replace(first, first_of_month=day % 30 == 0), heaped if day % 30 == 0 else counts)
        usual, heap = made.expect(MONDAY), made.expect(first)
        assert heap.panes(HALF_HOURS)[0] > 3 * usual.panes(HALF_HOURS)[0]
        assert heap.panes(HALF_HOURS)[1:] == pytest.approx(usual.panes(HALF_HOURS)[1:], rel=0.03)

    def test_so_is_one_at_any_other_hour(self) -> None:
        made = Baseline(1, 1)
        first = replace(MONDAY, first_of_month=True)
        counts = np.full((48, 1, 1), 0.5)
        heaped = counts.copy()
        heaped[18] = 5.0
        for day in range(1000):
            made.learn(replace(first, first_of_month=day % 30 == 0), heaped if day % 30 == 0 else counts)
        more = made.expect(first).panes(HALF_HOURS) / made.expect(MONDAY).panes(HALF_HOURS)
        assert 3 < more[18] < 6
        assert np.delete(more.ravel(), 18) == pytest.approx(1.0, abs=0.05)

    def test_new_cells_start_at_what_the_margins_say(self) -> None:
        made = learnt()
        before = made.expect(MONDAY)
        made.grow(4, 3)
        after = made.expect(MONDAY)
        assert after.level[:3, :2] == pytest.approx(before.level, rel=0.1)
        assert 0 < after.level[3, 0] < before.level[:, 0].mean()
        made.learn(MONDAY, np.full((48, 4, 3), 0.2))

    def test_rates_of_more_cells_keep_those_that_were_there(self) -> None:
        made = learnt()
        before = made.expect(MONDAY)
        made.grow(4, 3)
        grown = before.grown(made.expect(MONDAY))
        assert all(np.array_equal(getattr(grown.cut(3, 2), name), getattr(before, name)) for name in DayRates.__slots__)

    def test_its_state_is_everything(self) -> None:
        made, other = learnt(), Baseline(1, 1)
        other.restore(made.state())
        for each in (made, other):
            each.learn(MONDAY, np.full((48, 3, 2), 0.3))
        assert np.array_equal(made.expect(MONDAY).panes(HALF_HOURS), other.expect(MONDAY).panes(HALF_HOURS))


#: Counts, means and 1/r, far apart.
GRID = [(y, m, s) for y in (1, 3, 12) for m in (0.01, 0.7, 6.0) for s in (0.01, 0.3, 4.0)]


class TestTail:
    @pytest.mark.parametrize(("observed", "expected", "spread"), GRID)
    def test_it_is_that_of_the_negative_binomial(self, observed: int, expected: float, spread: float) -> None:
        score = tail_score(*(np.array([each]) for each in (float(observed), expected, spread)))
        chance = nbinom.sf(observed - 1, 1 / spread, 1 / (1 + expected * spread))
        assert 10 ** -score[0] == pytest.approx(chance, rel=1e-6)

    @pytest.mark.parametrize("chance", [0.025, 0.5, 0.975])
    def test_quantiles_are_those_of_the_negative_binomial(self, chance: float) -> None:
        for expected in (0.02, 0.7, 9.0, 300.0):
            for spread in (0.004, 0.2, 5.0):
                exact = nbinom.ppf(chance, 1 / spread, 1 / (1 + expected * spread))
                assert quantile(expected, spread, chance) == max(exact, 0)

    def test_no_count_that_is_left_out_early_has_a_tail_of_a_hundredth(self) -> None:
        for expected in np.geomspace(1e-3, 300, 40):
            for spread in np.geomspace(1e-3, 100, 25):
                most = np.floor(expected + 1.9 * np.sqrt(expected + spread * expected**2))
                if most >= 3:
                    score = tail_score(np.array([most]), np.array([expected]), np.array([spread]))
                    assert score[0] <= FLOOR, (expected, spread)

    def test_dispersion_is_found(self) -> None:
        rng, sums = np.random.default_rng(3), DispersionSums(2)
        for week in range(30):
            mean = rng.choice([0.4, 1.0, 4.0, 12.0], (4, 400))
            for place in range(len(LENGTHS)):
                rate = rng.gamma(1 / 0.1, 0.1, mean.shape) * mean
                sums.add(week, place, np.tile([0, 1], 800), rng.poisson(rate).ravel() * 1.0, mean.ravel())
        found = sums.learnt()
        assert found.tiers[:, 3:] == pytest.approx(0.1, rel=0.25)
        assert found.kinds == pytest.approx(1.0, rel=0.2)
        assert found.spread(0, np.array([0]), np.array([4.0]), np.array([50.0])) == pytest.approx(0.12, rel=0.25)

    def test_nothing_learnt_is_the_cold_one(self) -> None:
        assert np.array_equal(DispersionSums(1).learnt().tiers, Dispersion.cold(1).tiers)


class TestRecurrence:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(31, 3000), st.floats(8, 35), st.integers(0, 99))
    def test_score_of_is_the_inverse(self, many: int, weeks: float, seed: int) -> None:
        maxima = 2 + np.random.default_rng(seed).exponential(0.5, many)
        learnt_map = RecurrenceMap.fit(maxima, weeks)
        assert learnt_map
        for wanted in (0.3, 1.0, 10.0):
            score = learnt_map.score_of(wanted)
            assert learnt_map.weeks_of(np.array([score, score + 1e-6])).max() >= wanted * (1 - 1e-9)

    def test_its_rate_is_that_of_the_past(self) -> None:
        maxima = 2 + np.random.default_rng(5).exponential(1 / (1.2 * np.log(10)), 4000)
        found = RecurrenceMap.fit(maxima, weeks=35.0)
        assert found
        # 4000 in 35 weeks, and each unit of score is 10^1.2 times as rare
        assert found.weeks_of(np.array([5.0])) == pytest.approx(35 / 4000 * 10 ** (1.2 * 3.0), rel=0.6)

    @pytest.mark.parametrize(("many", "weeks"), [(29, 20.0), (500, 7.9)])
    def test_too_little_is_no_map(self, many: int, weeks: float) -> None:
        assert RecurrenceMap.fit(np.linspace(2.1, 6, many), weeks) is None

    def test_the_cold_one(self) -> None:
        cold = RecurrenceMap.cold(4.65)
        assert cold.weeks_of(np.array([4.65, 5.65])).tolist() == pytest.approx([1.0, 10.0])
        assert cold.score_of(1.0) == 4.65

    def test_it_comes_back_from_its_state(self) -> None:
        found = RecurrenceMap.fit(2 + np.random.default_rng(0).exponential(1, 300), 20.0)
        assert found
        scores = np.linspace(1, 9, 30)
        again = RecurrenceMap.restored(found.state())
        assert np.array_equal(again.log_weeks_of(scores), found.log_weeks_of(scores))

    def test_no_episodes(self) -> None:
        none = np.empty(0, np.int64)
        assert len(episode_maxima(none, none, np.empty(0), 10)) == 0


rows_drawn = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 1), st.integers(0, 1), st.booleans(), st.integers(0, 70)), max_size=40
)


class TestRows:
    @settings(max_examples=60, deadline=None)
    @given(rows_drawn, st.integers(40, 70), st.integers(0, 30), st.sampled_from([0, 24]))
    def test_windows_hold_what_they_are_defined_to(self, drawn, first: int, more: int, age: int) -> None:
        slot, district, kind, timed, late = (
            (np.array(each, np.int64) for each in zip(*drawn, strict=True)) if drawn else (np.empty(0, np.int64),) * 5
        )
        none = np.zeros(len(slot), np.int64)
        rows = Rows.none().merged(Rows(slot, cell_codes(district, kind, timed > 0), slot + late, none, none + 1))
        last = first + more
        blocks = counted(rows, first, last, age, (2, 2))
        moments = np.arange(first, last + 1)
        for cell in range(4):
            code = np.full(
                len(moments), int(cell_codes(*(np.array([each]) for each in divmod(cell, 2)), np.array([True]))[0])
            )
            singly = counted_in(rows, code, moments - age, moments)
            for place, length in enumerate(LENGTHS):
                brute = [
                    sum(
                        d * 2 + k == cell and m - age - length <= s < m - age and s + w < m and (t or length == 48)
                        for s, d, k, t, w in drawn
                    )
                    for m in moments
                ]
                assert blocks[place][:, cell].tolist() == brute
                assert singly[:, place].tolist() == brute

    def test_some_cells_and_some_ends_are_those_of_all(self) -> None:
        """Bit for bit: what is looked at decides nothing."""
        rng, cells = np.random.default_rng(3), np.array([1, 4])
        slot, cell, late = rng.integers(0, 144, 400), rng.integers(0, 6, 400), rng.integers(0, 60, 400)
        none = np.zeros(400, np.int64)
        codes = cell_codes(*np.divmod(cell, 2), rng.random(400) < 0.8)
        rows = Rows.none().merged(Rows(slot, codes, slot + late, none, none + 1))
        history = RateHistory(LocalDays(shifted_clock(0)))
        for day in range(3):
            history.put(day, learnt(40 + day).expect(MONDAY))
        curve = np.linspace([0.3, 0.5], 1.0, len(CLASSES)).T
        complete, ends = Completeness(curve, 0 * curve, learnt=True), np.arange(60, 121)
        held, mean = counted(rows, 66, 126, 6, (3, 2)), expected_of_day(history, (60, 120), 6, complete)
        few_held = counted(rows, 66, 126, 6, (3, 2), cells=cells)
        few_mean = expected_of_day(history, (60, 120), 6, complete, cells)
        apart = [ends[ends % length == 0] for length in LENGTHS]
        for place, some in enumerate(expected_apart(history, apart, 6, complete)):
            assert np.array_equal(few_held[place], held[place][:, cells])
            assert np.array_equal(few_mean[place], mean[place][:, cells])
            assert np.array_equal(some, mean[place][apart[place] - 60])
            assert np.array_equal(counted_apart(rows, apart[place], place, 6, (3, 2)), held[place][apart[place] - 60])

    def test_what_is_taken_away_is_gone(self) -> None:
        one = np.ones(3, np.int64)
        rows = Rows(np.array([5, 5, 9]), one, np.array([5, 6, 9]), 0 * one, one)
        left = Rows.none().merged(rows).merged(Rows(rows.slot[:1], one[:1], rows.seen[:1], 0 * one[:1], -one[:1]))
        assert left.slot.tolist() == [5, 9]
        assert left.seen.tolist() == [6, 9]


def looks(*parts: tuple[int, int, float]) -> Scored:
    """Looks of one cell: (end, moment, score)."""
    end, moment = (np.array([part[which] for part in parts], np.int64) for which in (0, 1))
    score, zero = np.array([part[2] for part in parts]), np.zeros(len(parts))
    return Scored(0 * end + 1, end, moment, 0 * end, 0 * end + 3, zero, zero, score, score)


class TestScores:
    def test_later_looks_count_where_they_are_higher(self) -> None:
        book = ScoreBook()
        assert len(book.add(looks((10, 10, 3.0), (11, 11, 2.5), (10, 34, 2.9), (11, 35, 4.0)))) == 3
        assert len(book.add(looks((11, 107, 3.9), (10, 106, 5.0)))) == 1
        assert book.of_cell(1, 200).score.tolist() == [3.0, 5.0, 2.5, 4.0]

    def test_it_does_not_matter_how_looks_are_grouped(self) -> None:
        rng = np.random.default_rng(2)
        drawn = zip(*rng.integers(0, 9, (2, 60)).tolist(), rng.uniform(2, 6, 60).tolist(), strict=True)
        many = [(end, end + age, score) for end, age, score in drawn]
        many = sorted({(end, moment): (end, moment, score) for end, moment, score in many}.values(), key=lambda x: x[1])
        whole, pieces = ScoreBook(), ScoreBook()
        whole.add(looks(*many))
        for each in many:
            pieces.add(looks(each))
        assert whole.entries.score.tolist() == pieces.entries.score.tolist()

    def test_finished_episodes_leave_their_maxima(self) -> None:
        book = ScoreBook()
        book.add(looks((10, 10, 3.0), (20, 20, 4.0), (31, 31, 2.5)))
        last, largest = book.drop_finished(before=25, gap=10)
        assert (last.tolist(), largest.tolist()) == ([20], [4.0])
        assert book.entries.end.tolist() == [31]


class TestEpisodes:
    def test_five_hours_apart_is_one_and_more_is_another(self) -> None:
        found = list(episodes_of(looks((10, 10, 3.0), (20, 20, 4.0), (31, 31, 2.5))))
        assert [(each.first, each.first_end, each.last_end) for each in found] == [(10, 10, 20), (31, 31, 31)]

    def test_windows_that_overlap_are_one_however_far_apart_they_end(self) -> None:
        alarms = looks((10, 10, 3.0), (30, 30, 4.0), (50, 50, 4.0))
        day = replace(alarms, length=np.array([0, 2, 0]))
        assert [(each.first_end, each.last_end) for each in episodes_of(day)] == [(10, 30), (50, 50)]

    def test_its_name_is_of_the_alarm_that_came_first(self) -> None:
        (found,) = episodes_of(looks((16, 16, 3.0), (12, 36, 4.0)))
        assert (found.first, found.first_end) == (16, 12)

    def test_names_differ_by_all_their_parts(self) -> None:
        names = {
            alert_id(*each) for each in [("a", "b", "c", 1), ("a", "b", "c", 2), ("ab", "", "c", 1), ("a", "b", "d", 1)]
        }
        assert len(names) == 4


class TestDelay:
    def test_it_is_found_although_the_newest_are_not_all_in(self) -> None:
        rng, made = np.random.default_rng(4), Delays(1)
        for day in range(60):
            delay = rng.exponential(96, 60).astype(np.int64)
            delay = delay[delay < (60 - day) * 48]
            made.add(day, 0 * delay, delay, 0 * delay + 1)
        found = made.completeness(60).of(np.zeros(3, np.int64), np.array([48, 96, 300]))
        assert found == pytest.approx(1 - np.exp(-(np.array([48, 96, 300]) + 1) / 96), abs=0.05)

    def test_what_is_taken_away_is_as_if_it_never_came(self) -> None:
        made, other = Delays(2), Delays(2)
        for day in range(80):
            for each in (made, other):
                each.add(day, np.array([0, 1]), np.array([3, 200]), np.array([5, 5]))
                each.settle(day)
        made.add(5, np.array([1]), np.array([7]), np.array([2]))
        made.add(5, np.array([1]), np.array([7]), np.array([-2]))
        assert np.array_equal(made.completeness(80).curve, other.completeness(80).curve)

    def test_before_28_days_it_is_a_step_at_the_lag(self) -> None:
        step = Completeness.step(1, lag=48)
        assert step.of(np.zeros(3, np.int64), np.array([0, 47, 48])).tolist() == [0, 0, 1]
        assert not Delays(1).watched(100)

    @pytest.mark.parametrize("types", [0, 2])
    def test_types_that_nothing_is_known_of_wait_for_the_lag_too(self, types: int) -> None:
        """Also those that come when there was none yet, and after a restart."""
        grown = Completeness.restored(Completeness.step(types, lag=48).state()).grown(3)
        slots = np.array([0, 47, 48])
        assert all(grown.of(np.full(3, kind), slots).tolist() == [0, 0, 1] for kind in range(3))
        assert not grown.learnt
        known = Completeness(np.full((1, 2), [0.5, 1.0]), np.zeros((1, 2)), learnt=True).grown(2)
        assert known.curve.tolist() == [[0.5, 1.0]] * 2


class TestNowcast:
    def test_nothing_in_is_the_expectation_and_all_in_is_the_count(self) -> None:
        seen, expected, size = np.array([0.0, 7.0]), np.array([5.0, 5.0]), np.array([4.0, 4.0])
        said = nowcast(seen, expected, size, np.array([0.0, 1.0]), 0.3)
        assert said.count.tolist() == [5.0, 7.0]
        assert (said.low[1], said.high[1]) == (7.0, 7.0)
        assert said.low[0] == nbinom.ppf(0.025, 4, 4 / 9)
        assert said.too_early.tolist() == [True, False]

    def test_its_range_covers(self) -> None:
        rng = np.random.default_rng(6)
        rate = rng.gamma(5, 20 / 5, 4000)
        final = rng.poisson(rate)
        seen = rng.binomial(final, 0.4)
        said = nowcast(seen * 1.0, np.full(4000, 20.0), np.full(4000, 5.0), np.full(4000, 0.4))
        covered = ((said.low <= final) & (final <= said.high)).mean()
        assert 0.95 <= covered <= 0.98
        assert np.abs(said.count - final).mean() < 0.9 * np.abs(seen / 0.4 - final).mean()

    def test_scatter_and_size_are_found(self) -> None:
        rng = np.random.default_rng(7)
        final = rng.poisson(400, 3000)
        share = np.clip(0.5 * (1 + 0.2 * 0.5 * rng.normal(size=3000)), 0, 1)
        found = scatter_of(rng.binomial(final, share) * 1.0, final * 1.0, np.full(3000, 0.5))
        assert found == pytest.approx(0.2, abs=0.03)
        assert scatter_of(np.ones(5), np.ones(5), np.full(5, 0.5)) == 0.3
        mean = np.full(4000, 10.0)
        assert size_of(rng.negative_binomial(8, 8 / 18, 4000) * 1.0, mean) == pytest.approx(8, rel=0.15)


class TestFeed:
    def run(self, arrived: dict[int, int], days: int = 14) -> dict[int, str]:
        """States of the last days, of a feed of 10 records a slot but for some slots counted from day 12 on."""
        feed, states = Feed(), {}
        for day in range(days):
            for place in range(48):
                slot = (day - 12) * 48 + place
                states[slot] = feed.pass_slot(day, Day(day % 7, False, HALF_HOURS), place, arrived.get(slot, 10))
        return {slot: state for slot, state in states.items() if slot >= -48}

    def test_a_usual_day_is_fresh(self) -> None:
        assert set(self.run({}).values()) == {"fresh"}

    def test_silence_then_all_at_once_is_a_backfill_and_fresh_again(self) -> None:
        states = self.run(dict.fromkeys(range(24), 0) | {24: 250})
        assert states[0] == "fresh"
        assert states[2] == "silent"
        assert states[23] == "silent"
        assert states[24] == "backfill"
        assert states[30] == "fresh"

    def test_what_never_comes_stays_partial_for_a_day(self) -> None:
        states = self.run(dict.fromkeys(range(24), 0))
        assert states[30] == "partial"
        assert states[95] == "fresh"

    def test_a_third_is_partial_and_four_times_is_changed(self) -> None:
        assert self.run(dict.fromkeys(range(48), 3))[20] == "partial"
        assert self.run(dict.fromkeys(range(96), 45))[60] == "changed"

    def test_silence_and_freezing_by_their_rules(self) -> None:
        assert not is_silent(19.8)
        assert is_silent(20.0)
        assert is_frozen(4.0, 1.0, np.ones(10))
        assert not is_frozen(4.0, 1.0, np.full(200, 5.0))

    def test_a_day_whose_records_came_later_is_complete(self) -> None:
        feed = Feed()
        for day in range(12):
            for place in range(48):
                silent = day == 10 and 4 <= place < 28
                arrived = 0 if silent else 250 if (day, place) == (10, 28) else 10
                feed.pass_slot(day, Day(day % 7, False, HALF_HOURS), place, arrived)
            assert day != 10 or feed.was_complete(10)

    @pytest.mark.parametrize("made_up_for", [True, False])
    def test_windows_count_if_what_was_missing_came(self, made_up_for: bool) -> None:
        """Ends of windows of the silent day, and of the day that they reach into, count only then."""
        arrivals, days = Arrivals(), LocalDays(shifted_clock(0))
        silent = range(10 * 48 + 4, 10 * 48 + 28)
        for slot in range(14 * 48):
            many = 250 * made_up_for if slot == silent.stop else 0 if slot in silent else 10
            one = np.ones(int(many > 0), np.int64)
            at, zero = one * slot, one * 0
            arrivals.note(PaneDeltas(at, zero, zero, one, one * many, at, at, zero + NEW), Completeness.step(1, 0))
            arrivals.passed(days, slot + 1, slot + 1)
        whole = arrivals.was_complete(days, np.array([9 * 48, 10 * 48, 10 * 48 + 30, 11 * 48 + 30, 13 * 48]))
        assert whole.tolist() == [True, True, made_up_for, made_up_for, True]

    def test_days_that_were_not_fresh_are_known(self) -> None:
        feed = Feed()
        for day in range(12):
            for place in range(48):
                feed.pass_slot(day, Day(day % 7, False, HALF_HOURS), place, 0 if day == 10 and place < 20 else 10)
        assert feed.was_complete(9)
        assert not feed.was_complete(10)
        again = Feed()
        again.restore(feed.state(), Day(11 % 7, False, HALF_HOURS))
        monday = Day(12 % 7, False, HALF_HOURS)
        assert [again.pass_slot(12, monday, 0, 0)] == [feed.pass_slot(12, monday, 0, 0)]
        assert not again.was_complete(10)


class TestExplain:
    def explained(self, hours: int, days: float) -> str:
        friday = datetime(2026, 7, 3, 18)
        return sentence(
            Explained("thefts", "district 9", friday, friday + timedelta(hours=hours), 9, 2.0, 0, 5, days, 1.0)
        )

    def test_a_day_long_window_names_its_days(self) -> None:
        assert "Friday 18:00 to Saturday 18:00" in self.explained(24, 20.0)
        assert "for a day to Saturday in July" in self.explained(24, 20.0)

    def test_how_rare_and_how_complete(self) -> None:
        assert "once in 3 weeks" in self.explained(5, 20.0)
        assert "once in 2 years" in self.explained(5, 800.0)
        assert "once in 1 day " in self.explained(5, 0.3)
        assert "usually in" not in self.explained(5, 20.0)

    def test_the_factors_multiply_to_the_expectation(self) -> None:
        rates = learnt().expect(MONDAY)
        for half_hour in (0, 20):
            why = factors(rates, 1, 0, half_hour)
            product = (
                why.records_a_day / 48 * why.hour_of_week * why.district_hours * why.city_lately * why.first_of_month
            )
            assert product == pytest.approx(rates.panes(HALF_HOURS)[half_hour, 1, 0])


def test_changes_of_the_same_records_add_up() -> None:
    one = np.ones(3, np.int64)
    changes = PaneDeltas(5 * one, one, one, one, np.array([1, -1, 1]), np.array([7, 7, 8]), 9 * one, NEW * one)
    left = changes.net()
    assert (len(left), left.since.tolist(), left.delta.tolist()) == (1, [8], [1])


def test_days_of_a_zone_that_is_ahead() -> None:
    days = LocalDays(shifted_clock(11))
    assert days.bounds(20) == (20 * 48 - 11, 21 * 48 - 11)
    assert days.of(20 * 48 - 11) == 20
