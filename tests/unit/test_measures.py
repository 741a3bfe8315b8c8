"""Readings: what a city file says of measures and stations, and what the tables make of it. All rows are invented."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citystream.app import App
from citystream.catalog.crosswalk import Crosswalk
from citystream.catalog.dataset import Dataset
from citystream.catalog.editor import city_file_schema
from citystream.catalog.library import load_city_file
from citystream.cli import main
from citystream.cli.leaving import leaving
from citystream.config import load
from citystream.errors import CatalogError
from citystream.ports import Ledger
from citystream.store.database import fingerprint
from citystream.store.reader import Reader
from citystream.store.tables import column_list

DATASET = "springfield/air"
CITY = """
city = "Springfield"
country = "US"
timezone = "America/Chicago"
bbox = [-90.0, 39.0, -89.0, 40.0]
"""
AIR = """
[air]
title = "Air"
kind = "reading"
notice = "Measured by Springfield."
[air.columns]
event_id = { columns = [["Station"], ["Moment"]] }
station = ["Station"]
observed = "Moment"
[air.attributes]
remark = ["Remark"]
[air.measures]
wind = { column = ["Wind Speed", "wind"], unit = "m/s", sentinels = [999.9, -1], range = [0, 60] }
rain = { column = ["Rain"], unit = "mm", decimal = ",", missing = ["n/a"], cumulative = true }
[air.stations]
"North Pier" = { lat = 39.5, lon = -89.5 }
"""
CALLS = """
[calls]
title = "Calls"
kind = "call"
notice = "Called in Springfield."
[calls.columns]
event_id = "id"
occurred = "when"
type = "what"
"""
HEADER = "Station,Moment,Wind Speed,Rain,Remark\n"


def described(folder: Path, text: str = AIR) -> Dataset:
    path = folder / "springfield.toml"
    path.write_text(CITY + text, "utf-8")
    return load_city_file(path)[0]


def refused(folder: Path, old: str, new: str, text: str = AIR) -> str:
    assert old in text
    with pytest.raises(CatalogError) as raised:
        described(folder, text.replace(old, new, 1))
    return raised.value.message


@contextmanager
def measured(folder: Path, *files: str, also: str = "") -> Iterator[tuple[Reader, Ledger]]:
    """A store into which files with these rows were taken, one after the other."""
    (folder / "cities").mkdir()
    (folder / "cities" / "springfield.toml").write_text(CITY + AIR + also, "utf-8")
    app = App(load({"data": str(folder / "data"), "cities": [str(folder / "cities")]}, {}))
    for number, rows in enumerate(files):
        (folder / f"{number}.csv").write_text(HEADER + rows, "utf-8")
        ledger = app.import_files(DATASET, [folder / f"{number}.csv"]).after
    if also:
        (folder / "calls.csv").write_text("id,when,what\n1,2024-01-01T10:00:00,Noise\n", "utf-8")
        app.import_files("springfield/calls", [folder / "calls.csv"])
    with app.reader() as reader:
        yield reader, ledger


def rows(reader: Reader, sql: str, **asked: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in reader.query(sql, **asked).to_pylist()]


def test_a_measure_is_a_number_column_and_keeps_what_it_means(tmp_path: Path) -> None:
    air = described(tmp_path)
    assert {name: rule.type for name, rule in air.attributes.items()} == {
        **{"remark": "text"},
        **{"wind": "number", "rain": "number"},
    }
    assert column_list(air).endswith('"remark" VARCHAR, "wind" DOUBLE, "rain" DOUBLE')
    assert air.columns.type.column == ("Station",)
    assert air.columns.occurred.column == ("Moment",)


def test_a_definition_survives_the_store(tmp_path: Path) -> None:
    air = described(tmp_path)
    kept = json.loads(air.model_dump_json(exclude={"crosswalk"}))
    again = Dataset.model_validate(kept | {"crosswalk": Crosswalk()})
    assert again == air
    assert fingerprint(again) == fingerprint(air)


def test_another_meaning_needs_no_replay_and_another_column_does(tmp_path: Path) -> None:
    air = described(tmp_path)
    meant = described(tmp_path, AIR.replace("[0, 60]", "[0, 50]").replace("39.5", "39.6"))
    renamed = described(tmp_path, AIR.replace('"wind"]', '"wind", "w"]'))
    assert fingerprint(meant) == fingerprint(air) != fingerprint(renamed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('kind = "reading"', 'kind = "incident"'), "air.columns.type: is missing"),
        (('station = ["Station"]', ""), "air.columns.station: is missing"),
        (('observed = "Moment"', ""), "air.columns.observed: is missing"),
        (('observed = "Moment"', 'observed = "Moment"\noccurred = "Moment"'), "say either observed or occurred"),
        (('observed = "Moment"', 'observed = "Moment"\naddress = "Road"'), "a reading has no address"),
        (("[0, 60]", "[60, 0]"), "air.measures.wind.range: must be [least, greatest]"),
        (("[999.9, -1]", "[nan]"), "air.measures.wind.sentinels.0:"),
        (("wind = {", "value = {"), "'value' is a column of every reading"),
        (("wind = {", "district = {"), "every event has a column of this name already"),
        (('remark = ["Remark"]', 'wind = ["Remark"]'), "'wind' is a measure already"),
        (('unit = "m/s", ', ""), "air.measures.wind.unit: is missing"),
        (("lat = 39.5, lon = -89.5", "lat = -89.5, lon = 39.5"), "'North Pier' lies outside of the city's bbox"),
        (('title = "Air"', 'title = "Air"\nwindows.sliding = {}'), "readings are measured and not counted"),
    ],
)
def test_mistakes_are_told_in_the_words_of_the_file(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert message in refused(tmp_path, *change)


def test_readings_have_measures_and_nothing_else_has(tmp_path: Path) -> None:
    bare = AIR.partition("[air.measures]")[0]
    assert "needs at least one table measures.<name>" in refused(tmp_path, "", "", text=bare)
    other = AIR.replace('"reading"', '"incident"').replace("station =", "type =").replace("observed =", "occurred =")
    assert 'measures and stations are for kind = "reading"' in refused(tmp_path, "", "", text=other)


def test_an_editor_knows_the_words_of_readings() -> None:
    said = city_file_schema()["$defs"]["Mapping"]
    assert {"station", "observed", "type", "occurred"} <= said["properties"].keys()
    assert said["required"] == ["event_id"]


def test_a_row_of_measures_becomes_one_row_for_each_value(tmp_path: Path) -> None:
    published = 'North Pier,2024-01-01T10:00:00,3.5,"1,5",calm\nSouth Pier,2024-01-01T10:00:00,,n/a,\n'
    with measured(tmp_path, published) as (reader, ledger):
        assert ledger == Ledger(received=2, inserted=2)
        assert rows(reader, "SELECT * EXCLUDE (first_seen_at, changed_at) FROM readings ORDER BY measure DESC") == [
            (DATASET, "Springfield", "reading", "North Pier", *value, 39.5, -89.5, None, 0)
            for value in [
                ("wind", datetime(2024, 1, 1, 10), datetime(2024, 1, 1, 16), 3.5, "m/s"),
                ("rain", datetime(2024, 1, 1, 10), datetime(2024, 1, 1, 16), 1.5, "mm"),
            ]
        ]
        wide = "SELECT station, remark, wind, rain, lat, place_precision FROM springfield_air ORDER BY station"
        assert rows(reader, wide) == [
            ("North Pier", "calm", 3.5, 1.5, 39.5, "block"),
            ("South Pier", None, None, None, None, "area"),
        ]


def test_what_stands_for_no_value_and_what_cannot_be_true_are_flagged(tmp_path: Path) -> None:
    winds = {"999.9": (None, "sentinel"), "-1": (None, "sentinel"), "60": (60.0, None), "0": (0.0, None)}
    winds |= {"60.1": (60.1, "implausible"), "-0.1": (-0.1, "implausible"), "999.90": (None, "sentinel")}
    published = "".join(f"S{number},2024-01-01T10:00:00,{wind},,\n" for number, wind in enumerate(winds))
    with measured(tmp_path, published) as (reader, _):
        assert rows(reader, "SELECT value, flags FROM readings ORDER BY station") == list(winds.values())
        stored = rows(reader, "SELECT wind FROM springfield_air ORDER BY station")
        assert stored == [(float(wind),) for wind in winds]


def test_what_is_odd_about_the_time_is_said_of_each_value(tmp_path: Path) -> None:
    times = {
        "2024-03-10T02:30:00": "gap",
        "2024-11-03T01:30:00": "fold",
        "1900-01-01T00:00:00": "sentinel_time",
        "2099-01-01T00:00:00": "future",
    }
    published = "".join(f'{time},{time},999.9,"0,0",\n' for time in times)
    with measured(tmp_path, published) as (reader, ledger):
        assert ledger.inserted == 4
        assert dict(rows(reader, "SELECT station, flags FROM readings WHERE measure = 'rain'")) == times
        both = {time: f"sentinel,{flag}" for time, flag in times.items()}
        assert dict(rows(reader, "SELECT station, flags FROM readings WHERE measure = 'wind'")) == both


def test_a_revised_value_replaces_the_older_and_is_asked_as_of(tmp_path: Path) -> None:
    first, second = "A,2024-01-01T10:00:00,3,,\n", "A,2024-01-01T10:00:00,4,,\n"
    with measured(tmp_path, first, second, second) as (reader, ledger):
        assert ledger == Ledger(received=3, inserted=1, revised=1, unchanged=1)
        assert rows(reader, "SELECT value FROM readings") == [(4.0,)]
        assert rows(reader, "SELECT value FROM readings", as_of=0) == [(3.0,)]
        older = "SELECT kind, type, occurred_local, log_offset FROM revisions"
        assert rows(reader, older) == [("reading", "A", datetime(2024, 1, 1, 10), 0)]


def test_readings_are_never_counted_with_events(tmp_path: Path) -> None:
    with measured(tmp_path, "A,2024-01-01T10:00:00,3,,\n", also=CALLS) as (reader, _):
        for table in ("events", "daily"):
            assert rows(reader, f"SELECT DISTINCT dataset, kind FROM {table}") == [("springfield/calls", "call")]
        assert rows(reader, "SELECT DISTINCT dataset FROM readings") == [(DATASET,)]
        assert rows(reader, "SELECT dataset FROM ledger ORDER BY ALL") == [(DATASET,), ("springfield/calls",)]


def test_a_store_of_readings_alone_has_every_table(tmp_path: Path) -> None:
    with measured(tmp_path, "A,2024-01-01T10:00:00,3,,\n") as (reader, _):
        for as_of in (None, 0):
            for table in ("events", "daily", "sliding", "vanished", "revisions", "alerts", "rejects"):
                assert rows(reader, f"FROM {table}", as_of=as_of) == []
            assert {"nibrs_code", "lat"} <= set(reader.query("FROM events", as_of).column_names)


def test_readings_leave_with_their_positions_and_their_own_notices(tmp_path: Path) -> None:
    with measured(tmp_path, "North Pier,2024-01-01T10:00:00,3,,\n", also=CALLS) as (reader, _):
        for table in ("readings", "springfield_air"):
            out = leaving(reader, table)
            assert out.points
            assert out.notices == ["Measured by Springfield."]
            assert rows(reader, f"SELECT lat, lon FROM ({out.sql})") == [(39.5, -89.5)]
        assert leaving(reader, "events").notices == ["Called in Springfield."]
        assert not leaving(reader, "daily").points


def test_a_measure_that_is_not_taken_is_not_there(tmp_path: Path) -> None:
    air = described(tmp_path, AIR.replace("[air.columns]", 'ingest = { drop = ["RAIN"] }\n[air.columns]'))
    assert list(air.attributes) == ["remark", "wind"]


numbers = st.one_of(st.none(), st.sampled_from([999.9, -1.0, 0.0, 60.0]), st.floats(-100, 100))


@settings(max_examples=8, deadline=None)
@given(values=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20))
def test_every_published_value_is_one_reading(
    values: list[tuple[float | None, float | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No value is lost, changed or made up, whatever stations say; what is NULL is flagged as a sentinel."""
    said = [["" if value is None else repr(value) for value in both] for both in values]
    published = "".join(
        f'S{number},2024-01-01T10:00:00,{wind},"{rain.replace(".", ",")}",\n'
        for number, (wind, rain) in enumerate(said)
    )
    expected = {(f"S{number}", "wind"): wind for number, (wind, _) in enumerate(values) if wind is not None}
    expected |= {(f"S{number}", "rain"): rain for number, (_, rain) in enumerate(values) if rain is not None}
    with measured(tmp_path_factory.mktemp("law"), published) as (reader, _):
        found = {
            (row[0], row[1]): row[2:] for row in rows(reader, "SELECT station, measure, value, flags FROM readings")
        }
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        sentinel = key[1] == "wind" and value in (999.9, -1.0)
        shown, flags = found[key]
        assert shown == (None if sentinel else value)
        outside = key[1] == "wind" and not 0 <= value <= 60
        assert flags == ("sentinel" if sentinel else "implausible" if outside else None)


