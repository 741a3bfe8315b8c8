"""Messages as published rows: every one is a row, objects are what files of JSON lines make of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.brokers.kafka_reader import Messages
from citystream.feeds.messages import decoded
from citystream.feeds.vector import Vector, parse
from citystream.portals.json_text import JsonRows
from citystream.portals.text_bytes import TextBytes
from citystream.schema import LOG_RECORD, UNREADABLE

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["id", "Date", "Primary Type", "x", "ü", "type"])
OBJECTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


def messages(values: Sequence[bytes | None], keys: Sequence[bytes | None] = ()) -> Messages:
    count = len(values)
    return Messages([7] * count, range(100, 100 + count), keys or [None] * count, values)


@settings(deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=20), st.booleans())
def test_objects_are_what_a_file_of_json_lines_makes_of_them(rows: list[dict[str, object]], escaped: bool) -> None:
    lines = [json.dumps(row, ensure_ascii=escaped) for row in rows]
    try:
        values = [line.encode() for line in lines]
    except UnicodeEncodeError:
        return  # half of a surrogate pair is written as an escape only
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_bytes(b"\n".join(values) + b"\n")
        (expected,) = JsonRows(TextBytes(path, "utf-8"), "jsonl").tables()
    made = decoded(messages(values))
    assert made.poison == ()
    assert made.rows.to_pylist() == expected.to_pylist()


@settings(deadline=None)
@given(
    st.lists(
        st.none()
        | st.binary(max_size=12)
        | st.dictionaries(st.text(max_size=4), VALUES, max_size=3).map(lambda row: json.dumps(row).encode())
        | st.sampled_from([b'{"a":1},{"b":[{}', b"{}]}", b'{"a":[', b"]}", b'{"a":"\\ud800"}', b'{"A":1}', b'{"a":1}']),
        max_size=12,
    ),
    st.sampled_from(["", "a", "the key"]),
)
def test_every_message_is_a_row_and_none_hides_another(values: list[bytes | None], column: str) -> None:
    made = decoded(messages(values, [b"k\xff"] * len(values)), column)
    assert made.rows.num_rows == len(values)
    whole = [place for place, value in enumerate(values) if _is_row(value, column)]
    assert [place for place in range(len(values)) if place not in {each.place for each in made.poison}] == whole
    if made.poison:
        texts = [json.loads(text) for text in made.rows[UNREADABLE].to_pylist() if text is not None]
        assert [(text["why"], text["offset"]) for text in texts] == [
            (each.why, 100 + each.place) for each in made.poison
        ]


def _is_row(value: bytes | None, column: str) -> bool:
    try:
        row = json.loads(value.decode()) if value is not None else None
    except ValueError:
        return False
    if not isinstance(row, dict) or not row or (column and column in map(str.lower, row)):
        return False
    names = [name.lower() for name in row]
    own = any(name in LOG_RECORD.names or not name.strip() for name in row)
    text = all(name.isprintable() or name.encode("utf-8", "surrogatepass").decode("utf-8", "ignore") for name in row)
    return not own and len(set(names)) == len(names) and text


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "no value (a tombstone)"),
        (b"\xff{}", "not UTF-8"),
        (b"", "not JSON"),
        (b'{"a":1', "not JSON"),
        (b"[1]", "JSON, but not an object"),
        (b"{}", "has 0 keys"),
        (json.dumps({f"c{n}": n for n in range(1001)}).encode(), "has 1001 keys"),
        (b'{"$offset":1}', "has a key that no column can be called by"),
        (b'{" ":1}', "has a key that no column can be called by"),
        (b'{"ID":1,"id":2}', "has keys that differ in nothing but case"),
        (b'{"\\ud800":1}', "has a key that is no text"),
        (b'{"a":' + b"[" * 600 + b"]" * 600 + b"}", "nested too deep"),
        (b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deep"),
        (b'{"the key":1}', "has the key already, as the column of the message's key is called"),
    ],
)
def test_what_is_no_row_says_why_and_spoils_no_other(value: bytes | None, why: str) -> None:
    made = decoded(messages([b'{"a":1}', value, b'{"a":2}']), "the key")
    assert [(each.place, each.why) for each in made.poison] == [(1, why)]
    assert made.rows["a"].to_pylist() == ["1", "2", None]


def test_numbers_stay_as_they_are_written() -> None:
    made = decoded(messages([b'{"a":41.10,"b":1e5,"c":true,"d":null,"e":{"x":[1, 2.0]},"f":-0}']))
    assert made.rows.to_pylist() == [
        {"a": "41.10", "b": "1e5", "c": "true", "d": None, "e": '{"x":[1,2.0]}', "f": "-0"}
    ]


def test_one_column_has_one_spelling() -> None:
    made = decoded(messages([b'{"Case_Number":"A"}', b'{"case number":"B"}', b'{"CASE NUMBER":"C"}']))
    assert made.rows.to_pylist() == [{"Case_Number": "A"}, {"Case_Number": "B"}, {"Case_Number": "C"}]


def test_the_key_is_a_column_if_it_is_asked_for() -> None:
    made = decoded(messages([b'{"a":1}', b'{"a":2}', b'{"a":3}'], [b"k1", None, b"\xff"]), "key")
    assert made.rows["key"].to_pylist() == ["k1", None, "\\xff"]


def test_the_keys_of_another_portal_are_no_offsets() -> None:
    vector = Vector("AbC", (5, 0, 12))
    assert parse(vector.text()) == vector
    for other in (
        "",
        '{"mode":"full","by":"","at":"","row":""}',
        "[]",
        '{"topic":"x","next":{"0":-1}}',
        '{"topic":1,"next":{}}',
    ):
        assert parse(other) is None
