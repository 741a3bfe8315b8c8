"""Every format gives the same text: as published, whatever the packing, delimiter, encoding or column order."""

import gzip
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citystream.catalog.dataset import City, Dataset, Mapping
from citystream.portals.files import looks_like, open_export
from citystream.schema import UNREADABLE

CITY = City(city="Springfield", country="US", timezone="America/Chicago", bbox=(-90, 41, -87, 43))


def made(name="springfield/crimes", key="id", occurred="date") -> Dataset:
    columns = Mapping(event_id=[key], occurred=[occurred], type=["type"])
    return Dataset(name=name, city=CITY, title="t", kind="incident", columns=columns)


DATASET = made()


def read(path: Path, **options) -> list[dict]:
    """All rows of a file, unreadable ones as their text."""
    visit = open_export(path, DATASET, **options)
    rows = [row for page in visit.pages() for row in page.rows.to_pylist()]
    assert visit.verify(len(rows)) == ""
    texts = [row.pop(UNREADABLE, None) for row in rows]
    return [row if text is None else text for row, text in zip(rows, texts, strict=True)]


def written(folder: Path, data: bytes | str, name="export.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


ROWS = [{"id": "007", "date": "2024-01-02", "type": "A"}, {"id": "8", "date": "", "type": "B, C"}]
CSV = 'id,date,type\n007,2024-01-02,A\n8,,"B, C"\n'


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.replace("\n", "\r\n"),
        CSV.replace("\n", "\r"),
        CSV.rstrip("\n"),
        "\ufeff" + CSV,
        "\n\n" + CSV,
        CSV.replace("id,date", ' id ,"date "'),
        "id;date;type\n007;2024-01-02;A\n8;;B, C\n",
        "id\tdate\ttype\n007\t2024-01-02\tA\n8\t\tB, C\n",
    ],
)
def test_csv_in_all_its_dialects(tmp_path, text):
    assert read(written(tmp_path, text)) == ROWS


def test_an_empty_cell_is_the_empty_text_and_line_breaks_in_cells_stay(tmp_path):
    rows = read(written(tmp_path, 'type,id,date\n"two\r\nlines",1,""\n'))
    assert rows == [{"type": "two\r\nlines", "id": "1", "date": ""}]


def test_columns_may_be_named_in_capitals_and_in_any_order(tmp_path):
    assert read(written(tmp_path, "TYPE,DATE,ID\nx,y,z\n")) == [{"TYPE": "x", "DATE": "y", "ID": "z"}]


def test_columns_without_a_name_are_called_by_their_place(tmp_path):
    assert read(written(tmp_path, "id,date,,\n1,2,3,4\n")) == [
        {"id": "1", "date": "2", "column 3": "3", "column 4": "4"}
    ]


def test_header_only_is_an_export_without_rows(tmp_path):
    assert read(written(tmp_path, "id,date")) == []


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("pack", [gzip.compress, zstd, lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])])
@pytest.mark.parametrize("name", ["export.csv", "export.csv.gz", "whatever"])
def test_packed_files_are_known_by_content_not_by_name(tmp_path, pack, name):
    assert read(written(tmp_path, pack(CSV.encode()), name)) == ROWS


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16", "utf-16-le", "utf-8-sig", "latin-1"])
def test_other_encodings_are_transcoded(tmp_path, encoding):
    path = written(tmp_path, "id,date,type\n1,2,Café ÿ\n".encode(encoding))
    assert read(path, encoding=encoding) == [{"id": "1", "date": "2", "type": "Café ÿ"}]


def test_ragged_rows_keep_their_text(tmp_path):
    body = '1,2,3\n4,5\n6,7,8,9\n"10,11,12"\n \n13,14,15\n'
    rows = read(written(tmp_path, "id,date,type\n" + body))
    assert [r["id"] for r in rows[:2]] == ["1", "13"]
    assert rows[2:] == ["4,5", "6,7,8,9", '"10,11,12"', " "]


@pytest.mark.parametrize("cut", ['4,5,"six', '4,5,"', '4,5,"six, seven\nand', '4,"five', '"4', '4,5,"say ""six""'])
def test_a_record_that_ends_inside_a_quoted_cell_is_unreadable(tmp_path, cut):
    rows = read(written(tmp_path, f"id,date,type\n1,2,3\n{cut}"))
    assert rows == [{"id": "1", "date": "2", "type": "3"}, cut]