def command(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0)


def test_the_commands_speak_of_stations_and_measures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command that an import proposes can be run, and a dataset is described in the words of its file."""
    monkeypatch.chdir(tmp_path)
    for name in ("CITYSTREAM_DATA", "CITYSTREAM_CITIES"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "cities").mkdir()
    described(tmp_path / "cities")
    (tmp_path / "air.csv").write_text(f"{HEADER}A,2024-01-01T10:00:00,3,,\n", "utf-8")
    assert command("import", DATASET, "air.csv") == 0
    proposed = [shlex.split(line) for line in capsys.readouterr().err.splitlines() if line.startswith("  citystream ")]
    assert [words[1] for words in proposed] == ["status", "query"]
    for words in proposed:
        assert command(*words[1:]) == 0
    assert "wind     m/s   1" in capsys.readouterr().out
    assert command("datasets", DATASET) == 0
    shown = capsys.readouterr().out
    assert "columns of springfield_air\n" in shown
    assert all(word in shown for word in ("station", "observed", "999.9, -1 stands for no value", "0 to 60"))
    assert "counts up until it is reset" in shown
    assert " occurred " not in shown


API = {
    "station_name": "Example Weather Station",
    "measurement_timestamp": "2024-11-03T01:00:00.000",
    "air_temperature": "7.5",
    "wind_speed": "999.9",
    "total_rain": "12.1",
    "precipitation_type": "60",
    "measurement_id": "ExampleWeatherStation202411030100",
}


def test_the_portal_s_interface_and_its_export_say_the_same(tmp_path: Path) -> None:
    """The interface says ``station_name`` and ISO, the export ``Station Name`` and the American way."""
    export = {name.replace("_", " ").title().replace("Id", "ID"): value for name, value in API.items()}
    export["Measurement Timestamp"] = "11/03/2024 01:00:00 AM"
    app = App(load({"data": str(tmp_path / "data")}, {}))
    for number, row in enumerate((API, export)):
        path = tmp_path / f"{number}.csv"
        path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n", "utf-8")
        ledger = app.import_files("chicago/beach-weather", [path]).after
    assert ledger == Ledger(received=2, inserted=1, unchanged=1)
    with app.reader() as reader:
        found = rows(reader, "SELECT measure, value, unit, flags FROM readings ORDER BY measure")
        assert found == [
            ("air_temperature", 7.5, "°C", "fold"),
            ("total_rain", 12.1, "mm", "fold"),
            ("wind_speed", None, "m/s", "sentinel,fold"),
        ]
        assert rows(reader, "SELECT precipitation_type, observed_at FROM chicago_beach_weather") == [
            (60, datetime(2024, 11, 3, 6))
        ]


def test_a_roadside_row_is_published_in_utc_and_shown_on_the_city_s_clock(tmp_path: Path) -> None:
    path = tmp_path / "traffic.csv"
    header = "status,avgMeasuredTime,avgSpeed,extID,medianMeasuredTime,TIMESTAMP,vehicleCount,_id,REPORT_ID"
    first, again = "OK,74,50,9,73,2014-08-01T05:50:00,5,1,99", "OK,74,50,9,73,2014-08-01T05:50:00,5,2,99"
    path.write_text("\n".join([header, first, first, again]) + "\n", "utf-8")
    app = App(load({"data": str(tmp_path / "data")}, {}))
    assert app.import_files("aarhus/traffic", [path]).after == Ledger(received=3, inserted=1, unchanged=2)
    with app.reader() as reader:
        shown = "SELECT DISTINCT station, observed_local, observed_at, lat FROM readings"
        assert rows(reader, shown) == [("99", datetime(2014, 8, 1, 7, 50), datetime(2014, 8, 1, 5, 50), None)]
        assert rows(reader, "SELECT measure, value, unit FROM readings ORDER BY measure") == [
            ("average_measured_time", 74.0, "s"),
            ("average_speed", 50.0, "km/h"),
            ("median_measured_time", 73.0, "s"),
            ("vehicle_count", 5.0, "vehicles"),
        ]
