"""`drift` as it follows a store: what it says of falls and breaks, and what it does not while records are missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from citystream.detect.alerting import codes_as_names
from citystream.detect.changes import ARCHIVE, NEW, REVISED, PaneDeltas
from citystream.detect.drift_engine import DriftEngine
from citystream.detect.engines import Watched, drift
from citystream.detect.episodes import Alert, AlertChange

FIRST = 19_700
DAYS = 120
CHANGE = 90
RARE = 0.02  # alerts a week that are false: with four cells, a sum worth one is far above the least that is looked at
RATES = ((0, 0, 20.0), (0, 1, 8.0), (1, 0, 12.0), (1, 1, 4.0))
BATCHES = Watched("testville/crimes", "UTC", timedelta(days=2), timedelta(days=1))
LIVE = Watched("testville/calls", "UTC", timedelta(0), timedelta(minutes=5))


def engine(about: Watched, *breaks: date) -> DriftEngine:
    return drift(replace(about, breaks=breaks), codes_as_names, budget=0.25)


def city(factor: float = 1.0, days: int = DAYS, late: int = 0, origin: int = NEW) -> PaneDeltas:
    """Four cells; from day `CHANGE` on the first has *factor* as many; all come *late* slots after they occurred."""
    rng, parts = np.random.default_rng(8), []
    for district, kind, rate in RATES:
        for day in range(days):
            more = factor if day >= CHANGE and (district, kind) == (0, 0) else 1.0
            slots = (FIRST + day) * 48 + np.sort(rng.integers(0, 48, rng.poisson(rate * more)))
            one = np.ones(len(slots), np.int64)
            parts.append(
                PaneDeltas(slots, one * district, one * kind, one, one, slots + late, slots + late, one * origin)
            )
    return PaneDeltas.joined(parts)


def told(of: DriftEngine, changes: PaneDeltas, until: int = DAYS) -> list[AlertChange]:
    of.feed(changes)
    return [each for each in of.advance((FIRST + until) * 48) if (each.alert.district, each.alert.type) == (0, 0)]


def last(changes: list[AlertChange]) -> Alert:
    return changes[-1].alert


def test_a_fall_and_a_rise_are_alerts_from_their_onset_to_the_last_day() -> None:
    for factor, direction in ((0.4, "fewer"), (1.9, "more")):
        found = told(engine(BATCHES), city(factor, late=96, origin=ARCHIVE))
        assert [each.what for each in found][:2] == ["raised", "updated"]
        assert {each.what for each in found[1:]} == {"updated"}
        alert = last(found)
        assert alert.direction == direction
        assert abs(alert.window_start // 48 - FIRST - CHANGE) <= 4
        assert alert.window_end > alert.first_alarm == alert.episode
        assert (alert.observed > alert.hi95) if direction == "more" else (alert.observed < alert.lo95)
        assert len({each.alert.alert_id for each in found}) == 1


def test_a_series_break_closes_what_is_open_and_begins_anew() -> None:
    broken = date(1970, 1, 1) + timedelta(days=FIRST + CHANGE + 14)
    found = told(engine(BATCHES, broken), city(0.4, late=96, origin=ARCHIVE))
    assert found[-1].what == "withdrawn"
    assert (last(found).reason, last(found).active) == ("definition changed", False)
    assert all(each.alert.window_end <= (FIRST + CHANGE + 14) * 48 for each in found)


@pytest.mark.parametrize("origin", [NEW, ARCHIVE])
def test_a_publisher_that_stops_has_no_fewer_reports(origin: int) -> None:
    """Its last days are not all there and the next ones empty: neither are a fall, however long it lasts."""
    coming = city(late=96, origin=origin)
    if origin == ARCHIVE:  # a file that was made before the records of its last days were in
        coming = coming.take((coming.slot < (FIRST + CHANGE - 4) * 48) | (np.arange(len(coming.slot)) % 4 == 0))
    stopped = coming.take(coming.came < (FIRST + CHANGE) * 48)
    for upto in (CHANGE + 3, CHANGE + 40):
        assert not [each for each in told(engine(BATCHES), stopped, upto) if each.alert.direction == "fewer"]


def test_when_it_comes_back_with_everything_nothing_was_few() -> None:
    coming = city(late=96)
    held = (coming.came >= (FIRST + CHANGE) * 48) & (coming.came < (FIRST + CHANGE + 15) * 48)
    came = np.where(held, (FIRST + CHANGE + 15) * 48, coming.came)
    found = told(engine(BATCHES), replace(coming, came=came, since=came))
    assert not [each for each in found if each.alert.direction == "fewer"]


def test_a_feed_that_brings_a_part_has_no_fewer_reports() -> None:
    """Two of five records of everything come for ten days: that is the feed's fall, also when it brings all again."""
    whole = city()
    partial = (whole.slot >= (FIRST + CHANGE) * 48) & (np.arange(len(whole.slot)) % 5 > 1)
    partial &= whole.slot < (FIRST + CHANGE + 10) * 48
    of = engine(LIVE)
    of.feed(whole.take(~partial))
    changes = of.advance((FIRST + CHANGE + 20) * 48)
    assert not [each for each in changes if each.alert.direction == "fewer"]
    fallen = engine(LIVE)
    fallen.feed(city(0.3))
    assert [each for each in fallen.advance((FIRST + DAYS) * 48) if each.alert.direction == "fewer"]


