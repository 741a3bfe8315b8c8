"""The three-level map against a dict."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.store.levels import Levels

KEYS = st.integers(-8, 40)
PUTS = st.lists(st.dictionaries(KEYS, st.tuples(st.integers(-5, 9), st.integers(0, 3)), max_size=12), max_size=12)
CAPACITIES = st.sampled_from([(1, 2), (2, 5), (3, 3), (4096, 262_144)])


def array(values: list[int]) -> npt.NDArray[np.int64]:
    return np.array(values, np.int64)


def put(levels: Levels, given_: dict[int, tuple[int, int]]) -> None:
    keys = array(sorted(given_))
    columns = [np.array([given_[int(key)][place] for key in keys], np.int32) for place in (0, 1)]
    levels.put(levels.find(keys), keys, *columns)


def contents(levels: Levels) -> dict[int, tuple[int, int]]:
    keys = levels.keys()
    found = levels.find(keys)
    pairs = zip(levels.get(found, 0, -99).tolist(), levels.get(found, 1, -99).tolist(), strict=True)
    return dict(zip(keys.tolist(), pairs, strict=True))


@settings(max_examples=200, deadline=None)
@given(puts=PUTS, capacities=CAPACITIES, loaded=st.dictionaries(KEYS, st.tuples(KEYS, KEYS)))
def test_what_was_put_last_is_found(puts, capacities, loaded) -> None:
    """In whatever order keys come, and however the levels fill: the same as a dict."""
    levels, plain = Levels((np.int32, np.int32), capacities), dict(loaded)
    keys = array(sorted(loaded))
    levels.load(keys, *(array([loaded[int(key)][place] for key in keys]) for place in (0, 1)))
    for each in puts:
        put(levels, each)
        plain |= each
        assert contents(levels) == plain
        assert len(levels) == len(plain)


@settings(max_examples=100, deadline=None)
@given(puts=PUTS, capacities=CAPACITIES, asked=st.lists(KEYS, unique=True))
def test_what_is_not_there_has_the_default(puts, capacities, asked) -> None:
    levels, plain = Levels((np.int32, np.int32), capacities), {}
    for each in puts:
        put(levels, each)
        plain |= each
    keys = array(sorted(asked))
    expected = [plain.get(key, (7, 0))[0] for key in keys.tolist()]
    assert levels.get(levels.find(keys), 0, 7).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(puts=PUTS, capacities=CAPACITIES, lows=st.lists(KEYS, min_size=1), width=st.integers(0, 9))
def test_ranges(puts, capacities, lows, width) -> None:
    levels, plain = Levels((np.int32, np.int32), capacities), {}
    for each in puts:
        put(levels, each)
        plain |= each
    low = array(sorted(lows))
    inside = [[plain[key][0] for key in plain if at <= key < at + width] for at in low.tolist()]
    assert levels.range_sum(low, low + width).tolist() == [sum(each) for each in inside]
    assert levels.range_count(low, low + width).tolist() == [len(each) for each in inside]


def test_cleared_is_empty() -> None:
    levels = Levels((np.int32, np.int32))
    put(levels, {1: (2, 3)})
    levels.clear()
    assert (len(levels), contents(levels)) == (0, {})
