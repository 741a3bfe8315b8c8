"""Farrington-flexible against published numbers, another implementation's, and what a maximum must satisfy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.detect.farrington import Settings, bound, farrington, reference_weeks, season_blocks
from citystream.detect.quasipoisson import fit_quasipoisson

MONDAY = np.datetime64("2024-07-29")


def invented(level: float, growth: float, weeks: int = 290) -> np.ndarray:
    """Counts of weeks with a season, a trend, three outbreaks, two weeks missing, and an excess in the last one."""
    noise, counts = 1, []
    for week in range(weeks):
        noise = noise * 1103515245 + 12345 & 0x7FFFFFFF
        usual = level * (1 + 0.4 * np.cos(week * 2 * np.pi / 52.18)) * np.exp(growth * week)
        outbreak = 4 if week in (40, 130, 131) else 1
        counts.append(float(int(usual * (0.4 + (noise >> 16) % 1000 / 800)) * outbreak))
    counts[70] = counts[71] = np.nan
    counts[-1] = float(int(level * 2))
    return np.array(counts)


def _bound(observed: float, mean: float, error: float, phi: float, said: Settings) -> list[float]:
    columns = (np.array([each]) for each in (observed, mean, error, phi))
    return [float(each[0]) for each in bound(*columns, said)]


@pytest.mark.parametrize(
    ("how", "error", "observed", "phi", "upper", "p"),
    [
        ("delta", 0.04, 8.0, 1.0, 9.1154825, 0.1094727),
        ("muan", np.log(2), 11.0, 1.5, 24.0, 0.8597797),
        ("muan", np.log(2), 11.0, 1.0, 22.0, 0.9093099),
        ("nb_plugin", 0.0, 11.0, 1.5, 10.0, 0.03763657),
        ("nb_plugin", 0.0, 11.0, 1.0, 9.0, 0.01369527),
    ],
)
def test_bounds_are_those_published_for_the_r_package(how, error, observed, phi, upper, p) -> None:
    """Worked numbers of the tests of R surveillance, for an expected count of 5."""
    assert _bound(observed, 5.0, error, phi, Settings(bound=how)) == pytest.approx([upper, p], abs=1e-6)


#: level, growth, settings; expected, dispersion, upper, p, slope kept: by statsmodels 0.14 (GLM, Poisson, var_weights).
SECOND_OPINION = [
    (4.0, 0.0, Settings(trend_p=1.0, bound="nb_plugin"), 2.175981, 1.000000, 5.00000, 0.0018493, True),
    (4.0, 0.0, Settings(trend_p=0.05, bound="muan"), 2.175981, 1.000000, 5.00000, 0.0038990, True),
    (4.0, 0.0, Settings(trend_p=0.05, bound="delta"), 2.175981, 1.000000, 5.02873, 0.0011857, True),
    (14.0, 0.002, Settings(trend_p=1.0, bound="nb_plugin"), 16.285984, 2.588515, 28.00000, 0.0563133, True),
    (14.0, 0.002, Settings(trend_p=0.05, bound="muan"), 16.285984, 2.588515, 29.00000, 0.0698877, True),
    (14.0, 0.002, Settings(trend_p=0.05, bound="delta"), 16.285984, 2.588515, 28.08792, 0.0511735, True),
    (40.0, -0.001, Settings(trend_p=1.0, bound="nb_plugin"), 19.784878, 4.369548, 37.00000, 0.0000202, True),
    (40.0, -0.001, Settings(trend_p=0.05, bound="muan"), 20.024750, 4.345493, 38.00000, 0.0000263, False),
    (40.0, -0.001, Settings(trend_p=0.05, bound="delta"), 20.024750, 4.345493, 37.19868, 0.0000005, False),
]


@pytest.mark.parametrize(("level", "growth", "said", "expected", "phi", "upper", "p", "kept"), SECOND_OPINION)
def test_a_second_implementation_agrees(level, growth, said, expected, phi, upper, p, kept) -> None:
    judged = farrington(invented(level, growth)[None, :], MONDAY, 4, said)
    told = [float(each[0]) for each in (judged.expected, judged.dispersion, judged.upper, judged.p)]
    assert told == pytest.approx([expected, phi, upper, p], abs=1e-4)
    assert (judged.slope[0] != 0) == kept


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_fit_is_the_maximum(seed: int, gaps: bool) -> None:
    """At the maximum of the likelihood the weighted residuals are orthogonal to every column, for every series."""
    rng = np.random.default_rng(seed)
    block = rng.integers(0, 3, 60)
    design = np.column_stack([np.ones(60), block == 1, block == 2, np.linspace(-1, 0, 60)]).astype(float)
    counts = rng.poisson(rng.uniform(1, 30), (4, 60)).astype(float)
    weight = rng.uniform(0.1, 2, (4, 60)) * (rng.random((4, 60)) > 0.2 * gaps)
    fit = fit_quasipoisson(design, counts, weight, np.ones(4, bool))
    score = (weight * (counts - fit.mean)) @ design
    assert np.abs(score).max() <= 1e-3 * counts.sum(axis=1).max()
    assert fit.converged.all()


def test_a_series_is_judged_alone() -> None:
    many = np.stack([invented(level, 0.001) for level in (3.0, 9.0, 30.0)])
    together = farrington(many, MONDAY, 4)
    for row in range(3):
        alone = farrington(many[row : row + 1], MONDAY, 4)
        assert together.p[row] == pytest.approx(alone.p[0], rel=1e-9)
        assert together.expected[row] == pytest.approx(alone.expected[0], rel=1e-9)


def test_reference_weeks_are_the_nearest_of_the_same_weekday() -> None:
    """The dates published with the R package, and two years that a leap day is in."""
    assert [str(day) for day in reference_weeks(np.datetime64("2013-06-06"), 3)] == [
        "2013-06-06",
        "2012-06-07",
        "2011-06-09",
        "2010-06-03",
    ]
    assert [str(day) for day in reference_weeks(np.datetime64("2024-02-29"), 1)] == ["2024-02-29", "2023-03-02"]


@given(st.dates(min_value=np.datetime64("1990-01-01").item()), st.integers(1, 6))
def test_reference_weeks_are_at_most_three_days_from_the_date(day, years) -> None:
    for back, found in enumerate(reference_weeks(np.datetime64(day), years)):
        assert found.item().weekday() == day.weekday()
        year = day.year - back
        same = day.replace(year=year, month=3, day=1) if (day.month, day.day) == (2, 29) and year % 4 else None
        date = same or day.replace(year=year)
        assert abs((found.item() - date).days) <= 3


def test_blocks_of_a_year() -> None:
    """Seven weeks around each reference week are the season, four before the judged one; between, the first blocks are
    longer by one.
    """
    block = season_blocks(np.array([260, 208, 156]), 261, Settings())
    assert (block == 10).sum() == 4 + 2 * 7
    assert [int((block[160:205] == each).sum()) for each in range(1, 10)] == [5] * 9
    uneven = season_blocks(np.array([261, 208]), 262, Settings())
    assert [int((uneven == each).sum()) for each in range(1, 10)] == [6] + [5] * 8


def test_what_cannot_be_judged_is_not() -> None:
    counts = np.stack([invented(9.0, 0.0)] * 3)
    counts[0, -1] = np.nan
    counts[1, :-27] = np.nan
    judged = farrington(counts, MONDAY, 4)
    assert np.isnan(judged.p[:2]).all()
    assert np.isfinite(judged.p[2])
    with pytest.raises(ValueError, match="ask for fewer years"):
        farrington(counts[:, -60:], MONDAY, 2)


def test_an_outbreak_of_the_past_hides_nothing() -> None:
    """Without weights, three weeks of six times as many two years ago would raise what is expected twice as much."""
    calm = invented(14.0, 0.0)
    outbreak = calm.copy()
    outbreak[[184, 185, 186]] *= 6
    kept, lost = (
        farrington(outbreak[None, :], MONDAY, 4, Settings(stands_out=each)).expected[0] for each in (2.58, 1e9)
    )
    plain = farrington(calm[None, :], MONDAY, 4).expected[0]
    assert abs(kept - plain) < 0.5 * abs(lost - plain)


def test_years_without_a_trend() -> None:
    """Two years are too few for a slope, whatever it would explain."""
    grown = invented(14.0, 0.01)
    assert farrington(grown[None, :], MONDAY, 2).slope[0] == 0
    assert farrington(grown[None, :], MONDAY, 4).slope[0] != 0
