"""Columns as JSON objects and back: exact for what was written here, and never wrong about what was not."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.log.json_columns import Encoder, decode

NAMES = st.lists(
    st.one_of(st.sampled_from(["", "id", "ID", 'a"b', "$ paid", "größe"]), st.text(max_size=4)),
    min_size=1,
    max_size=5,
    unique=True,
)
VALUES = st.one_of(
    st.none(), st.text(max_size=6), st.sampled_from(["", "null", '":null', "}", "{", '{"a":1}', "\\", "\0", "🚲"])
)
ENCODE = Encoder()


def rows_of(table: pa.Table) -> list[dict[str, str | None]]:
    return table.to_pylist()


@settings(max_examples=150, deadline=None)
@given(names=NAMES, data=st.data())
def test_what_was_written_comes_back(names, data) -> None:
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, VALUES)), min_size=1, max_size=4))
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})
    texts = ENCODE(table, None).to_pylist()
    assert [json.loads(text) for text in texts] == rows
    found = decode([text.encode() for text in texts], names)
    assert found.rows.column_names == names
    assert (rows_of(found.rows), found.unreadable, found.poison) == (rows, None, ())
    assert rows_of(decode([text.encode() for text in texts], None).rows) == rows


def test_rows_that_were_unreadable_stay_so_and_are_no_poison() -> None:
    table = pa.table({"a": pa.array(["1", None, "3"])})
    texts = ENCODE(table, pa.chunked_array([[None, 'half a "row', None]], pa.string())).to_pylist()
    assert json.loads(texts[1]) == {"$unreadable": 'half a "row'}
    found = decode([text.encode() for text in texts], ["a"])
    assert rows_of(found.rows) == [{"a": "1"}, {"a": None}, {"a": "3"}]
    assert found.unreadable is not None
    assert (found.unreadable.to_pylist(), found.poison) == ([None, 'half a "row', None], ())


def test_rows_without_columns() -> None:
    empty = pa.table({"": pa.nulls(2)}).select([])
    assert ENCODE(empty, None).to_pylist() == ["{}", "{}"]
    found = decode([b"{}", b"{}"], [])
    assert (found.rows.column_names, found.unreadable) == ([], None)


def test_numbers_truths_and_what_is_missing() -> None:
    """As they are written; a key that one object lacks is null there."""
    found = decode([b'{"a":"1","b":41.80}', b'{"a":1e5}', b' { "b" : true, "c": 12345678901234567890123 } '], None)
    assert rows_of(found.rows) == [
        {"a": "1", "b": "41.80", "c": None},
        {"a": "1e5", "b": None, "c": None},
        {"a": None, "b": "true", "c": "12345678901234567890123"},
    ]


POISON = [
    b"",
    b" ",
    b"null",
    b'"text"',
    b"[]",
    b"5",
    b"not json",
    b'{"a":"1"',
    b'{"a":"1"}}',
    b'{"a":"1"}{"a":"2"}',
    b'{"a":"1"} null',
    b'{"a":"1"}null{}',
    b'{"a":"1"}\n{"a":"2"}',
    b'{"a":{"b":"1"}}',
    b'{"a":["1"]}',
    b'{"a":"1","a":"2"}',
    b'{"a":"1",}',
    b"{'a':'1'}",
    b'{"a":"\x01"}',
    b'{"a":"\xff"}',
    b'{"a":"\\ud800"}',
    b'{"$op":"gone"}',
    b'\xef\xbb\xbf{"a":"1"}',
    b"{" * 100_000 + b"}",
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    json.dumps({str(number): "x" for number in range(1001)}).encode(),
]


@pytest.mark.parametrize("poison", POISON, ids=lambda value: repr(value[:24]))
@pytest.mark.parametrize("names", [None, ["a"], []])
def test_poison_is_kept_as_text_and_harms_nobody(poison, names) -> None:
    found = decode([b'{"a":"1"}', poison, b'{"a":"2"}'], names)
    assert found.rows["a"].to_pylist() == ["1", None, "2"]
    assert found.poison == (1,)
    assert found.unreadable is not None
    assert found.unreadable.to_pylist() == [None, poison.decode("utf-8", "backslashreplace"), None]
    assert decode([poison], names).poison == (0,)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([b'{"a":"1"}', b'{"a":null}', b'{"a":"2","b":"}"}', b"{}", *POISON[:22]]),
            st.binary(max_size=8),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_message_is_read_the_same_whatever_it_comes_with(values) -> None:
    """Many together are what each is alone."""
    together = decode(values, ["a"])
    for place, value in enumerate(values):
        alone = decode([value], ["a"])
        row = {name: text for name, text in rows_of(together.rows)[place].items() if text is not None}
        assert row == {name: text for name, text in rows_of(alone.rows)[0].items() if text is not None}
        assert (place in together.poison) == (alone.poison == (0,))
