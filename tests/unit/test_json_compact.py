"""Nested JSON as text: a column at once is each value by itself, and that is what the JSON said."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citystream.portals.json_compact import compact, compact_column
from citystream.portals.json_values import DECODER, column

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
#: Values of one shape, some of them missing.
POINT = st.builds(
    lambda lon, lat: {"type": "Point", "coordinates": [lon, lat]}, st.floats(-180, 180), st.floats(-90, 90)
)
PLACE = st.fixed_dictionaries(
    {"latitude": st.text() | st.none(), "address": st.fixed_dictionaries({"city": st.text()})}
)
ALIKE = st.lists(st.none() | POINT) | st.lists(st.none() | PLACE)


def as_read(values: list[object]) -> list[object]:
    return DECODER.decode(json.dumps(values))


@given(ALIKE | st.lists(VALUES))
def test_a_column_is_its_values(values: list[object]) -> None:
    read = as_read(values)
    expected = [None if value is None else compact(value) for value in read]
    found = compact_column(read)
    assert found is None or found.to_pylist() == expected


@given(st.lists(st.none() | POINT, min_size=1))
def test_points_are_done_at_once(values: list[object]) -> None:
    assert compact_column(as_read(values)) is not None


@given(st.lists(st.none() | st.dictionaries(st.text(), VALUES, max_size=3) | st.lists(VALUES, max_size=3)))
def test_what_comes_out_says_the_same(values: list[object]) -> None:
    try:
        texts = column(as_read(values)).to_pylist()
    except UnicodeEncodeError:
        return
    assert [None if text is None else json.loads(text) for text in texts] == json.loads(json.dumps(values))


@pytest.mark.parametrize(
    "text", ['{"a":41.10,"b":[1e5,true,null]}', '{"a":"\\u00e9\\"\\\\","b":{}}', "[]", "[[1,2],[]]"]
)
def test_as_it_is_written(text: str) -> None:
    value = DECODER.decode(text)
    assert json.loads(compact(value)) == json.loads(text)
    (found,) = column([value, None]).to_pylist()[:1]
    assert found == compact(value)
