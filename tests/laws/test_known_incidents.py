"""However a table is gone through, incidents that had a record before are never taken for new ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystream.store import known_incidents
from citystream.store.known_incidents import KnownIncidents

_TABLES = st.lists(st.integers(0, 30), min_size=1, max_size=60)


@given(_TABLES, st.data(), st.sampled_from([0, 5, 10_000]))
def test_new_means_new(table: list[int], data: st.DataObject, few: int) -> None:
    known, numbers = KnownIncidents(), np.array(table, np.int64)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(known_incidents, "_FEW", few)
        _go_through(known, numbers, data)


def _go_through(known: KnownIncidents, numbers: np.ndarray, data: st.DataObject) -> None:
    asked: list[tuple[int, int]] = []
    for _ in range(data.draw(st.integers(1, 12))):
        first = data.draw(st.integers(0, len(numbers)))
        until = data.draw(st.integers(first, len(numbers)))
        new = known.all_new((first, until), numbers[first:until], lambda low, high: numbers[low:high])
        asked.append((first, until))
        old = bool(np.isin(numbers[first:until], numbers[:first]).any())
        assert not (new and old)
        if len(asked) > 3 and all(until <= first for (_, until), (first, _) in pairwise(asked)):
            assert new == (not old)
