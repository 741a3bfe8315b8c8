"""`surge` on invented cities: does it find what was put in, keep its budget, and hold its tongue when it must."""

from __future__ import annotations

import importlib.util
from functools import cache

import numpy as np
import pytest
from scipy.stats import nbinom

from citystream.detect.changes import ARCHIVE, NEW, PaneDeltas
from citystream.detect.episodes import AlertChange
from citystream.detect.learning import Looking
from citystream.detect.local_days import shifted_clock
from citystream.detect.surge import Surge, SurgeSettings
from tests.published import SHARED, needs_shared

FIRST = 19000 * 48
DISTRICTS, TYPES, DAYS = 5, 6, 145
END = FIRST + DAYS * 48
#: Bursts are put in after this day.
QUIET = 100


def records(slot, cell, came, origin: int = NEW, timed: int = 1) -> PaneDeltas:
    slot, cell, came = (np.asarray(each, np.int64) for each in (slot, cell, came))
    one = np.ones(len(slot), np.int64)
    return PaneDeltas(slot, cell // TYPES, cell % TYPES, timed * one, one, came, came, origin * one)


@cache
def city(mean_delay: int = 0) -> PaneDeltas:
    """Overdispersed counts with a day's rhythm, in 30 cells from 0.1 to 12 records a day."""
    rng = np.random.default_rng(8)
    rate = np.geomspace(0.1, 12, DISTRICTS * TYPES)
    hours = 1 + 0.8 * np.sin(np.arange(48) / 48 * 2 * np.pi)
    days = rng.gamma(20, 1 / 20, (DAYS, len(rate)))
    counts = rng.poisson(days[:, None, :] * rate / 48 * hours[None, :, None]).reshape(-1, len(rate))
    slot, cell = np.nonzero(counts)
    slot, cell = (np.repeat(each, counts[slot, cell]) for each in (slot, cell))
    delay = rng.exponential(mean_delay, len(slot)).astype(np.int64) if mean_delay else 0
    return records(FIRST + slot, cell, FIRST + slot + delay)


def bursts() -> tuple[PaneDeltas, list[tuple[int, int]]]:
    """Ten times as many more records as make a cell's day odd, and (cell, slot) of each."""
    rng, parts, where = np.random.default_rng(9), [], []
    for number in range(10):
        cell, begin = 4 + 2 * number, FIRST + (QUIET + 4 * number) * 48 + 20
        slot = begin + rng.integers(0, 10, 9 + number)
        parts.append(records(slot, np.full(len(slot), cell), slot))
        where.append((cell, begin))
    return PaneDeltas.joined(parts), where


def passed(changes: PaneDeltas, budget: float = 1.0, looking: Looking | None = None) -> tuple[Surge, list[AlertChange]]:
    engine = Surge(SurgeSettings("invented", budget, looking or Looking()), shifted_clock(-10))
    engine.feed(changes)
    return engine, list(engine.advance(END))


def raised(told: list[AlertChange]) -> list[tuple[int, int, float]]:
    """(cell, slot, local day) of what was raised; the first record was on day 0."""
    return [
        (each.alert.district * TYPES + each.alert.type, each.at, (each.at - FIRST) / 48 + 1)
        for each in told
        if each.what == "raised"
    ]


@pytest.fixture(scope="module")
def with_bursts() -> list[AlertChange]:
    return passed(PaneDeltas.joined([city(), bursts()[0]]))[1]


def test_bursts_are_found_within_hours(with_bursts) -> None:
    found = [
        min((at - begin for cell, at, _ in raised(with_bursts) if cell == where and 0 <= at - begin < 60), default=None)
        for where, begin in bursts()[1]
    ]
    assert sum(each is not None for each in found) >= 9
    assert np.median([each for each in found if each is not None]) <= 10


def test_the_budget_is_kept(with_bursts) -> None:
    near = [(cell, begin) for cell, begin in bursts()[1]]
    false = [
        day
        for cell, at, day in raised(with_bursts)
        if not any(cell == where and begin <= at < begin + 8 * 48 for where, begin in near)
    ]
    assert not [day for day in false if day < 7]
    assert sum(7 <= day < 56 for day in false) / 7 <= 2.5
    assert sum(day >= 56 for day in false) / ((DAYS - 56) / 7) <= 1.6


def test_alerts_say_what_they_rest_on(with_bursts) -> None:
    for change in with_bursts:
        alert = change.alert
        assert alert.lo95 <= alert.expected <= alert.hi95 + 1
        assert alert.observed >= 3
        assert alert.first_alarm <= alert.window_end <= alert.last_alarm
        assert alert.completeness == 1.0
        assert alert.recurrence_days >= 7 or change.what == "withdrawn"
        assert alert.provisional == (alert.window_end <= FIRST + 56 * 48) or alert.provisional


def test_late_records_are_expected_late_and_second_looks_find_more() -> None:
    slot = FIRST + QUIET * 48 + np.repeat(np.arange(10), 2)
    late = records(slot, np.full(len(slot), 20), slot + 60)
    changes = PaneDeltas.joined([city(12), late])
    _, first = passed(changes, looking=Looking(ages=(0,), learn_after=2, late=False))
    _, all_looks = passed(changes, looking=Looking(learn_after=2))
    near = [
        [cell for cell, _, day in raised(told) if cell == 20 and abs(day - QUIET) < 4] for told in (first, all_looks)
    ]
    assert near[0] == []
    assert near[1]
    seen = [each.alert.completeness for each in all_looks if each.what == "raised" and each.at > FIRST + 60 * 48]
    assert min(seen) < 0.9


def test_an_outage_is_silent_and_not_learnt() -> None:
    begin = FIRST + QUIET * 48 + 9
    told = city(2)
    lost = (told.came >= begin) & (told.came < begin + 24)
    engine = Surge(SurgeSettings("invented", looking=Looking(learn_after=2)), shifted_clock(-10))
    engine.feed(told.take(~lost))
    states: dict[int, str] = {}
    for slot in range(begin - 48, begin + 24):
        engine.advance(slot)
        states |= engine.feed_states
    assert {states[slot] for slot in range(begin - 40, begin + 1)} == {"fresh"}
    assert "silent" in {states[slot] for slot in range(begin, begin + 12)}
    engine.advance(begin + 10 * 48)
    rates = engine.course.standard.rates
    before, after = (rates.of(19000 + QUIET + day).level.sum() for day in (-1, 9))
    assert after == pytest.approx(before, rel=0.05)


def test_records_without_a_time_count_in_days_alone() -> None:
    midnight = FIRST + QUIET * 48 + 10
    heap = records(np.full(14, midnight), np.full(14, 20), np.full(14, midnight), timed=0)
    _, told = passed(PaneDeltas.joined([city(), heap]))
    near = [each.alert for each in told if abs(each.at - midnight) < 96 and each.alert.type == 20 % TYPES]
    near = [alert for alert in near if alert.district == 20 // TYPES]
    assert near
    assert all(alert.window_end - alert.window_start == 48 for alert in near)


def test_an_archive_is_history_and_teaches_no_delays() -> None:
    lag = 4 * 48
    everything = city()
    old = everything.slot < FIRST + 100 * 48
    archive = records(everything.slot, everything.district * TYPES + everything.type, everything.slot + lag, ARCHIVE)
    engine = Surge(
        SurgeSettings("invented", looking=Looking(ages=(lag, lag + 24, lag + 96), lag=lag)), shifted_clock(-10)
    )
    engine.feed(archive.take(old))
    engine.advance(FIRST + 100 * 48 + lag)
    assert not engine.course.standard.complete.newest.learnt
    assert engine.feed_states == {}
    assert len(engine.course.standard.recurrence.newest.maxima)
    level = engine.course.standard.rates.of(engine.course.today).level.sum()
    assert level == pytest.approx(old.sum() / 100, rel=0.1)


def test_a_new_type_is_provisional_at_first() -> None:
    begin = FIRST + QUIET * 48
    slot = begin + np.arange(12)
    new = records(slot, np.full(12, 2), slot)
    new = PaneDeltas(
        new.slot,
        new.district,
        new.type * 0 + TYPES,
        *(getattr(new, n) for n in ("timed", "delta", "since", "came", "origin")),
    )
    _, told = passed(PaneDeltas.joined([city(), new]))
    alerts = [each.alert for each in told if each.alert.type == TYPES]
    assert alerts
    assert all(alert.provisional for alert in alerts)


@needs_shared
def test_nothing_is_found_where_there_is_nothing_to_find() -> None:
    """The first 120 days of a stream without bursts: cold start, budget, and tails that are as they say."""
    engine = Surge(SurgeSettings("null", budget=2.0), shifted_clock(0))
    engine.feed(known_null(days=120))
    told = [each for each in engine.advance(FIRST + 90 * 48) if each.what == "raised"]
    days = [(each.at - FIRST) / 48 for each in told]
    assert min(days) > 7
    assert len([day for day in days if day <= 56]) / 7 <= 2.5
    assert len([day for day in days if day > 56]) / ((90 - 56) / 7) <= 4
    course, chances = engine.course, []
    rng = np.random.default_rng(1)
    for day in range(90, 120):
        engine.advance(FIRST + (day + 1) * 48 - 1)
        block = course.looks_of_today(0)
        mean, many = block.expected[0][::6].ravel(), block.observed[0][::6].ravel()
        kinds = np.tile(np.arange(block.shape[1]), len(mean) // block.shape[1])
        alpha = np.tile(course.standard.rates.of(course.today).alpha.ravel(), len(block.ends[::6]))
        size = 1 / course.standard.spread.newest.spread(0, kinds, mean, alpha)
        more, at_least = (nbinom.sf(many - less, size, size / (size + mean)) for less in (0, 1))
        chances.append(more + rng.random(len(mean)) * (at_least - more))
    chance = np.concatenate(chances)
    assert (chance <= 0.1).mean() == pytest.approx(0.1, rel=0.05)
    assert (chance <= 0.01).mean() == pytest.approx(0.01, rel=0.15)


def known_null(days: int) -> PaneDeltas:
    """A stream of the simulator that is beside the published files, seen as it occurs."""
    spec = importlib.util.spec_from_file_location("known_sim", SHARED / "detection" / "sim.py")
    assert spec
    assert spec.loader
    simulator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(simulator)
    drawn = simulator.dedupe(simulator.simulate(0, days=days, n_local=0, n_diffuse=0, n_drift=0))
    slot = FIRST + drawn["slot"].astype(np.int64)
    one = np.ones(len(slot), np.int64)
    cell = (drawn[name].astype(np.int64) for name in ("district", "type"))
    return PaneDeltas(slot, *cell, one, one, slot, slot, one * NEW)


def test_a_fortnight_in_which_nobody_asked_teaches_nothing() -> None:
    """Of a source that publishes whole days ten days later, which was not visited for two weeks: neither do its counts
    fall, nor is what then comes at once a surge.
    """
    usual = city()
    came = (usual.slot // 48 + 10) * 48
    missed = (came > FIRST + 112 * 48) & (came < FIRST + 126 * 48)
    late = np.where(missed, FIRST + 126 * 48, came)
    district_and_type = usual.district * TYPES + usual.type
    told = {}
    for name, arrived, slack in (("visited", came, 96), ("missed", late, 96), ("unasked", late, 0)):
        looking = Looking(ages=(528, 552, 624), watch=False, lag=480, slack=slack)
        engine, changes = passed(records(usual.slot, district_and_type, arrived), 1.0, looking)
        assert engine.course
        rates = engine.course.standard.rates.of(engine.course.today)
        raised = sum(each.what == "raised" and each.at > FIRST + 112 * 48 for each in changes)
        told[name] = raised, float((rates.level * rates.city).sum())
    assert abs(told["missed"][0] - told["visited"][0]) <= 2
    assert abs(told["missed"][1] / told["visited"][1] - 1) < 0.1
    # the test would see it
    assert told["unasked"][0] > told["visited"][0] + 5
