"""Week tables: counts of weeks from changes of days, which weeks are missing, and alarms of a table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.detect.seven_days import PastDays, SevenDays
from citystream.detect.weekly import Plain, Weekly, years_of_history

FIRST = np.datetime64("2019-01-07")


def steady(series: int, weeks: int, seed: int = 0, mean: float = 12.0) -> tuple[Weekly, np.datetime64]:
    """Weekly counts of the same mean, and the day on which the last week begins."""
    weekly = Weekly(series)
    counts = np.random.default_rng(seed).negative_binomial(mean / 0.5, 1 / 1.5, (weeks, series))
    week, place = np.divmod(np.arange(weeks * series), series)
    weekly.take(place, FIRST + 7 * week, counts.ravel())
    return weekly, FIRST + 7 * (weeks - 1)


changes = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 40), st.sampled_from([1, 1, 2])), min_size=1, max_size=30
)


@settings(max_examples=60, deadline=None)
@given(changes, st.data())
def test_order_cuts_restarts_and_what_was_taken_back_change_nothing(rows, data) -> None:
    taken_back = data.draw(st.lists(st.sampled_from(rows)))
    signed = [*rows, *((series, day + 8, delta) for series, day, delta in taken_back)]
    signed += [(series, day + 8, -delta) for series, day, delta in taken_back]
    shuffled = data.draw(st.permutations(signed))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=5)))
    whole, parts = Weekly(3), Weekly(3)
    for weekly, pieces in ((whole, [rows]), (parts, np.split(np.arange(len(shuffled)), cuts))):
        for piece in pieces:
            lines = rows if weekly is whole else [shuffled[place] for place in piece]
            columns = np.array(lines, np.int64).reshape(-1, 3).T
            weekly.take(columns[0], FIRST + columns[1], columns[2])
            restarted = Weekly(3)
            restarted.restore(weekly.state())
            weekly.restore(restarted.state())
    day = FIRST + max(row[1] for row in rows)
    plain = Plain(np.full(3, 4.0), np.full(3, 10.0))
    one, other = (each.table(day, FIRST, plain=plain) for each in (whole, parts))
    assert one.observed.tolist() == other.observed.tolist()
    assert one.p.tolist() == other.p.tolist()


def test_quiet_weeks_raise_few_alarms_and_a_loud_one_is_found() -> None:
    weekly, last = steady(400, 300)
    quiet = weekly.table(last, FIRST)
    assert quiet.years == 4
    assert quiet.alarm.sum() <= 2
    assert 0.02 <= (quiet.p <= 0.05).mean() <= 0.09
    weekly.take(np.array([7]), np.array([last]), np.array([40]))
    loud = weekly.table(last, FIRST)
    assert np.flatnonzero(loud.alarm & ~quiet.alarm).tolist() == [7]
    assert loud.q[7] <= 0.05 < loud.p[loud.p > loud.p[7]].min() * 400


def test_an_incomplete_week_is_missing_and_not_zero() -> None:
    weekly, last = steady(3, 300)
    hole = last - 7 * 60
    weekly.take(np.array([1]), np.array([hole]), np.array([900]))
    filled = weekly.table(last, FIRST)
    without = weekly.table(last, FIRST, incomplete=np.array([hole + 2]))
    assert without.expected[1] != filled.expected[1]
    assert without.expected[0] == pytest.approx(filled.expected[0], rel=0.05)
    itself = weekly.table(last, FIRST, incomplete=np.array([last]))
    assert np.isnan(itself.p).all()
    assert not itself.alarm.any()
    assert itself.observed.tolist() == filled.observed.tolist()


def test_a_young_series_is_judged_by_what_surge_expects() -> None:
    weekly, last = steady(2, 40)
    weekly.take(np.array([0]), np.array([last]), np.array([30]))
    nothing = weekly.table(last, FIRST)
    assert nothing.years == 0
    assert np.isnan(nothing.p).all()
    table = weekly.table(last, FIRST, plain=Plain(np.array([12.0, 12.0]), np.array([25.0, 25.0])))
    assert table.alarm.tolist() == [True, False]
    assert table.dispersion.tolist() == pytest.approx([1.48, 1.48])


def days_of(counts: np.ndarray, first: int = 17_000) -> PastDays:
    """Counts by day, district and type, all at noon."""
    day, district, kind = np.nonzero(counts)
    return PastDays(day + first, np.full(len(day), 24), district, kind, counts[day, district, kind])


def test_seven_days_are_expected_by_level_and_weekday_and_their_spread_is_learnt() -> None:
    rng = np.random.default_rng(4)
    level = np.array([[6.0, 2.0], [3.0, 0.5]])
    weekday = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0])[(np.arange(210) + 3) % 7]  # day 0 was a Thursday
    weekday = np.roll(weekday, -(17_000 % 7))
    counts = rng.poisson(weekday[:, None, None] * level)
    of = {"first": 17_000, "monday": 17_210 - (17_210 + 3) % 7}
    plain = SevenDays(2, 2).expect(days_of(counts[: of["monday"] - 17_000]), missing=frozenset(), **of)
    assert plain.mean == pytest.approx(9 * level, rel=0.15, abs=1)
    assert plain.weeks > 20
    noisy = rng.gamma(4.0, 0.25, (30, 2, 2)).repeat(7, axis=0) * weekday[:, None, None] * level
    wide = SevenDays(2, 2).expect(days_of(rng.poisson(noisy)[: of["monday"] - 17_000]), missing=frozenset(), **of)
    assert wide.size[0, 0] < plain.size[0, 0] / 2


def test_days_that_are_missing_teach_nothing_and_what_is_not_in_is_not_expected() -> None:
    counts = np.random.default_rng(4).poisson(8.0, (70, 1, 1))
    hole = np.where((np.arange(70) > 53)[:, None, None] & (np.arange(70) < 64)[:, None, None], 0, counts)
    of = {"first": 17_001, "monday": 17_071}
    whole = SevenDays(1, 1).expect(days_of(counts, 17_001), missing=frozenset(), **of)
    lacking = SevenDays(1, 1).expect(days_of(hole, 17_001), missing=frozenset(range(17_055, 17_065)), **of)
    taken = SevenDays(1, 1).expect(days_of(hole, 17_001), missing=frozenset(), **of)
    assert lacking.mean[0, 0] == pytest.approx(whole.mean[0, 0], rel=0.1)
    assert taken.mean[0, 0] < 0.9 * lacking.mean[0, 0]
    assert (lacking.days, lacking.weeks) == (60, 6)
    half = SevenDays(1, 1).expect(days_of(counts, 17_001), missing=frozenset(), share=np.full(7, 0.5), **of)
    assert half.mean == pytest.approx(whole.mean / 2)


def test_few_records_are_no_alarm() -> None:
    weekly = Weekly(2)
    weekly.take(np.array([1]), np.array([FIRST]), np.array([500]))
    last = FIRST + 7 * 299
    weekly.take(np.array([0]), np.array([last]), np.array([4]))
    table = weekly.table(last, FIRST)
    assert table.q[0] <= 0.05
    assert not table.enough[0]
    assert not table.alarm.any()


@pytest.mark.parametrize(("weeks", "years"), [(59, 0), (60, 1), (107, 1), (108, 2), (212, 3), (213, 4), (400, 4)])
def test_only_whole_years_are_compared_with(weeks: int, years: int) -> None:
    assert years_of_history(np.datetime64("2024-07-29"), weeks) == years


def test_a_week_that_was_forgotten_is_an_error() -> None:
    weekly, last = steady(1, 320)
    with pytest.raises(ValueError, match="is not remembered"):
        weekly.table(FIRST, FIRST)
    with pytest.raises(ValueError, match="is not remembered"):
        weekly.table(last + 14, FIRST)
