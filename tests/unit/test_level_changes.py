"""Level changes: textbook series, and laws of any."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.detect.level_changes import SHORTEST, level_changes

#: Yearly flow of the Nile at Aswan, 1871 to 1970 (Cobb 1978, Biometrika 65:243-251): it fell after 1898.
NILE = [
    *(1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140),
    *(1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969),
    *(831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759),
    *(781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890),
    *(744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740),
]
#: Explosions in British coal mines that killed ten or more, by year from 1851 on (Jarrett 1979, Biometrika 66:191-193):
#: they became rarer about 1890.
COAL = [
    *(4, 5, 4, 1, 0, 4, 3, 4, 0, 6, 3, 3, 4, 0, 2, 6, 3, 3, 5, 4, 5, 3, 1, 4, 4, 1, 5, 5, 3, 4, 2, 5, 2, 2, 3, 4, 2, 1),
    *(3, 2, 2, 1, 1, 1, 1, 3, 0, 0, 1, 0, 1, 1, 0, 0, 3, 1, 0, 3, 2, 2, 0, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 2, 1, 0, 0, 0),
    *(1, 1, 0, 2, 3, 3, 1, 1, 2, 1, 1, 1, 1, 2, 4, 2, 0, 0, 1, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1),
]


def test_the_nile_fell_in_1899() -> None:
    found = level_changes(np.arange(100), np.array(NILE))
    assert [1871 + start for start in found.starts] == [1871, 1899]
    assert [round(mean) for mean in found.means] == [1098, 850]


def test_coal_mines_became_safer_about_1890() -> None:
    # years are not weeks: fewer than two "years" of them, so that no season is taken out
    found = level_changes(np.arange(100), np.array(COAL[:100]))
    assert len(found.starts) == 2
    assert 1885 <= 1851 + found.starts[1] <= 1892
    assert found.means[0] > 2.5 * found.means[1]


def test_chance_changes_nothing() -> None:
    """Of series of one level and a course of the year, few have a change."""
    rng, weeks = np.random.default_rng(5), np.arange(156)
    usual = 8 * (1 + 0.3 * np.cos(2 * np.pi * weeks / 52.18))
    found = [level_changes(weeks, rng.poisson(usual)) for _ in range(100)]
    assert sum(len(each.starts) > 1 for each in found) <= 8


def test_a_step_is_found_beside_the_seasons() -> None:
    rng, weeks = np.random.default_rng(6), np.arange(156)
    usual = 12 * (1 + 0.3 * np.cos(2 * np.pi * weeks / 52.18)) * np.where(weeks < 100, 1.0, 1.6)
    found = [level_changes(weeks, rng.poisson(usual)) for _ in range(50)]
    assert sum(any(abs(start - 100) <= 4 for start in each.starts) for each in found) >= 45


@settings(deadline=None, max_examples=60)
@given(
    counts=st.lists(st.integers(0, 60), min_size=1, max_size=60),
    gaps=st.lists(st.integers(1, 3), min_size=60, max_size=60),
    most=st.integers(1, 4),
)
def test_levels_are_a_partition(counts, gaps, most) -> None:
    weeks, values = np.cumsum(gaps[: len(counts)]), np.array(counts)
    before = values.copy()
    found = level_changes(weeks, values, most)
    assert (values == before).all()
    assert found.starts[0] == 0
    assert len(found.starts) <= most + 1
    edges = [*found.starts, len(counts)]
    sizes = np.diff(edges)
    assert len(sizes) == 1 or (sizes >= SHORTEST).all()
    assert abs(float(np.dot(sizes, found.means)) - values.sum()) < 1e-6 * max(values.sum(), 1)
