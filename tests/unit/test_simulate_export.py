"""Files in each publisher's own layout."""

import csv
import gzip
import io
import json
from datetime import date, datetime
from functools import cache

import pytest

from citystream.errors import ConfigError, UnknownName
from citystream.simulate.city import generate
from citystream.simulate.export import export
from citystream.simulate.layouts import LAYOUTS


@cache
def history(dataset):
    scale = 3.0 if dataset.startswith("toronto") else 0.3
    return generate(dataset, start=date(2024, 10, 1), end=date(2025, 1, 31), scale=scale)


def read(path):
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.dataset}:{layout.name}")
def test_every_layout_is_a_proper_file(layout, tmp_path):
    path = tmp_path / "out.csv"
    n = export(history(layout.dataset), path, layout=layout.name)
    header, *rows = read(path)
    assert len(rows) == n
    assert {len(row) for row in rows} == {len(header)}
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") == layout.bom


def test_chicago_as_the_portal_exports_it(tmp_path):
    path = tmp_path / "crimes.csv"
    export(history("chicago/crimes"), path)
    header, *rows = read(path)
    assert header[:3] == ["ID", "Case Number", "Date"]
    assert header[-1] == "Location"
    assert len(header) == 22
    assert datetime.strptime(rows[0][2], "%m/%d/%Y %I:%M:%S %p")
    assert len({row[0] for row in rows}) < len(rows), "some rows are there twice"
    assert len({tuple(row) for row in rows}) == len({row[0] for row in rows}), "and are the same then"
    assert [row[0] for row in rows] != sorted(row[0] for row in rows)


def test_as_published_at_a_time(tmp_path):
    early = export(history("chicago/crimes"), tmp_path / "a.csv", at=datetime(2024, 11, 1), duplicates=False)
    late = export(history("chicago/crimes"), tmp_path / "b.csv", at=datetime(2025, 1, 1), duplicates=False)
    assert 0 < early < late
    assert early == history("chicago/crimes").at(datetime(2024, 11, 1)).num_rows


def test_toronto_over_the_years(tmp_path):
    files = {}
    for name in ("ckan-2024", "ckan-2022", "arcgis-2018"):
        path = tmp_path / f"{name}.csv"
        export(history("toronto/bicycle-thefts"), path, layout=name)
        header, *rows = read(path)
        files[name] = [dict(zip(header, row, strict=True)) for row in rows]
    new, mid, old = files.values()
    assert len(new) == len(mid) == len(old)
    for a, b, c in zip(new, mid, old, strict=True):
        assert a["EVENT_UNIQUE_ID"] == b["event_unique_id"] == c["event_unique_id"]
        assert a["OCC_DATE"].replace("-", ".") == c["Occurrence_Date"]
        assert a["DIVISION"].removeprefix("D") == c["Division"]
    assert {row["Occurrence_Date"][10:] for row in mid} == {"T04:00:00", "T05:00:00"}
    assert any(row["BIKE_MODEL"] == "None" for row in new)
    assert any("\n" in row["Bike_Make"] for row in old)
    assert any(row["Bike_Make"].endswith("  ") for row in mid)
    assert all(json.loads(row["geometry"])["type"] == "MultiPoint" for row in new)


def test_san_diego_quotes_everything_and_has_a_file_a_year(tmp_path):
    path = tmp_path / "calls.csv"
    export(history("san-diego/calls"), path, year=2024, layout="lower")
    lines = path.read_text().splitlines()
    assert lines[0].startswith('"incident_num","date_time"')
    assert all(line[0] == line[-1] == '"' for line in lines)
    assert {row[1][:4] for row in read(path)[1:]} == {"2024"}
    export(history("san-diego/calls"), path, year=2025)
    assert read(path)[0][0] == "INCIDENT_NUM"


def test_same_arguments_same_bytes(tmp_path):
    for name in ("a.csv.gz", "b.csv.gz"):
        export(history("seattle/fire"), tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).startswith(b"Address,Type,Datetime")


def test_json_of_three_kinds(tmp_path):
    seattle = history("seattle/fire")
    n = export(seattle, tmp_path / "a.json")
    rows = json.loads((tmp_path / "a.json").read_text())
    assert len(rows) == n
    assert rows[0]["report_location"]["type"] == "Point"
    export(seattle, tmp_path / "a.jsonl")
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()] == rows
    export(seattle, tmp_path / "a.geojson")
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    assert [f["properties"] for f in features] == rows
    assert {(f["geometry"] or {}).get("type") for f in features} == {"Point", None}


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(ConfigError, match="suffix"):
        export(history("seattle/fire"), tmp_path / "a.xls")
    with pytest.raises(UnknownName, match="no layout"):
        export(history("seattle/fire"), tmp_path / "a.csv", layout="ckan")
