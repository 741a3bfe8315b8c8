"""Files that say what the answer said."""

from __future__ import annotations

import io
import json
from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citystream.answers import NOTICES, WRITERS

TABLE = pa.table(
    {
        "id": pa.array([1, 2]),
        "lat": pa.array([41.5, None]),
        "lon": pa.array([-87.5, None]),
        "at": pa.array([datetime(2024, 1, 5, 13, 30), None], pa.timestamp("us")),
        "day": pa.array([date(2024, 1, 5), None]),
        "word": pa.array(['a "quoted", word', ""]),
        "many": pa.array([[1, 2], None]),
        "yes": pa.array([True, None]),
    }
)


def written(form: str, table: pa.Table = TABLE) -> bytes:
    out = io.BytesIO()
    assert WRITERS[form](table.schema, iter(table.to_batches()), out, ["say this"]) == table.num_rows
    return out.getvalue()


def test_csv() -> None:
    assert written("csv").decode().splitlines() == [
        '"id","lat","lon","at","day","word","many","yes"',
        '1,41.5,-87.5,"2024-01-05T13:30:00","2024-01-05","a ""quoted"", word","[1, 2]",true',
        '2,,,,,"",,',
    ]


def test_json() -> None:
    first, second = json.loads(written("json"))
    assert first == {
        "id": 1, "lat": 41.5, "lon": -87.5, "at": "2024-01-05T13:30:00", "day": "2024-01-05",
        "word": 'a "quoted", word', "many": [1, 2], "yes": True,
    }  # fmt: skip
    assert second["lat"] is None


def test_parquet_carries_the_notices() -> None:
    table = pq.read_table(pa.BufferReader(written("parquet")))
    assert table.to_pylist() == TABLE.to_pylist()
    assert json.loads(table.schema.metadata[NOTICES]) == ["say this"]


def test_geojson() -> None:
    found = json.loads(written("geojson"))
    assert found["notices"] == ["say this"]
    assert [each["geometry"] for each in found["features"]] == [
        {"type": "Point", "coordinates": [-87.5, 41.5]},
        None,
    ]
    assert "lat" not in found["features"][0]["properties"]


@pytest.mark.parametrize("form", WRITERS)
def test_nothing_is_a_file_too(form: str) -> None:
    assert written(form, TABLE.slice(0, 0))
