"""The fixed rule: a window that holds more than a given number of records of one type in one district.

Windows of *size* start every *slide* on the UTC axis; a window that starts at s holds s <= t < s + size. Every
record with a time of day counts at its published time. ``threshold.sql`` says the same in one statement; the
result here must equal it at every offset. An alert appears when the count passes *over*, follows the count, and
is withdrawn when revised, moved or vanished records take it back; it stays in the table, as withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from citystream.catalog.dataset import Sliding
from citystream.panes import distinct, pane_of, run_starts
from citystream.ports import AlertRows, Booleans, Integers, Judgement, PaneChanges, RaisedAlerts, Ranges

_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Counts of windows after each offset that changes them, sorted by (window, offset)."""

    window: Integers
    off: Integers
    count: Integers
    was: Integers


class Threshold:
    """Alerts where the count of a sliding window exceeds *over*.

    *windows*: the dataset's sliding windows; *over*: the highest count that is not an alert (14 in the reference).
    """

    name = "threshold"

    def __init__(self, windows: Sliding, over: int = 14) -> None:
        self.over = over
        self._length = windows.size // windows.pane
        self._step = windows.slide // windows.pane
        self.size: timedelta = windows.size

    def judge(self, counts: Ranges, changes: PaneChanges, raised: RaisedAlerts) -> Judgement:
        """What *changes* do to the alerts, given the pane *counts* before and the alerts ever *raised*."""
        windows = self._candidates(counts, changes, raised)
        steps = self._count(windows, counts, changes)
        up = (steps.count > self.over) & (steps.was <= self.over)
        down = (steps.count <= self.over) & (steps.was > self.over)
        moved = up | down
        alerts, observed = self._standing(steps, up, down, raised)
        return Judgement(alerts, observed, steps.window[moved], steps.off[moved], up[moved])

    def _candidates(self, counts: Ranges, changes: PaneChanges, raised: RaisedAlerts) -> Integers:
        """Starts of the windows that contain a changed pane and may be, become or have been alerts.

        Counts are never negative, so a window over a pane can exceed the rule only if all panes that share a
        window with it do, with everything added and nothing removed: most panes end here.
        """
        pane = changes.key[run_starts(changes.key)]
        reach = self._length - 1
        low, high = pane - reach, pane + self._length
        most = counts.range_sum(low, high) + _added(changes, low, high)
        pane = pane[(most > self.over) | raised.between(low, pane + 1)]
        starts = distinct((pane[:, None] - np.arange(self._length)[None, :]).ravel())
        aligned: Integers = starts[pane_of(starts) % self._step == 0]
        return aligned

    def _count(self, windows: Integers, counts: Ranges, changes: PaneChanges) -> _Steps:
        """Each window's count after each offset that changes it."""
        if not len(windows):
            return _Steps(_NONE, _NONE, _NONE, _NONE)
        before = counts.range_sum(windows, windows + self._length)
        place, off, delta = _spread(windows, changes, self._length)
        order = np.lexsort((off, place))
        place, off, delta = place[order], off[order], delta[order]
        new_step = np.ones(len(place), bool)
        new_step[1:] = (place[1:] != place[:-1]) | (off[1:] != off[:-1])
        at = np.flatnonzero(new_step)
        change = np.add.reduceat(delta, at) if len(at) else _NONE
        place, off = place[at], off[at]
        head = run_starts(place)
        running = np.cumsum(change)
        base = (running - change)[head][np.cumsum(head) - 1] if len(place) else _NONE
        count = before[place] + running - base
        return _Steps(windows[place], off, count, count - change)

    def _standing(
        self, steps: _Steps, up: Booleans, down: Booleans, raised: RaisedAlerts
    ) -> tuple[AlertRows, Integers]:
        """The rows of all alerts that the steps changed."""
        tail = np.ones(len(steps.window), bool)
        tail[:-1] = steps.window[1:] != steps.window[:-1]
        window, observed = steps.window[tail], steps.count[tail]
        start = np.flatnonzero(np.concatenate([[True], tail[:-1]])) if len(tail) else np.empty(0, np.intp)
        last_up = _latest(steps.off, up, start)
        last_down = _latest(steps.off, down, start)
        before = raised.rows(window)
        raised_at = np.where(last_up >= 0, last_up, before.raised_at)
        withdrawn_at = np.where(last_down >= 0, last_down, before.withdrawn_at)
        withdrawn_at = np.where(observed > self.over, -1, withdrawn_at)
        first = steps.was[start] if len(start) else _NONE
        moved = np.maximum(last_up, last_down) >= 0
        shown = (raised_at >= 0) & (moved | (observed != first))
        rows = AlertRows(window[shown], raised_at[shown], withdrawn_at[shown])
        return rows, observed[shown]


def _added(changes: PaneChanges, low: Integers, high: Integers) -> Integers:
    """Records added to the panes in each [low, high), removals left out."""
    plus = changes.delta > 0
    key = changes.key[plus]
    total = np.concatenate([[0], np.cumsum(changes.delta[plus])])
    return np.asarray(total[np.searchsorted(key, high)] - total[np.searchsorted(key, low)], np.int64)


def _spread(windows: Integers, changes: PaneChanges, length: int) -> tuple[Integers, Integers, Integers]:
    """Each change once for each of the *windows* that contains its pane: (place of the window, off, delta)."""
    first = np.searchsorted(windows, changes.key - length + 1)
    after = np.searchsorted(windows, changes.key + 1)
    times = after - first
    where = np.repeat(np.arange(len(times)), times)
    within = np.arange(len(where)) - np.repeat(np.cumsum(times) - times, times)
    return first[where] + within, changes.off[where], changes.delta[where]


def _latest(off: Integers, marked: Booleans, start: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Integers:
    """The largest marked offset of each run that begins at *start*, -1 if it has none."""
    if not len(start):
        return _NONE
    return np.maximum.reduceat(np.where(marked, off, -1), start)
