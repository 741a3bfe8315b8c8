"""Laws of conform: it does not matter how the log is cut, nor in which order or case its columns come; every record
comes out exactly once; and no text, however hostile, stops it."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.catalog.library import load_library
from citystream.conform.conformer import Conformer
from citystream.conform.keys import RecordIds
from citystream.disclosure import redact
from citystream.schema import LOG_RECORD
from tests.unit.test_conform_cities import CITIES
from tests.unit.test_conform_rows import DATASETS as FIRST
from tests.unit.test_conform_rows import records

DATASETS = FIRST | CITIES
NAMES = sorted(DATASETS)
HOSTILE = st.text(max_size=12) | st.sampled_from(
    [
        "",
        " ",
        "\0",
        "'",
        '"',
        "\\",
        "\\1",
        "{}",
        "NaN",
        "-0",
        "1e309",
        "9" * 40,
        "0x1F",
        "1_0",
        "infinity",
        "epoch",
        "%Y",
        "﻿1",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59",
        "2019-03-10T02:30:00",
        "24:00:00",
        "POINT (",
        "(,)",
        "REDACTED",
        "None",
        "5",
        "-5",
    ]
)


#: Codes that mean several things, and what decides between them.
MANIFOLD = {
    "iucr": ["0142", "1750", "0620"],
    "fbi_code": ["08B", "20", ""],
    "date": ["2018-12-31T23:59:59", "2019-01-01T00:00:00", "1900-01-01T00:00:00"],
}


@cache
def conformer(name):
    return Conformer(load_library().get(name))


@st.composite
def logs(draw):
    """A name and log records: mostly sound values, some hostile; few ids; sometimes gone or not readable."""
    name = draw(st.sampled_from(NAMES))
    good, _ = DATASETS[name]
    count = draw(st.integers(1, 8))
    columns = draw(st.lists(st.sampled_from(sorted(good)), unique=True, min_size=1))
    rows = []
    for _ in range(count):
        change = draw(st.dictionaries(st.sampled_from(columns), HOSTILE | st.none(), max_size=4))
        if name == "chicago/crimes":
            change |= {column: draw(st.sampled_from(words)) for column, words in MANIFOLD.items()}
        row = {each: value for each, value in good.items() if each in columns} | change
        rows.append({"$unreadable": draw(HOSTILE)} if draw(st.integers(0, 9)) == 0 else row)
    ids = draw(
        st.lists(st.sampled_from(["1", "2", "003", "F1", "1.0E+5", "", None]) | HOSTILE, min_size=count, max_size=count)
    )
    ops = draw(st.lists(st.sampled_from(["seen", "seen", "seen", "gone"]), min_size=count, max_size=count))
    return name, records(rows, ids, ops=ops)


def outcome(name, parts):
    """Rows with their meanings in words, and rejects, of all *parts* together."""
    rows, rejects = [], []
    for part in parts:
        result = conformer(name)(part)
        meanings = [*result.meanings.to_pylist(), None]
        for row in result.rows.to_pylist():
            rows.append(row | {"meaning": meanings[-1 if row["meaning"] is None else row["meaning"]]})
        rejects += result.rejects.to_pylist()
    return rows, rejects


@settings(deadline=None)
@given(logs())
def test_every_record_comes_out_exactly_once(drawn):
    name, log = drawn
    rows, rejects = outcome(name, [log])
    assert sorted([row["off"] for row in rows] + [each["off"] for each in rejects]) == log["$offset"].to_pylist()
    assert [row["off"] for row in rows] == sorted(row["off"] for row in rows)
    assert all(row["k"] is not None and row["event_id"] for row in rows)


@settings(deadline=None, max_examples=60)
@given(logs(), st.integers(1, 4))
def test_the_cut_does_not_matter(drawn, size):
    name, log = drawn
    parts = [log.slice(start, size) for start in range(0, log.num_rows, size)]
    assert outcome(name, [log]) == outcome(name, parts)


@settings(deadline=None, max_examples=60)
@given(logs(), st.randoms(use_true_random=False))
def test_order_and_case_of_columns_do_not_matter(drawn, random):
    name, log = drawn
    published = [each for each in log.column_names if each not in LOG_RECORD.names]
    shuffled = random.sample(published, len(published))
    renamed = log.select([*shuffled, *LOG_RECORD.names])
    renamed = renamed.rename_columns(
        [*(random.choice((each.upper(), each.lower())) for each in shuffled), *LOG_RECORD.names]
    )
    rows, rejects = outcome(name, [log])
    other, refused = outcome(name, [renamed])
    assert rows == other
    assert [each | {"value": ""} for each in rejects] == [each | {"value": ""} for each in refused]


@settings(deadline=None, max_examples=40)
@given(logs())
def test_ids_and_redaction_take_any_text(drawn):
    name, log = drawn
    dataset = load_library_once().get(name)
    rows = log.select([each for each in log.column_names if not each.startswith("$") or each == "$unreadable"])
    kept = redact(dataset, rows)
    ids = RecordIds(dataset)(kept)
    assert isinstance(ids, pa.StringArray)
    assert len(ids) == log.num_rows
    assert redact(dataset, kept).equals(kept)


@cache
def load_library_once():
    return load_library()