def test_columns_of_unreadable_rows_are_null_not_absent(tmp_path):
    visit = open_export(written(tmp_path, "id,date,type\n1\n"), DATASET)
    (page,) = visit.pages()
    assert page.rows.to_pylist() == [{"id": None, "date": None, "type": None, UNREADABLE: "1"}]


def test_pages_are_bounded_and_in_file_order(tmp_path):
    lines = "".join(f"{i},2024-01-01,{'x' * 60}\n" for i in range(250_000))
    pages = list(open_export(written(tmp_path, "id,date,type\n" + lines), DATASET).pages())
    ids = [i for page in pages for i in page.rows["id"].to_pylist()]
    assert ids == [str(i) for i in range(250_000)]
    assert len(pages) > 1
    assert max(page.rows.num_rows for page in pages) < 200_000


def test_the_listing_says_what_kind_of_visit_it_is(tmp_path):
    path = written(tmp_path, CSV)
    visit = open_export(path, DATASET, complete=True)
    assert (visit.listing.mode, visit.listing.complete, list(visit.listing.columns)) == (
        "file", True, ["id", "date", "type"],
    )  # fmt: skip
    assert not open_export(path, DATASET).listing.complete
    assert "0 records, 5 were received" in visit.verify(5)


OBJECTS = [
    '{"id": "007", "date": "2024-01-02", "n": 41.10, "on": true, "type": null}',
    '{"id": 8, "date": "é\\u00e9", "n": 1e5, "where": {"a": [1.50, null, "x\\"y"], "b": false}}',
    '{"id": 12345678901234567890123, "date": "", "on": false, "n": -0.0}',
]
VALUES = [
    {"id": "007", "date": "2024-01-02", "n": "41.10", "on": "true", "type": None, "where": None},
    {"id": "8", "date": "éé", "n": "1e5", "on": None, "type": None, "where": '{"a":[1.50,null,"x\\"y"],"b":false}'},
    {"id": "12345678901234567890123", "date": "", "n": "-0.0", "on": "false", "type": None, "where": None},
]


@pytest.mark.parametrize(
    "text",
    [
        "[" + ",".join(OBJECTS) + "]",
        " [ " + " ,\n ".join(OBJECTS) + " \n]\n",
        "\ufeff[" + "\n,".join(OBJECTS) + "]",
        "\n".join(OBJECTS),
        "\r\n".join(OBJECTS) + "\r\n\r\n",
    ],
)
def test_json_values_are_as_written(tmp_path, text):
    assert read(written(tmp_path, text, "export.json")) == VALUES


def test_a_damaged_line_is_an_unreadable_row(tmp_path):
    lines = [OBJECTS[0], '{"id": "9", "date"', "5", "[1]", OBJECTS[2]]
    rows = read(written(tmp_path, "\n".join(lines)))
    assert [row if isinstance(row, str) else row["id"] for row in rows] == [
        "007", "12345678901234567890123", '{"id": "9", "date"', "5", "[1]",
    ]  # fmt: skip


def test_half_a_surrogate_pair_does_not_cost_the_row(tmp_path):
    assert read(written(tmp_path, '[{"id":"1","date":"\\ud83d"}]')) == [{"id": "1", "date": "\\ud83d"}]


def test_an_empty_array_is_an_export_without_rows(tmp_path):
    assert read(written(tmp_path, " [ ]\n", "export.json")) == []


def feature(properties: dict, geometry) -> dict:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("last", [False, True])
def test_geojson_properties_become_columns(tmp_path, indent, last):
    features = [
        feature({"id": "1", "date": "d"}, {"type": "Point", "coordinates": [-87.5, 41]}),
        feature({"id": "2", "date": "e"}, None),
    ]
    head, tail = {"type": "FeatureCollection", "crs": {"name": "x"}}, {"features": features}
    whole = tail | head if last else head | tail
    rows = read(written(tmp_path, json.dumps(whole, indent=indent), "export.geojson"))
    assert rows == [
        {"id": "1", "date": "d", "geometry": '{"type":"Point","coordinates":[-87.5,41]}'},
        {"id": "2", "date": "e", "geometry": None},
    ]


