"""The fixed rule by hand: when an alert is raised, followed, withdrawn and raised again."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from citystream import panes
from citystream.catalog.dataset import Sliding
from citystream.detect.threshold import Threshold
from citystream.ports import AlertRows, Booleans, Integers, Judgement, PaneChanges
from citystream.store.levels import Levels

NOTHING = np.empty(0, np.int64)
HALF_HOUR = timedelta(minutes=30)


def key(pane: int, kind: int = 1, district: int = 1) -> int:
    series = [np.array([each], np.int64) for each in (kind, district, 1, pane * panes.microseconds(HALF_HOUR))]
    return int(panes.pack(*series, panes.microseconds(HALF_HOUR))[0])


class Remembered:
    """Alerts as the store remembers them, in a dict."""

    def __init__(self) -> None:
        self.alerts: dict[int, tuple[int, int]] = {}

    def between(self, low: Integers, high: Integers) -> Booleans:
        pairs = zip(low.tolist(), high.tolist(), strict=True)
        return np.array([any(first <= key < end for key in self.alerts) for first, end in pairs], bool)

    def rows(self, keys: Integers) -> AlertRows:
        known = [self.alerts.get(key, (-1, -1)) for key in keys.tolist()]
        raised, withdrawn = np.array(known, np.int64).reshape(-1, 2).T
        return AlertRows(keys, raised, withdrawn)

    def take(self, rows: AlertRows) -> None:
        pairs = zip(rows.raised_at.tolist(), rows.withdrawn_at.tolist(), strict=True)
        self.alerts |= dict(zip(rows.key.tolist(), pairs, strict=True))


class Desk:
    """A detector with windows of an hour, above two, and the panes and alerts it has seen."""

    def __init__(self, *, size: int = 2, slide: int = 1, over: int = 2) -> None:
        windows = Sliding(size=size * HALF_HOUR, slide=slide * HALF_HOUR, pane=HALF_HOUR)
        self.rule = Threshold(windows, over)
        self.counts = Levels((np.int32,))
        self.raised = Remembered()
        self.off = 0

    def see(self, *changes: tuple[int, int]) -> Judgement:
        """Changes (key, delta), one record each, in one batch."""
        keys, deltas = (np.array(each, np.int64) for each in zip(*changes, strict=True))
        offs = np.arange(self.off, self.off + len(changes))
        order = np.argsort(keys, kind="stable")
        judged = self.rule.judge(self.counts, PaneChanges(keys[order], offs[order], deltas[order]), self.raised)
        unique = np.unique(keys)
        found = self.counts.find(unique)
        net = np.array([deltas[keys == each].sum() for each in unique], np.int32)
        self.counts.put(found, unique, self.counts.get(found, 0, 0) + net)
        self.raised.take(judged.alerts)
        self.off += len(changes)
        return judged


def told(judged: Judgement) -> list[tuple[int, int, int, int]]:
    """(key, observed, raised at, withdrawn at) of the rows that changed."""
    rows = judged.alerts
    columns = (rows.key, judged.observed, rows.raised_at, rows.withdrawn_at)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_exactly_the_limit_is_no_alert() -> None:
    assert told(Desk().see((key(10), 1), (key(10), 1))) == []


def test_one_more_is_and_both_windows_that_hold_it() -> None:
    desk = Desk()
    assert told(desk.see(*[(key(10), 1)] * 3)) == [(key(9), 3, 2, -1), (key(10), 3, 2, -1)]


def test_records_of_neighbouring_panes_add_up_in_the_window_that_has_both() -> None:
    desk = Desk()
    desk.see((key(10), 1), (key(10), 1))
    assert told(desk.see((key(11), 1))) == [(key(10), 3, 2, -1)]


def test_an_alert_follows_its_count() -> None:
    desk = Desk(size=1)
    desk.see(*[(key(10), 1)] * 3)
    assert told(desk.see((key(10), 1))) == [(key(10), 4, 2, -1)]
    assert told(desk.see((key(10), -1), (key(10), 1))) == []


def test_it_is_withdrawn_and_raised_again_at_its_offsets() -> None:
    desk = Desk(size=1)
    desk.see(*[(key(10), 1)] * 3)
    judged = desk.see((key(10), -1))
    assert told(judged) == [(key(10), 2, 2, 3)]
    assert (judged.moved_off.tolist(), judged.moved_up.tolist()) == ([3], [False])
    assert told(desk.see((key(10), 1))) == [(key(10), 3, 4, -1)]


def test_up_and_down_within_a_batch_is_remembered() -> None:
    judged = Desk(size=1).see(*[(key(10), 1)] * 3, (key(10), -1))
    assert told(judged) == [(key(10), 2, 2, 3)]
    assert (judged.moved_off.tolist(), judged.moved_up.tolist()) == ([2, 3], [True, False])


def test_a_withdrawn_alert_still_follows_its_count() -> None:
    desk = Desk(size=1)
    desk.see(*[(key(10), 1)] * 3)
    desk.see((key(10), -1))
    assert told(desk.see((key(10), -1), (key(10), -1))) == [(key(10), 0, 2, 3)]


@pytest.mark.parametrize("other", [key(10, kind=2), key(10, district=2), key(13)])
def test_other_series_and_far_panes_do_not_count(other) -> None:
    assert told(Desk().see((key(10), 1), (key(10), 1), (other, 1))) == []


def test_windows_begin_on_the_grid_of_the_slide() -> None:
    desk = Desk(size=4, slide=2)
    assert [each for each, *_ in told(desk.see(*[(key(11), 1)] * 3))] == [key(8), key(10)]


def test_windows_before_1970() -> None:
    desk = Desk(size=4, slide=2)
    assert [each for each, *_ in told(desk.see(*[(key(-1), 1)] * 3))] == [key(-4), key(-2)]


def test_no_changes() -> None:
    judged = Desk().rule.judge(Levels((np.int32,)), PaneChanges(NOTHING, NOTHING, NOTHING), Remembered())
    assert told(judged) == []


def test_a_limit_of_none_raises_at_the_first_record() -> None:
    assert told(Desk(size=1, over=0).see((key(3), 1))) == [(key(3), 1, 0, -1)]


def test_distinct_keys_are_sorted_and_once() -> None:
    drawn = np.random.default_rng(3).integers(-50, 50, 400)
    for keys in (drawn, drawn[:1], drawn[:0]):
        assert panes.distinct(keys).tolist() == sorted(set(keys.tolist()))
