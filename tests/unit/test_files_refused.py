"""Files that cannot be taken as they are: refused whole, with the file's name, the reason and what to do."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citystream.catalog.dataset import City, Dataset, Mapping
from citystream.errors import FileRefused
from citystream.portals.files import open_export

CITY = City(city="Springfield", country="US", timezone="America/Chicago", bbox=(-90, 41, -87, 43))
DATASET = Dataset(
    name="springfield/crimes",
    city=CITY,
    title="t",
    kind="incident",
    columns=Mapping(event_id=["id", "Case ID"], occurred=["date"], type=["type"]),
)
CSV = "id,date,type\n" + "".join(f"{i},2024-01-02,A\n" for i in range(1000))
JSON = json.dumps([{"id": str(i), "date": "2024-01-02"} for i in range(1000)])


def refusal(path, **options) -> str:
    """The message of the refusal, after reading to the end if it does not come before."""
    with pytest.raises(FileRefused) as caught:
        list(open_export(path, DATASET, **options).pages())
    assert str(path) in caught.value.message
    assert caught.value.hint
    return str(caught.value)


def early(path, **options) -> str:
    """The message of a refusal that comes before any page."""
    with pytest.raises(FileRefused) as caught:
        open_export(path, DATASET, **options)
    assert str(path) in caught.value.message
    return str(caught.value)


def written(folder, data: bytes | str, name="export.csv"):
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_what_is_not_a_file(tmp_path):
    assert "no such file" in early(tmp_path / "missing.csv")
    assert "is a directory" in early(tmp_path)
    assert "is empty" in early(written(tmp_path, b""))
    assert "blanks" in early(written(tmp_path, "\ufeff \n\n"))


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", "an Excel workbook (xlsx)"),
        (b"PK\x03\x04\x14\x00data.csv", "a ZIP archive"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "an image (PNG)"),
        (b"\xff\xd8\xff\xe0", "an image (JPEG)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (xls)"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"\x01\x02\x00\x00\x07", "binary data"),
    ],
)
def test_binary_files_are_called_by_their_kind(tmp_path, start, kind):
    assert kind in early(written(tmp_path, start + bytes(range(256))))
    assert kind in early(written(tmp_path, gzip.compress(start + bytes(range(256)))))


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html>\n<html><head><title>Service\n  Unavailable &amp; more</title></head></html>",
        "\n <html lang=en><title>Service Unavailable &amp; more</title>",
        "<!-- x --><HTML><TITLE>Service Unavailable &amp; more</TITLE></HTML>",
    ],
)
@pytest.mark.parametrize("name", ["export.csv", "export.json"])
def test_a_web_page_is_quoted_by_its_title(tmp_path, page, name):
    assert "a web page ('Service Unavailable & more')" in early(written(tmp_path, page, name))


def test_xml_and_a_single_json_object_are_no_rows(tmp_path):
    assert "is XML" in early(written(tmp_path, "<?xml version='1.0'?><rows/>"))
    assert "one JSON object" in early(written(tmp_path, '{\n "name": "Crimes",\n "columns": []\n}'))
    assert "found: error, message" in early(written(tmp_path, '{"error": true, "message": "no"}'))


def test_a_conflict_marker_before_the_header(tmp_path):
    assert "merge conflict" in early(written(tmp_path, "<<<<<<< HEAD\n" + CSV))


@pytest.mark.parametrize("keep", [0.2, 0.999])
def test_packed_files_that_are_cut_off(tmp_path, keep):
    rows = "id,date,type\n" + "".join(f"{i},{i * i},{i * 7919 % 104729}\n" for i in range(400_000))
    packed = gzip.compress(rows.encode(), 1)
    assert "cut off" in refusal(written(tmp_path, packed[: int(len(packed) * keep)], "export.csv.gz"))
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(rows.encode())
    packed = sink.getvalue().to_pybytes()
    assert "cut off" in refusal(written(tmp_path, packed[: int(len(packed) * keep)], "export.csv.zst"))


def test_packed_data_with_damage_inside(tmp_path):
    packed = bytearray(gzip.compress(CSV.encode()))
    packed[len(packed) // 2] ^= 0xFF
    assert "damaged" in refusal(written(tmp_path, bytes(packed)))


@pytest.mark.parametrize("cut", [1, 2, 20, len(JSON) // 2])
def test_a_json_array_that_is_cut_off(tmp_path, cut):
    assert "cut off" in refusal(written(tmp_path, JSON[:-cut], "export.json"))


@pytest.mark.parametrize("tail", ["]", " x", ",", "[]", '{"id":1}'])
def test_a_json_array_that_goes_on(tmp_path, tail):
    assert "goes on" in refusal(written(tmp_path, JSON + tail, "export.json"))


@pytest.mark.parametrize(
    "text",
    [
        '[{"id":"1","date":"d"},,{"id":"2"}]',
        '[{"id":"1","date":"d"},]',
        '[{"id":"1","date":"d"} {"id":"2"}]',
        '[{"id":"1","date":"d"},7]',
        '[{"id":"1","date":"d"},{"id":]',
        '[,{"id":"1","date":"d"}]',
        '[{"id":"1","date":' + "[" * 5000 + "]",
    ],
)
def test_damage_inside_a_json_array(tmp_path, text):
    refusal(written(tmp_path, text, "export.json"))


def test_geojson_that_is_cut_off(tmp_path):
    feature = {"type": "Feature", "properties": {"id": 1, "date": 2}, "geometry": None}
    whole = json.dumps({"type": "FeatureCollection", "features": [feature]})
    for cut in (1, 2, 3, 30):
        assert "cut off" in refusal(written(tmp_path, whole[:-cut], "export.geojson"))


def test_parquet_that_is_cut_off(tmp_path):
    path = tmp_path / "export.parquet"
    pq.write_table(pa.table({"id": ["1"], "date": ["2"]}), path)
    assert "Parquet" in early(written(tmp_path, path.read_bytes()[:-20], "cut.parquet"))


@pytest.mark.parametrize("before", [3, 5_000_000])
def test_what_is_not_utf8_is_told_by_its_byte(tmp_path, before):
    head = "id,date,type\n"
    lines = "1,2024-01-02,AAAAAAAAAAAA\n" * (before // 26 + 1)
    data = (head + lines).encode() + b"1,2,Caf\xe9\n"
    message = refusal(written(tmp_path, data))
    assert f"byte {len(data) - 2} is not UTF-8" in message
    assert "--encoding windows-1252" in message


def test_utf16_without_being_told(tmp_path):
    assert "--encoding utf-16" in early(written(tmp_path, CSV.encode("utf-16")))


def test_an_encoding_that_does_not_fit_or_exist(tmp_path):
    path = written(tmp_path, "id,date\n1,\u0401\n")
    assert "not ASCII" in early(path, encoding="ascii")
    with pytest.raises(FileRefused, match="'klingon' is not a text encoding"):
        open_export(path, DATASET, encoding="klingon")
    with pytest.raises(FileRefused, match="not a text encoding"):
        open_export(path, DATASET, encoding="base64")


def test_rows_that_are_quoted_whole(tmp_path):
    assert "quoted as one cell" in early(written(tmp_path, '"id,date,type"\n"1,2024-01-02,A"\n'))


@pytest.mark.parametrize("header", ["id,date,id", "id,date,ID", " id,id ,date"])
def test_columns_that_occur_twice(tmp_path, header):
    assert "occur twice in the header" in early(written(tmp_path, header + "\n1,2,3\n"))


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("call,queued", "its key (id or Case ID) and its occurrence time (date)"),
        ("id,queued", "its occurrence time (date)"),
        ("call,date", "its key (id or Case ID)"),
    ],
)
def test_the_header_of_another_dataset(tmp_path, header, missing):
    message = early(written(tmp_path, header + "\n1,2\n"))
    assert f"not springfield/crimes: it has no column for {missing}" in message
    assert f"found: {header.replace(',', ', ')}" in message
    keys = dict.fromkeys(header.split(","), "1")
    assert missing in early(written(tmp_path, json.dumps([keys]), "export.json"))


def test_a_quote_that_swallows_the_rest(tmp_path):
    assert "never closed" in refusal(written(tmp_path, CSV + '1,"2,3\n' + "4,5,6\n" * 100))
    assert "never closed" in refusal(written(tmp_path, CSV + '1,"2,3\n' + "4,5,6\n" * 1_500_000))
