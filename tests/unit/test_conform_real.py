"""Every published file of our datasets that is at hand conforms, and what does not has the right reason."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pytest

from citystream import schema
from citystream.catalog.districts import scheme
from citystream.catalog.library import load_library
from citystream.conform.conformer import Conformer
from citystream.conform.keys import RecordIds
from citystream.disclosure import redact
from tests.published import SHARED, needs_shared

pytestmark = needs_shared

DATA = SHARED / "data"
LIBRARY = load_library()

CHICAGO = "chicago/crimes"
# file, dataset, rows, rejects by reason
FILES = [
    ("austin/soda_fdj4-gpfu_snapshot_2023-12.json", "austin/crimes", 1_000, {}),
    ("austin/soda_fdj4-gpfu_snapshot_2024-06-01.json", "austin/crimes", 1_000, {}),
    ("chicago/Crimes_-_2001_to_Present_sample_2025-03.csv", CHICAGO, 9_746, {}),
    ("chicago/Crimes_-_2001_to_present_2014-03.csv", CHICAGO, 6_957, {}),
    ("chicago/Crimes_2012-11_soda_fixture.csv", CHICAGO, 4_999, {}),
    ("chicago/Crimes_2016-01_sample.csv", CHICAGO, 1_730, {}),
    ("chicago/chicago-homicides-2001-2018.csv", CHICAGO, 9_265, {}),
    ("chicago/daily_2018-10/2018-10-07.csv", CHICAGO, None, {}),
    ("chicago/chicago_crimes_2014_from_daily.csv.gz", CHICAGO, 275_200, {}),
    ("los_angeles/Crime_Data_from_2020_to_Present_10k.csv", "los-angeles/crimes", 10_000, {}),
    ("san_diego/pd_calls_for_service_2023_datasd_to_2023-01-20.csv", "san-diego/calls", 26_595, {}),
    ("seattle/SPD_Crime_Data__2008-Present_robbery_etc.csv", "seattle/crimes", 21_454, {}),
    ("seattle/SPD_Crime_Data_old_schema_2018-2019.csv", "seattle/crimes-to-2019", 35_537, {}),
    ("seattle/Seattle_Real_Time_Fire_911_Calls_2011-2015.csv", "seattle/fire", 13_771, {}),
    ("toronto/Bicycle_Thefts_2014_2017_arcgis.csv", "toronto/bicycle-thefts", 14_280, {}),
    ("toronto/bicycle-thefts_ckan_2022_reported_2014-2020.csv.gz", "toronto/bicycle-thefts", 25_809, {}),
]


def published(path):
    """The rows of a file as text, as published; records that do not fit the header of a CSV file are left out."""
    if path.suffix == ".json":
        return _answered(json.loads(path.read_text()))
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))
    return arrow_csv.read_csv(
        path,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda row: "skip"),
        convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
    )


def _answered(rows):
    """The rows of an API's answer as text; what is nested stays JSON."""
    names = dict.fromkeys(name for row in rows for name in row)
    texts = [
        {name: value if isinstance(value, str) else json.dumps(value) for name, value in row.items()} for row in rows
    ]
    return pa.table({name: pa.array([row.get(name) for row in texts], pa.string()) for name in names})


def logged(rows, ids):
    """*rows* as log records with *ids*."""
    count = rows.num_rows
    log = {
        schema.OFFSET: pa.array(range(count), pa.int64()),
        schema.RECORD_ID: ids,
        schema.OP: pa.array([schema.SEEN] * count),
        schema.CURSOR: pa.nulls(count, pa.string()),
        schema.FETCHED_AT: pa.array([datetime(2025, 4, 1)] * count, pa.timestamp("us")),
        schema.UNREADABLE: pa.nulls(count, pa.string()),
    }
    return pa.table(log | dict(zip(rows.column_names, rows.columns, strict=True)))


def conformed(path, name):
    dataset = LIBRARY.get(name)
    rows = redact(dataset, published(path))
    return Conformer(dataset)(logged(rows, RecordIds(dataset)(rows)))


@pytest.mark.parametrize(("file", "name", "rows", "rejects"), FILES, ids=[file for file, *_ in FILES])
def test_published_files_conform(file, name, rows, rejects):
    result = conformed(DATA / file, name)
    assert Counter(result.rejects["reason"].to_pylist()) == rejects
    if rows is not None:
        assert abs(result.rows.num_rows + result.rejects.num_rows - rows) <= 1  # a sample is cut off in its last record
    listed = sum(meaning["confidence"] is not None for meaning in result.meanings.to_pylist())
    assert listed >= 0.9 * result.meanings.num_rows
    assert pc.mean(pc.is_valid(result.rows["occurred_at"]).cast(pa.int8())).as_py() > 0.999


def test_counts_of_a_year_in_chicago():
    path = DATA / "chicago/chicago_crimes_2014_from_daily.csv.gz"
    rows = conformed(path, CHICAGO).rows
    assert len(set(rows["k"].to_pylist())) == rows.num_rows == 275_200
    assert rows["district"].null_count == 0
    reasons = Counter(rows["place_reason"].to_pylist())
    assert reasons[schema.PlaceReason.blank] == 1_486
    assert reasons[schema.PlaceReason.outside_city] > 0  # state-plane zero, 36.6194 -91.6866
    assert reasons[schema.PlaceReason.zero] == 0
    assert rows["version"].null_count == 0


def test_what_is_odd_in_the_fire_dispatches():
    rows = conformed(DATA / "seattle/Seattle_Real_Time_Fire_911_Calls_2011-2015.csv", "seattle/fire").rows
    assert len(set(rows["event_id"].to_pylist())) == 12_112 + 1_153
    assert sum(len(each) == 32 for each in rows["event_id"].to_pylist()) == 1_154
    after_midnight = [each for each in rows["occurred_local"].to_pylist() if each.hour == 0]
    assert datetime(2011, 10, 25, 0, 22) in after_midnight
    houses = pc.match_substring_regex(rows["address"], r"^[1-9][0-9]* ").to_pylist()
    blocks = pc.match_substring_regex(rows["address"], r"^[0-9]+00 block of ").to_pylist()
    assert sum(map(bool, houses)) == sum(map(bool, blocks)) > 1_000


def test_calls_have_no_points_and_some_no_beat():
    rows = conformed(DATA / "san_diego/pd_calls_for_service_2023_datasd_to_2023-01-20.csv", "san-diego/calls").rows
    assert rows["beat"].null_count == 402
    assert len(set(rows["event_id"].to_pylist())) == 26_595
    assert set(rows["place_precision"].to_pylist()) == {schema.PlacePrecision.area}


@pytest.mark.parametrize(("file", "name"), [(file, name) for file, name, rows, _ in FILES if rows and rows < 100_000])
def test_published_labels_of_districts_are_in_their_lists(file, name):
    areas = LIBRARY.get(name).areas.model_dump()
    rows = conformed(DATA / file, name).rows
    for column, list_name in areas.items():
        if list_name:
            labels = pc.drop_null(rows[column])
            known = pa.array(scheme(name.partition("/")[0], list_name), pa.string())
            # Chicago's beats were drawn anew in December 2012
            least = 0.97 if list_name == "police_beat" else 0.99
            assert pc.mean(pc.is_in(labels, value_set=known).cast(pa.int8())).as_py() > least, column
