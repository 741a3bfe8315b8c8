"""Retrospective scans: published clusters, worked numbers, p-values that mean what they say."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.detect.scan_statistic import Gumbel, conditional_poisson, expected_poisson
from citystream.detect.scan_tables import (
    ConditionalPoisson,
    ExpectedNegativeBinomial,
    ExpectedPoisson,
    Permutation,
    scan_table,
)
from citystream.detect.zones import Zones, given_zones, nearest_zones
from tests.published import SHARED, needs_shared

FOLDER = SHARED / "anomaly" / "nm_brain"


class BrainCancer:
    """New Mexico 1986-1989 as published: counts, what was expected of them, and the zones."""

    def __init__(self) -> None:
        with (FOLDER / "expected_baselines_1986_1989.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        self.counties = sorted({row["county"] for row in rows})
        self.counts, self.expected = np.zeros((2, len(self.counties), 4))
        for row in rows:
            at = self.counties.index(row["county"]), int(row["year"]) - 1986
            self.counts[at], self.expected[at] = float(row["count"]), float(row["mu"])
        with (FOLDER / "zones.csv").open(newline="") as file:
            members = [row["counties"].split("|") for row in csv.DictReader(file)]
        self.zones = given_zones([[self.counties.index(name) for name in each] for each in members], len(self.counties))

    def names(self, areas: np.ndarray) -> list[str]:
        return [self.counties[area] for area in areas]


@needs_shared
@pytest.mark.parametrize("statistic", [ExpectedPoisson(), ExpectedNegativeBinomial(30.0)])
def test_brain_cancer_in_new_mexico_is_where_the_paper_has_it(statistic) -> None:
    """Kulldorff et al. 1998: Los Alamos and Santa Fe, 1986 to 1989."""
    data = BrainCancer()
    found = scan_table(statistic, data.counts, data.zones, data.expected, draws=199)
    assert data.names(found.areas) == ["losalamos", "santafe"]
    assert found.periods == 4
    assert found.p_mc < 0.2


@needs_shared
def test_the_statistics_are_those_published_for_the_r_package() -> None:
    """9.1807 for the first cluster, 6.8197 for Chaves 1988-1989; what was expected there differs a little."""
    data = BrainCancer()
    every = scan_table(ExpectedPoisson(), data.counts, data.zones, data.expected, draws=2).every
    chaves = [tuple(zone) for zone in data.zones.members].index((data.counties.index("chaves"),))
    assert every.max() == pytest.approx(9.1806711, abs=2e-4)
    assert every[chaves, 1] == pytest.approx(6.8196550, abs=2e-4)


def test_the_ratio_of_a_known_cluster() -> None:
    """106 of 552 cases where 62.13 were expected: 106 ln(106/62.13) + 446 ln(446/489.87)."""
    ratio = conditional_poisson(np.array([106.0]), np.array([62.13]), np.array([552.0]))
    by_hand = 106 * np.log(106 / 62.13) + 446 * np.log(446 / 489.87)
    assert ratio[0] == pytest.approx(by_hand, rel=1e-12)


@given(st.integers(0, 60), st.floats(0.01, 50), st.integers(60, 200))
def test_ratios_are_never_negative_and_grow_with_cases(cases, expected, total) -> None:
    counts, means, totals = (np.array([float(each)] * 2) for each in (cases, expected, total))
    counts[1] += 1
    for ratio in (conditional_poisson(counts, means, totals), expected_poisson(counts, means)):
        assert 0 <= ratio[0] <= ratio[1] + 1e-12


def grid(side: int = 5) -> Zones:
    places = np.array([(x, y) for x in range(side) for y in range(side)], np.float64)
    return nearest_zones(places, most=6)


@pytest.mark.parametrize(
    "statistic", [ExpectedPoisson(), ExpectedNegativeBinomial(20.0), ConditionalPoisson(), Permutation()]
)
def test_chance_is_uniform_and_a_cluster_is_found(statistic) -> None:
    """Under the null p is small about as often as it says; nine areas with twice as many are found where they are."""
    zones, expected = grid(), np.full((25, 4), 6.0)
    rng = np.random.default_rng(3)
    p = []
    for seed in range(40):
        counts = statistic.draw(np.full((25, 4), 6.0), expected, rng)
        p.append(scan_table(statistic, counts, zones, expected, draws=39, seed=seed).p_mc)
    assert 0.3 <= np.mean(p) <= 0.7
    counts = rng.poisson(expected).astype(float)
    inside = [0, 1, 5, 6]
    counts[inside, -2:] += 12
    found = scan_table(statistic, counts, zones, expected, draws=99)
    assert set(found.areas.tolist()) & set(inside)
    assert found.periods in {1, 2, 3}
    assert found.p_mc == 0.01
    assert found.p_gumbel < 1e-3


def test_equal_seeds_are_equal_chances() -> None:
    counts = np.random.default_rng(0).poisson(3.0, (25, 3)).astype(float)
    one, other = (scan_table(Permutation(), counts, grid(), draws=19, seed=4) for _ in range(2))
    assert (one.p_mc, one.p_gumbel) == (other.p_mc, other.p_gumbel)


def test_a_permutation_keeps_both_margins() -> None:
    counts = np.random.default_rng(1).poisson(2.0, (7, 5)).astype(float)
    drawn = Permutation().draw(counts, counts, np.random.default_rng(2))
    assert drawn.sum(axis=0).tolist() == counts.sum(axis=0).tolist()
    assert drawn.sum(axis=1).tolist() == counts.sum(axis=1).tolist()


def test_a_statistic_that_needs_expected_counts_says_so() -> None:
    with pytest.raises(ValueError, match="expected count for each of"):
        scan_table(ExpectedPoisson(), np.ones((25, 3)), grid())


def test_zones_are_distinct_nested_neighbours() -> None:
    zones = grid(3)
    sets = [tuple(zone.tolist()) for zone in zones.members]
    assert len(sets) == len(set(sets))
    assert {(area,) for area in range(9)} <= set(sets)
    assert max(map(len, sets)) == 6
    with pytest.raises(ValueError, match="at least one area"):
        given_zones([[]], 3)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4), min_size=1, max_size=8), st.integers(0, 99))
def test_sums_of_zones_are_sums(members, seed) -> None:
    values = np.random.default_rng(seed).integers(0, 50, (6, 3)).astype(float)
    zones = given_zones(members, 6)
    plain = np.array([values[zone].sum(axis=0) for zone in zones.members])
    assert zones.sums(values) == pytest.approx(plain)
    assert zones.narrow_sums(values.astype(np.float32)) == pytest.approx(plain)


def test_gumbel_tails_go_beyond_the_smallest_number() -> None:
    null = Gumbel(5.0, 1.0)
    assert null.score_of(5.0) == pytest.approx(-np.log10(1 - np.exp(-1)), rel=1e-9)
    assert null.score_of(2000.0) == pytest.approx(1995 / np.log(10), rel=1e-9)
    scores = null.score(np.linspace(0, 60, 200))
    assert (np.diff(scores) > -1e-12).all()