def test_geojson_lines(tmp_path):
    lines = "\n".join(json.dumps(feature({"id": i, "date": "d"}, None)) for i in range(3))
    assert [row["id"] for row in read(written(tmp_path, lines))] == ["0", "1", "2"]


def test_large_json_is_read_across_its_blocks(tmp_path):
    rows = [{"id": str(i), "date": "é" * (i % 50), "type": "]},{[" * (i % 7)} for i in range(60_000)]
    path = written(tmp_path, json.dumps(rows, ensure_ascii=False), "export.json")
    assert path.stat().st_size > 5 << 20
    assert read(path) == rows


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd])
def test_parquet_becomes_text_without_loss(tmp_path, pack):
    table = pa.table(
        {
            "id": pa.array([7, None], pa.int64()),
            "date": pa.array(
                [datetime(2024, 1, 2, 3, 4, 5), datetime(2024, 1, 2, 3, 4, 5, 120000)], pa.timestamp("us")
            ),
            "type": pa.array(["007", None]).dictionary_encode(),
            "fixed": pa.array([datetime(2024, 1, 2, 3, tzinfo=UTC), None], pa.timestamp("ms", tz="UTC")),
            "day": [date(2024, 1, 2), None],
            "n": [41.1, 0.1 + 0.2],
            "money": pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
            "on": [True, False],
            "where": [{"a": [1, 2]}, None],
            "raw": [b"text", b"\xff\x00"],
        }
    )
    pq.write_table(table, tmp_path / "plain.parquet")
    path = written(tmp_path, pack((tmp_path / "plain.parquet").read_bytes()), "export.parquet")
    assert read(path) == [
        {
            "id": "7", "date": "2024-01-02T03:04:05", "type": "007",
            "fixed": "2024-01-02T03:00:00Z", "day": "2024-01-02", "n": "41.1", "money": "1.50", "on": "true",
            "where": '{"a":[1,2]}', "raw": "text",
        },
        {
            "id": None, "date": "2024-01-02T03:04:05.120000", "type": None, "fixed": None, "day": None,
            "n": "0.30000000000000004", "money": None, "on": "false", "where": None, "raw": "ff00",
        },
    ]  # fmt: skip


def test_looks_like_names_the_datasets_that_a_header_fits(tmp_path):
    known = [made(), made("ogdenville/calls", "call_id", "queued"), made("shelbyville/crimes", "ID", "Date")]
    assert looks_like(written(tmp_path, CSV), known) == ["springfield/crimes", "shelbyville/crimes"]
    assert looks_like(written(tmp_path, "Queued,Call_ID\n"), known) == ["ogdenville/calls"]
    assert looks_like(tmp_path / "missing.csv", known) == []


def test_memory_does_not_grow_with_the_file(tmp_path):
    """The largest Arrow allocation for a file three times the size stays the same."""
    script = (
        "import sys, pathlib, pyarrow as pa\n"
        "from citystream.portals.csv_text import CsvRows\n"
        "from citystream.portals.text_bytes import TextBytes\n"
        "for _ in CsvRows(TextBytes(pathlib.Path(sys.argv[1]))).tables(): pass\n"
        "print(pa.default_memory_pool().max_memory())\n"
    )
    peaks = []
    for size in (300_000, 900_000):
        lines = "".join(f"{i},2024-01-01,{'x' * 60}\n" for i in range(size))
        path = written(tmp_path, "id,date,type\n" + lines)
        run = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
        peaks.append(int(run.stdout))
    assert peaks[1] < peaks[0] * 1.3


@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":"), (",\n", ":")])
def test_objects_inside_objects_are_not_taken_for_rows(tmp_path, separators):
    """Nested lists look like the rows around them."""
    rows = [{"id": str(i), "date": "d", "n": [{"a": "1"}, {"a": "}, {"}]} for i in range(50)]
    rows.append({"id": "last", "date": "d", "n": [{"b": [{"c": "2"}, {"c": "3"}]}, {"a": "4"}]})
    read_back = read(written(tmp_path, json.dumps(rows, separators=separators), "export.json"))
    assert [row | {"n": json.loads(row["n"])} for row in read_back] == rows