def test_late_records_of_a_month_take_a_fall_back() -> None:
    """A fall that was records that came three weeks late is withdrawn, and stands as if they had come at once."""
    kept = city()
    late = (kept.slot >= (FIRST + CHANGE) * 48) & (kept.slot < (FIRST + CHANGE + 6) * 48) & (kept.type == 0)
    late &= (kept.district == 0) & (np.arange(len(kept.slot)) % 4 > 0)
    came = np.where(late, (FIRST + CHANGE + 20) * 48, kept.came)
    found = told(engine(replace(BATCHES, lag=timedelta(0))), replace(kept, came=came, since=came))
    assert [each.what for each in found if each.alert.direction == "fewer"][-1] == "withdrawn"
    assert last(found).reason == "records were moved, merged or removed"


def rising(share: float, *, back: bool = False) -> list[AlertChange]:
    """A rise of which *share* of the records are gone after sixteen days, and with *back* there again a day later."""
    whole = city(1.9)
    cell = (whole.district == 0) & (whole.type == 0) & (whole.slot >= (FIRST + CHANGE) * 48)
    kept = whole.take(whole.slot < (FIRST + CHANGE + 15) * 48)
    since = np.flatnonzero(cell & (whole.slot < (FIRST + CHANGE + 15) * 48))
    lost = whole.take(since[np.random.default_rng(3).random(len(since)) < share])

    def revised(delta: int, after: int) -> PaneDeltas:
        at, of = np.full(len(lost), (FIRST + CHANGE + after) * 48), np.full(len(lost), REVISED)
        return replace(lost, delta=np.full(len(lost), delta), came=at, since=at, origin=of)

    coming = PaneDeltas.joined([kept, revised(-1, 16), *([revised(1, 17)] if back else [])])
    of = drift(replace(BATCHES, lag=timedelta(0)), codes_as_names, budget=RARE)
    return told(of, coming, CHANGE + 19)


def test_what_is_half_as_rare_keeps_an_alert_and_less_takes_it_back() -> None:
    """An alert is raised once in 1/B weeks, stays down to once in 1/(2B), and may come back as the same."""
    raised = 7 / RARE
    assert last(rising(0.2)).recurrence_days >= raised
    kept = rising(0.33)
    assert last(kept).active
    assert raised / 2 <= last(kept).recurrence_days < raised
    lost = rising(0.4)
    assert (lost[-1].what, last(lost).reason) == ("withdrawn", "records were moved, merged or removed")
    again = rising(0.4, back=True)
    assert [each.what for each in again][-2:] == ["withdrawn", "raised"]
    assert {each.alert.alert_id for each in kept + lost + again} == {kept[0].alert.alert_id}


def test_a_sum_that_only_keeps_alerts_raises_none() -> None:
    """Half as rare as an alarm is not an alarm: what a smaller share of a rise leaves raises nothing by itself."""
    whole = city(1.9)
    cell = (whole.district == 0) & (whole.type == 0) & (whole.slot >= (FIRST + CHANGE) * 48)
    since = np.flatnonzero(cell & (whole.slot < (FIRST + CHANGE + 15) * 48))
    lost = since[np.random.default_rng(3).random(len(since)) < 0.33]
    there = (whole.slot < (FIRST + CHANGE + 15) * 48) & ~np.isin(np.arange(len(whole)), lost)
    of = drift(replace(BATCHES, lag=timedelta(0)), codes_as_names, budget=RARE)
    assert told(of, whole.take(there), CHANGE + 19) == []


def test_a_type_that_comes_late_has_no_fewer_reports_before_it_is_in() -> None:
    """A slow type beside quick ones: its fall is said of days of which nearly everything is usually in, and is said."""
    quick = city()
    slow = city(0.35)
    cell = (slow.district == 0) & (slow.type == 0)
    days = np.random.default_rng(5).integers(0, 9, len(slow))
    came = slow.came + np.where(cell, days * 48, 0)
    coming = PaneDeltas.joined(
        [replace(slow, came=came, since=came).take(cell), quick.take(~((quick.district == 0) & (quick.type == 0)))]
    )
    found = told(engine(replace(BATCHES, lag=timedelta(0))), coming.take(coming.came < (FIRST + DAYS) * 48), DAYS)
    fewer = [each for each in found if each.alert.direction == "fewer"]
    assert fewer[-1].what != "withdrawn"
    assert all(each.alert.completeness >= 0.95 for each in fewer)
    assert all(each.at - each.alert.window_end >= 6 * 48 for each in fewer)
