"""Cities that nobody has written about, on every kind of portal, by TOML alone: what they publish becomes events.

Between them: keys of several columns, dates in parts, months without a day, clocks as numbers, epochs, UTC and local
time, positions in metres and in five ways of writing, words for no value, encodings, delimiters, numbers with points
between thousands, and headers in any case.
"""

from __future__ import annotations

import csv
import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pytest

from citystream.app import App
from citystream.config import load
from citystream.simulate.portal import SimulatedPortal
from citystream.simulate.published import PublishedTable
from tests.unit.paged_servers import Answering, Arcgis, Ckan

NOW = datetime(2024, 6, 1, tzinfo=UTC)


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def answers_of(table: Answering) -> type[BaseHTTPRequestHandler]:
    """A handler that answers as *table* does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = json.dumps(table.answer(parts.path, dict(parse_qsl(parts.query)))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    return Handler


class Quiet(SimpleHTTPRequestHandler):
    """The files of a folder."""

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


class Layer(Arcgis):
    """A layer of points: *x* and *y* of each row are its geometry and no attributes."""

    def answer(self, url: str, asked: dict[str, str]) -> object:
        told = super().answer(url, asked)
        if "fields" in told:
            told["fields"] = [each for each in told["fields"] if each["name"] not in ("x", "y")]
            told["geometryType"] = "esriGeometryPoint"
        for feature in told.get("features", []):
            row = dict(feature["attributes"])
            feature["geometry"] = {"x": row.pop("x"), "y": row.pop("y")}
            feature["attributes"] = row
        return told


class Town:
    """A folder with a city file, and what became of its rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def app(self, toml: str) -> App:
        cities = self.folder / "cities"
        cities.mkdir(exist_ok=True)
        (cities / "town.toml").write_text(toml, encoding="utf-8")
        values = {"data": str(self.folder / "data"), "cities": [str(cities)], "pause": 0, "patience": 1, "threads": 1}
        return App(load(values, {}), clock=lambda: NOW)

    def rows(self, toml: str, *files: Path, encoding: str = "utf-8") -> list[dict[str, object]]:
        app = self.app(toml)
        if files:
            app.import_files("town/events", list(files), encoding=encoding)
        else:
            app.run("town/events")
        (status,) = app.status()
        assert status.ledger.balances()
        with app.reader() as reader:
            return reader.query("SELECT * FROM town_events ORDER BY event_id").to_pylist()


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def only(rows: list[dict[str, object]], *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def near(row: dict[str, object], lat: float, lon: float) -> None:
    assert (row["lat"], row["lon"]) == (pytest.approx(lat, abs=1e-5), pytest.approx(lon, abs=1e-5))


LAKEPORT = """
city = "Lakeport"
country = "US"
timezone = "America/Los_Angeles"
bbox = [-123.2, 38.8, -122.7, 39.2]

[events]
title = "Thefts"
kind = "offense"
missing = ["(none)"]
sources = [{{ portal = "socrata", host = "{url}", resource = "aaaa-0001", cursor = "changed" }}]

[events.columns]
event_id = ["Ref-No"]
occurred = {{ column = ["Day"], time = ["Clock"], time_formats = ["hhmm"], placeholders = ["00:00"] }}
reported = {{ column = ["seen_utc"], formats = [{{ format = "iso", utc = true }}] }}
type = {{ column = ["what"], labels = {{ t1 = "Theft", t2 = "Attempt" }} }}
district = ["ZONE"]
position = {{ column = ["place"], form = "latlon" }}
arrest = {{ column = ["held"], true = ["si"], false = ["non"] }}

[events.attributes]
worth = {{ column = ["worth"], type = "number", thousands = "," }}
"""


def test_socrata_with_clocks_as_numbers_and_a_pair_for_a_place(town):
    """A column called another way in the API, times in UTC beside local ones, a revision that moves the cursor."""
    rows = pa.table({
        "ref_no": ["A1", "A2", "A3"],
        "day": ["2024-05-01T00:00:00.000"] * 3,
        "clock": ["930", "0", "45"],
        "seen_utc": ["2024-05-02T02:30:00.000", "", "2024-05-02T17:00:00.000"],
        "what": ["T1", "t2", "t3"],
        "zone": ["north", "(NONE)", "south"],
        "place": ["(39.01, -122.91)", "(0, 0)", ""],
        "held": ["SI", "non", "?"],
        "worth": ["1,250.50", "80", "(none)"],
        "changed": ["2024-05-03T00:00:00.000"] * 3,
    })  # fmt: skip
    table = PublishedTable.from_arrow(rows, types={"changed": "calendar_date"}, row_identifier="ref_no")
    later = rows.set_column(9, "changed", pa.array(["2024-05-03T00:00:00.000"] * 2 + ["2024-05-09T00:00:00.000"]))
    table = table.then(later.set_column(4, "what", pa.array(["T1", "t2", "t1"])), datetime(2024, 6, 5, tzinfo=UTC))
    at = [NOW]
    with SimulatedPortal({"aaaa-0001": table}, clock=lambda: at[0]) as portal:
        toml = LAKEPORT.format(url=portal.url)
        found = town.rows(toml)
        at[0] = datetime(2024, 6, 6, tzinfo=UTC)
        again = town.rows(toml)
    assert only(found, "event_id", "type", "district", "arrest", "worth") == [
        ("A1", "Theft", "north", True, 1250.5),
        ("A2", "Attempt", None, False, 80.0),
        ("A3", "t3", "south", None, None),
    ]
    assert only(found, "occurred_local", "time_precision", "reported_at") == [
        (datetime(2024, 5, 1, 9, 30), "half_hour", datetime(2024, 5, 1, 19, 30)),
        (datetime(2024, 5, 1), "unknown", None),
        (datetime(2024, 5, 1, 0, 45), "second", datetime(2024, 5, 2, 10)),
    ]
    assert found[0]["occurred_at"] == datetime(2024, 5, 1, 16, 30)
    near(found[0], 39.01, -122.91)
    assert only(found, "place_reason")[1:] == [("zero",), ("blank",)]
    assert only(again, "type") == [("Theft",), ("Attempt",), ("Theft",)]


NORDBY = """
city = "Nordby"
country = "DK"
timezone = "Europe/Copenhagen"
bbox = [8.3, 55.3, 8.6, 55.6]

[events]
title = "Hærværk"
kind = "incident"
sources = [{{ portal = "arcgis", host = "{url}", resource = "rest/services/A/FeatureServer/0" }}]

[events.columns]
event_id = {{ columns = [["Sag"], ["Hvad"]], counter = true, normalise = true }}
occurred = {{ column = ["Tid"], formats = ["unix_ms"] }}
occurred_end = {{ column = ["Slut"], formats = ["unix"] }}
type = ["Hvad"]
position = {{ column = ["geometry"], form = "geojson" }}
"""


def test_arcgis_with_epochs_and_rows_that_are_numbered(town):
    """Two equal keys are two things; milliseconds and seconds since 1970 are UTC, shown in Danish time."""
    spring = 1_711_846_800  # 2024-03-31 01:00 UTC, when the clocks go forward
    rows = [
        {"Sag": "7-a", "Hvad": "Rude", "Tid": spring * 1000, "Slut": spring + 3600, "x": 8.4, "y": 55.45},
        {"Sag": "7 A", "Hvad": "RUDE", "Tid": spring * 1000, "Slut": None, "x": 8.41, "y": 55.46},
        {"Sag": "8", "Hvad": "Bænk", "Tid": (spring - 60) * 1000, "Slut": None, "x": 12.5, "y": 55.6},
    ]
    with serving(answers_of(Layer(rows))) as url:
        found = town.rows(NORDBY.format(url=url))
    by_place = {row["lat"]: row for row in found}
    assert len({row["event_id"] for row in found}) == len(found) == 3
    assert by_place[55.45]["occurred_local"] == datetime(2024, 3, 31, 3)
    assert by_place[55.45]["occurred_end_local"] == datetime(2024, 3, 31, 4)
    assert by_place[None]["occurred_local"] == datetime(2024, 3, 31, 1, 59)
    assert (by_place[None]["type"], by_place[None]["place_reason"]) == ("Bænk", "outside_city")
    near(by_place[55.46], 55.46, 8.41)


HALVIK = """
city = "Halvik"
country = "SE"
timezone = "Europe/Stockholm"
bbox = [17.0, 59.0, 19.0, 60.0]

[events]
title = "Brott"
kind = "incident"
missing = ["okänd", "-"]
sources = [{{ portal = "ckan", host = "{url}", resource = "brott/Crimes" }}]

[events.columns]
event_id = ["Nr"]
type = ["Brott"]
beat = ["Område"]
position = {{ column = ["Plats"], form = "wkt" }}
domestic = {{ column = ["Koder"], pattern = '\\bDV\\b' }}

[events.columns.occurred]
column = ["ÅR"]
parts = [["Månad"], ["Dag"]]
formats = ["%Y %B %d", "%Y %B"]
time = ["Kl"]
time_formats = ["%H:%M"]

[events.attributes]
skada = {{ column = ["Skada"], type = "integer", thousands = " " }}
"""


def test_ckan_with_a_date_in_parts_and_words_for_nothing(town):
    """A blank day leaves the month; numbers are written with blanks between thousands."""
    row = {"Nr": "1", "år": 2024, "månad": "May", "dag": "3", "KL": "23:15", "brott": "Stöld", "område": "Norr",
           "plats": "POINT (18.05 59.33)", "koder": "A DV B", "skada": "12 500"}  # fmt: skip
    month = row | {"Nr": "2", "dag": "", "KL": "", "område": "OKÄND", "plats": "-", "koder": "ADVB", "skada": "-"}
    with serving(answers_of(Ckan([row, month]))) as url:
        found = town.rows(HALVIK.format(url=url))
    assert only(found, "occurred_local", "time_precision", "type", "beat", "domestic", "skada") == [
        (datetime(2024, 5, 3, 23, 15), "second", "Stöld", "Norr", True, 12500),
        (datetime(2024, 5, 1), "day", "Stöld", None, False, None),
    ]
    near(found[0], 59.33, 18.05)
    assert found[1]["place_reason"] == "blank"
    assert found[1]["time_flags"] == "placeholder"


BREXLEY = """
city = "Brexley"
country = "GB"
timezone = "Europe/London"
bbox = [-0.6, 51.2, 0.4, 51.8]

[events]
title = "Street crime"
kind = "offense"
precision = "area"

[[events.sources]]
portal = "files"
url = "{url}/crime_{{year}}.csv"
covers_from = 2023-01-01
covers_until = 2024-12-31

[events.columns]
event_id = ["Crime ID"]
occurred = {{ column = ["Month"], formats = ["%Y-%m"] }}
type = ["Crime type"]
lat = {{ column = ["Northing"], crs = "EPSG:27700" }}
lon = {{ column = ["Easting"], crs = "EPSG:27700" }}
address = {{ template = "On or near {{Street|Location}}" }}
"""


def test_year_files_with_months_alone_and_metres(town, tmp_path):
    """One file for each year, its header in another case and one column renamed; positions are on the national grid."""
    (tmp_path / "web").mkdir()
    files = {
        2023: "CRIME ID,MONTH,CRIME TYPE,EASTING,NORTHING,STREET\na1,2023-12,Burglary,530000,180000,High Street\n",
        2024: "crime id,month,crime type,easting,northing,location\nb1,2024-02,Drugs,,,Mill Lane\n",
    }
    for year, text in files.items():
        (tmp_path / "web" / f"crime_{year}.csv").write_text(text, encoding="utf-8")
    with serving(partial(Quiet, directory=str(tmp_path / "web"))) as url:
        found = town.rows(BREXLEY.format(url=url))
    assert only(found, "event_id", "occurred_local", "time_precision", "time_flags", "address") == [
        ("a1", datetime(2023, 12, 1), "day", "placeholder", "On or near High Street"),
        ("b1", datetime(2024, 2, 1), "day", "placeholder", "On or near Mill Lane"),
    ]
    assert (found[0]["lat"], found[0]["lon"]) == (pytest.approx(51.5039, abs=1e-3), pytest.approx(-0.1284, abs=1e-3))
    assert (found[1]["lat"], found[1]["place_precision"]) == (None, "missing")


SERRANA = """
city = "Serrana"
country = "BR"
timezone = "America/Sao_Paulo"
bbox = [-47.0, -24.0, -46.0, -23.0]

[events]
title = "Ocorrências"
kind = "incident"
missing = ["NÃO INFORMADO"]

[events.ingest]
drop = ["Nome"]
block_address = ["Endereço"]

[events.columns]
event_id = { column = ["BO"], integer = true }
incident_id = { template = "{BO}/{Ano}" }
occurred = { column = ["Início"], formats = [{ format = "%d/%m/%Y %H:%M", utc = true }, { format = "%d.%m.%Y" }] }
type = { column = ["Natureza"], upper = true }
code = { column = ["Natureza"], scheme = "SSP" }
position = { column = ["Geom"], form = "wkb" }
address = ["Endereço"]

[events.attributes]
valor = { column = ["Valor"], type = "number", thousands = ".", decimal = "," }
"""


def test_an_imported_file_in_another_encoding(town, tmp_path):
    """Semicolons, letters of windows-1252, points between thousands, well-known binary with its reference system."""
    point = (struct.pack("<BIIdd", 1, 0x20000001, 4326, -46.6, -23.5)).hex().upper()
    rows = [
        ["BO", "Ano", "INÍCIO", "Natureza", "Geom", "Endereço", "Valor", "Nome"],
        ["007", "2024", "01/05/2024 01:30", "furto", point, "904 Rua Ipê", "1.234,50", "José"],
        ["8", "2024", "01.05.2024", "não informado", "", "Rua Ipê x Rua Sol", "NÃO INFORMADO", "Ana"],
        ["x9", "2024", "01.05.2024", "furto", "", "", "", ""],
    ]
    with (tmp_path / "bo.csv").open("w", encoding="windows-1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    found = town.rows(SERRANA, tmp_path / "bo.csv", encoding="windows-1252")
    assert only(found, "event_id", "incident_id", "type", "valor", "address") == [
        ("7", "007/2024", "FURTO", 1234.5, "900 block of Rua Ipê"),
        ("8", "8/2024", None, None, "Rua Ipê x Rua Sol"),
    ]
    assert only(found, "occurred_local", "time_precision") == [
        (datetime(2024, 4, 30, 22, 30), "half_hour"),
        (datetime(2024, 5, 1), "day"),
    ]
    near(found[0], -23.5, -46.6)
    with town.app(SERRANA).reader() as reader:
        assert only(reader.query("SELECT reason FROM rejects").to_pylist(), "reason") == [("id_not_integer",)]
    logged = b"".join(path.read_bytes() for path in (tmp_path / "data" / "log").rglob("*.parquet"))
    assert "José".encode() not in logged
