"""Whether a source was visited in time does not depend on how arrivals are told, and says nothing of sparse ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citystream.detect.visited import Visited

gaps = st.lists(st.tuples(st.sampled_from([0, 1, 20, 48, 60, 200, 700]), st.integers(1, 30)), min_size=1, max_size=40)


@given(arrivals=gaps, cuts=st.lists(st.integers(0, 40), max_size=5), slack=st.sampled_from([0, 96, 400]))
def test_how_arrivals_are_told_changes_nothing(arrivals, cuts, slack) -> None:
    slots, many = np.cumsum([gap for gap, _ in arrivals]), np.array([count for _, count in arrivals])
    whole, pieces = Visited(slack), Visited(slack)
    whole.note(slots, many)
    edges = sorted({min(cut, len(slots)) for cut in cuts} | {0, len(slots)})
    for first, after in pairwise(edges):
        pieces.note(slots[first:after][::-1], many[first:after][::-1])
        restored = Visited(slack)
        restored.restore(pieces.state())
        pieces = restored
    assert pieces.by_itself(slots).tolist() == whole.by_itself(slots).tolist()
    for later in (0, 90, 100, 500, 5000):
        assert pieces.in_time(int(slots[-1]) + later) == whole.in_time(int(slots[-1]) + later)


def test_a_source_of_a_record_a_week_is_always_in_time() -> None:
    visited = Visited(96)
    slots = np.arange(0, 100 * 336, 336)
    visited.note(slots, np.ones(100))
    assert visited.in_time(int(slots[-1]) + 10 * 336)
    assert visited.by_itself(slots).all()
