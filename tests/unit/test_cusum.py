"""Sums of log-likelihood ratios: their limit, their pace, and where they begin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from citystream.detect.cusum import Cusum, increment

ALWAYS = np.array([True])


@given(st.integers(0, 200), st.floats(0.05, 80), st.floats(0.2, 500), st.sampled_from([2.0, 0.5]))
def test_an_increment_is_the_ratio_of_two_likelihoods(count, mean, size, ratio) -> None:
    usual = nbinom.logpmf(count, size, size / (size + mean))
    changed = nbinom.logpmf(count, size, size / (size + ratio * mean))
    given = increment(np.array([float(count)]), np.array([mean]), np.array([size]), ratio)[0]
    assert given == pytest.approx(changed - usual, rel=1e-6, abs=1e-7)


def test_without_overdispersion_it_is_poisson() -> None:
    count, mean = np.array([0.0, 3.0, 11.0]), np.array([3.0, 3.0, 3.0])
    poisson = count * np.log(2) - mean
    assert increment(count, mean, np.full(3, 1e12), 2.0) == pytest.approx(poisson, rel=1e-6)


def test_a_sum_begins_only_where_it_may_and_then_goes_on() -> None:
    down = Cusum((2,), ratio=0.5)
    few, mean, size = np.zeros(2), np.array([1.0, 2.0]), np.full(2, 50.0)
    down.step(4, few, mean, size, mean >= 1.5)
    assert down.sum[0] == 0 < down.sum[1]
    down.step(5, few, mean / 4, size, mean >= 99)
    assert down.sum[0] == 0
    assert down.onset.tolist() == [5, 4]
    assert down.expected.tolist() == [0.25, 2.5]


def test_usual_days_bring_a_sum_back_to_nothing() -> None:
    up = Cusum((1,), ratio=2.0)
    for day, count in enumerate([9.0, 8.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]):
        up.step(day, np.array([count]), np.array([3.0]), np.array([100.0]), ALWAYS)
    assert up.sum[0] == 0
    up.step(9, np.array([7.0]), np.array([3.0]), np.array([100.0]), ALWAYS)
    assert up.onset[0] == 9
    assert up.observed[0] == 7.0


def test_state_goes_on() -> None:
    one, other = Cusum((1,), 2.0), Cusum((1,), 2.0)
    one.step(1, np.array([6.0]), np.array([3.0]), np.array([10.0]), ALWAYS)
    other.restore(one.state())
    for each in (one, other):
        each.step(2, np.array([6.0]), np.array([3.0]), np.array([10.0]), ALWAYS)
        each.grow((3,))
    assert one.sum.tolist() == other.sum.tolist()
    assert one.expected.tolist() == [6.0, 0.0, 0.0]
