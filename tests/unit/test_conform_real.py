"""Every published file of our datasets that is at hand conforms, and what does not has the right reason.

The files are not part of the repository; they are looked for at CITYSTREAM_SHARED, else beside it.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pytest

from citystream import schema
from citystream.catalog.library import load_library
from citystream.conform.conformer import Conformer
from citystream.conform.keys import RecordIds
from citystream.disclosure import redact

DATA = Path(os.environ.get("CITYSTREAM_SHARED", Path(__file__).parents[3] / "shared")) / "data"
LIBRARY = load_library()

CHICAGO = "chicago/crimes"
# file, dataset, rows, rejects by reason
FILES = [
    ("chicago/Crimes_-_2001_to_Present_sample_2025-03.csv", CHICAGO, 9_746, {}),
    ("chicago/Crimes_-_2001_to_present_2014-03.csv", CHICAGO, 6_957, {}),
    ("chicago/Crimes_2012-11_soda_fixture.csv", CHICAGO, 4_999, {}),
    ("chicago/Crimes_2016-01_sample.csv", CHICAGO, 1_730, {}),
    ("chicago/chicago-homicides-2001-2018.csv", CHICAGO, 9_265, {}),
    ("chicago/daily_2018-10/2018-10-07.csv", CHICAGO, None, {}),
    ("chicago/chicago_crimes_2014_from_daily.csv.gz", CHICAGO, 275_200, {}),
    ("san_diego/pd_calls_for_service_2023_datasd_to_2023-01-20.csv", "san-diego/calls", 26_595, {}),
    ("seattle/Seattle_Real_Time_Fire_911_Calls_2011-2015.csv", "seattle/fire", 13_771, {}),
    ("toronto/Bicycle_Thefts_2014_2017_arcgis.csv", "toronto/bicycle-thefts", 14_280, {}),
    ("toronto/bicycle-thefts_ckan_2022_reported_2014-2020.csv.gz", "toronto/bicycle-thefts", 25_809, {}),
]

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"the published files are not at {DATA}")


def published(path):
    """The rows of a CSV file as text, as published; records that do not fit the header are left out."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file))
    return arrow_csv.read_csv(
        path,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda row: "skip"),
        convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
    )


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
    path = DATA / file
    if not path.exists():
        pytest.skip(f"{file} is not there")
    result = conformed(path, name)
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
