"""Beach weather of Chicago 2015-2016 and a road in Aarhus 2014, as published, against SQL over the files alone."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from citystream.app import App
from citystream.cli.alert_explained import explained, show
from citystream.config import load
from citystream.detect.sensor import KINDS, Findings, Readings, Sensor
from citystream.ports import Ledger
from citystream.store.reader import Reader
from tests.published import SHARED, needs_shared

pytestmark = [needs_shared]

SENSORS = SHARED / "data" / "sensors"
BEACH = [SENSORS / f"chicago_beach_weather_stations_{year}.csv" for year in (2015, 2016)]
ROAD = [SENSORS / "citypulse_aarhus_traffic_158324.csv"]
#: What Foster has no sensors for.
NEVER_AT_FOSTER = {"wet_bulb_temperature", "rain_intensity", "total_rain", "heading"}
MEASURES = {
    "chicago/beach-weather": {
        *("air_temperature", "wet_bulb_temperature", "humidity", "rain_intensity", "interval_rain", "total_rain"),
        *("wind_direction", "wind_speed", "maximum_wind_speed", "barometric_pressure", "solar_radiation", "heading"),
        "battery_life",
    },
    "aarhus/traffic": {"vehicle_count", "average_speed", "average_measured_time", "median_measured_time"},
}
#: One statement for each publisher: (station, local time, measure, value), from nothing but the files.
RAW = {
    "chicago/beach-weather": """
        SELECT station_name AS station, strptime(measurement_timestamp, '%m/%d/%Y %I:%M:%S %p') AS observed_local,
          measure, CASE WHEN said <> '999.9' OR measure NOT LIKE '%wind_speed' THEN said::DOUBLE END AS value
        FROM (FROM raw UNPIVOT (said FOR measure IN (COLUMNS(* EXCLUDE (station_name, measurement_timestamp,
          precipitation_type, measurement_timestamp_label, measurement_id)))))""",
    "aarhus/traffic": """
        SELECT DISTINCT REPORT_ID AS station,
          timezone('Europe/Copenhagen', timezone('UTC', "TIMESTAMP"::TIMESTAMP)) AS observed_local,
          MAP {'avgSpeed': 'average_speed', 'vehicleCount': 'vehicle_count', 'avgMeasuredTime': 'average_measured_time',
            'medianMeasuredTime': 'median_measured_time'}[measure] AS measure, said::DOUBLE AS value
        FROM (FROM raw UNPIVOT (said FOR measure IN (avgSpeed, vehicleCount, avgMeasuredTime, medianMeasuredTime)))""",
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A store with all three files."""
    app = App(load({"data": str(tmp_path_factory.mktemp("sensors"))}, {}))
    assert app.import_files("chicago/beach-weather", BEACH).after == Ledger(received=37_677, inserted=37_677)
    # four rows are there twice, or three times
    assert app.import_files("aarhus/traffic", ROAD).after == Ledger(received=16_939, inserted=16_935, unchanged=4)
    with app.reader() as opened:
        yield opened


def rows(reader: Reader, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in reader.query(sql).to_pylist()]


def raw(dataset: str, files: Sequence[Path]) -> pa.Table:
    """What *files* say, by the publisher's statement alone."""
    with duckdb.connect() as engine:
        names = [str(path) for path in files]
        engine.sql(f"CREATE VIEW raw AS FROM read_csv({names}, all_varchar = true)")
        return engine.sql(RAW[dataset]).to_arrow_table()


@pytest.mark.parametrize(("dataset", "files"), [("chicago/beach-weather", BEACH), ("aarhus/traffic", ROAD)])
def test_the_view_is_what_one_statement_says_of_the_files(reader: Reader, dataset: str, files: list[Path]) -> None:
    expected = raw(dataset, files)
    found = reader.query(f"SELECT station, observed_local, measure, value FROM readings WHERE dataset = '{dataset}'")
    assert found.num_rows == expected.num_rows > 0
    assert set(found["measure"].to_pylist()) == MEASURES[dataset]
    with duckdb.connect() as engine:
        engine.register("found", found)
        engine.register("expected", expected)
        assert engine.execute("FROM found EXCEPT ALL FROM expected").fetchall() == []


def test_nothing_was_rejected_and_nothing_is_counted(reader: Reader) -> None:
    assert [rows(reader, f"FROM {table}") for table in ("rejects", "events", "daily", "sliding")] == [[]] * 4


def test_every_measurement_is_one_row_of_its_own_table(reader: Reader) -> None:
    counted = "SELECT count(*), count(DISTINCT event_id), count(DISTINCT (station, observed_local)) FROM "
    assert rows(reader, f"{counted} chicago_beach_weather") == [(37_677,) * 3]
    assert rows(reader, f"{counted} aarhus_traffic") == [(16_935,) * 3]


def test_foster_has_no_sensor_for_five_columns(reader: Reader) -> None:
    there = rows(reader, "SELECT DISTINCT measure FROM readings WHERE station = 'Foster Weather Station'")
    assert MEASURES["chicago/beach-weather"] - {measure for (measure,) in there} == NEVER_AT_FOSTER
    types = "SELECT station, count(precipitation_type) > 0 FROM chicago_beach_weather GROUP BY ALL ORDER BY ALL"
    assert [known for _, known in rows(reader, types)] == [True, False, True]


def test_a_wind_of_999_9_is_no_wind(reader: Reader) -> None:
    """Two hours of one winter day; the file's numbers stay in the table that shows them as published."""
    odd = "SELECT measure, hour(observed_local), value FROM readings WHERE contains(flags, 'sentinel') ORDER BY ALL"
    assert rows(reader, odd) == [
        (name, hour, None) for name in ("maximum_wind_speed", "wind_speed") for hour in (12, 13)
    ]
    assert rows(reader, "SELECT max(value) FROM readings WHERE measure = 'wind_speed'") == [(17.2,)]
    assert rows(reader, "SELECT max(wind_speed) FROM chicago_beach_weather") == [(999.9,)]
    pressure = "SELECT count(*), count(flags) FROM readings WHERE measure = 'barometric_pressure' AND value = 999.9"
    assert rows(reader, pressure) == [(110, 0)]


def test_a_december_hour_of_63_mm_is_kept_and_flagged(reader: Reader) -> None:
    odd = "SELECT measure, value, unit FROM readings WHERE contains(flags, 'implausible') ORDER BY observed_at"
    assert rows(reader, odd) == [("interval_rain", value, "mm") for value in (55.58, 63.42, 56.77)]


def test_a_little_below_zero_is_night_and_not_implausible(reader: Reader) -> None:
    night = "SELECT count(*), min(value), count(flags) FROM readings WHERE measure = 'solar_radiation' AND value < 0"
    assert rows(reader, night) == [(1_378, -5.0, 0)]


def test_total_rain_counts_up_and_is_reset(reader: Reader) -> None:
    """A counter that is reset: it is said to begin at midnight, and reached 1,056 mm."""
    steps = (
        "SELECT value - lag(value) OVER (PARTITION BY station ORDER BY observed_at) AS step FROM readings "
        "WHERE measure = 'total_rain'"
    )
    counted = f"SELECT count(*) FILTER (step < 0) BETWEEN 20 AND 400, count(*) FILTER (step > 0) > 1000 FROM ({steps})"
    assert rows(reader, counted) == [(True, True)]


def test_the_days_on_which_clocks_change(reader: Reader) -> None:
    """No row in the hour that is not; one station has one row in the hour that comes twice, taken as the first."""
    assert rows(reader, "SELECT count(*) FROM chicago_beach_weather WHERE contains(time_flags, 'gap')") == [(0,)]
    twice = "SELECT station, observed_local::VARCHAR, observed_at::VARCHAR FROM chicago_beach_weather"
    assert rows(reader, f"{twice} WHERE time_flags = 'fold'") == [
        ("Oak Street Weather Station", "2016-11-06 01:00:00", "2016-11-06 06:00:00")
    ]
    around = (
        "SELECT observed_local::TIME::VARCHAR, observed_at::TIME::VARCHAR FROM chicago_beach_weather WHERE "
        "station[:3] = 'Oak' AND observed_local BETWEEN '2016-11-06' AND '2016-11-06 02:00' ORDER BY observed_at"
    )
    assert rows(reader, around) == [("00:00:00", "05:00:00"), ("01:00:00", "06:00:00"), ("02:00:00", "08:00:00")]


def test_the_road_is_busiest_when_people_go_to_work_and_home(reader: Reader) -> None:
    """Which is why its times are taken for UTC: as Danish time the peaks would be at 5 and at 14."""
    busy = (
        "SELECT hour(observed_local) AS hour FROM readings WHERE measure = 'vehicle_count' "
        "AND isodow(observed_local) < 6 GROUP BY hour HAVING {half} ORDER BY avg(value) DESC LIMIT 1"
    )
    assert rows(reader, busy.format(half="hour < 12")) == [(7,)]
    assert rows(reader, busy.format(half="hour >= 12")) in ([(15,)], [(16,)])


def test_as_of_the_first_file_is_a_store_of_the_first_file(reader: Reader) -> None:
    then = "SELECT count(*), max(year(observed_local)) FROM chicago_beach_weather"
    assert [tuple(row.values()) for row in reader.query(then, "chicago/beach-weather@13990").to_pylist()] == [
        (13_991, 2015)
    ]


def _beach(station: str, column: str, impossible: float) -> Readings:
    """A series from the files alone: the wall clock of Chicago, the last row of a moment, no sentinels."""
    found: dict[int, tuple[int, float]] = {}
    for path in BEACH:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if row["station_name"] == station and row[column] and float(row[column]) != impossible:
                    local = datetime.strptime(row["measurement_timestamp"], "%m/%d/%Y %I:%M:%S %p")
                    second = int(local.replace(tzinfo=ZoneInfo("America/Chicago")).timestamp())
                    found[second] = (local.hour * 2 + local.minute // 30, float(row[column]))
    time = np.array(sorted(found), np.int64)
    slot, value = zip(*(found[each] for each in time.tolist()), strict=True)
    return Readings(time, np.array(slot, np.int64), np.array(value))


def _first_of(found: Findings, kind: str) -> list[datetime]:
    """When each alert of *kind* begins: findings at most five hours apart are one."""
    times = found.time[found.kind == KINDS.index(kind)].tolist()
    begun = [time for before, time in pairwise([-(10**9), *times]) if time - before > 5 * 3600]
    return [datetime.fromtimestamp(time, UTC).replace(tzinfo=None) for time in begun]


@pytest.mark.parametrize(
    ("station", "measure", "impossible", "spikes"),
    [
        ("63rd Street Weather Station", "air_temperature", 999.0, 19),
        ("Oak Street Weather Station", "wind_speed", 999.9, 9),
        ("Foster Weather Station", "humidity", 999.0, 28),
    ],
)
def test_alerts_of_beach_weather_are_those_of_the_series_in_the_files(
    reader: Reader, station: str, measure: str, impossible: float, spikes: int
) -> None:
    found = Sensor(3600).take(_beach(station, measure, impossible))
    sql = (
        "SELECT reason, episode::TIMESTAMP - INTERVAL 1 HOUR AS begun FROM alerts WHERE status = 'active' "
        f"AND district = '{station}' AND type = '{measure}' ORDER BY episode"
    )
    rows = reader.query(sql).to_pylist()
    for kind in KINDS:
        assert [row["begun"] for row in rows if row["reason"] == kind] == _first_of(found, kind)
    assert sum(row["reason"] == "spike" for row in rows) == spikes
    # no more than one in four weeks, of 84 weeks in which it said something
    assert spikes <= 84 / 4 * 1.4


def test_alerts_about_readings_have_the_value_and_what_is_usual(reader: Reader) -> None:
    """At Oak Street it was 27 degrees in the evening of 26 May 2016, and an hour later 19: wind from the lake."""
    sql = (
        "SELECT a.*, r.value, (SELECT value FROM readings WHERE station = a.district AND measure = a.type "
        "AND observed_at = a.window_start - INTERVAL 1 HOUR) AS before FROM alerts a "
        "JOIN readings r ON r.station = a.district AND r.measure = a.type AND r.observed_at = a.window_start "
        "WHERE a.reason = 'spike'"
    )
    rows = reader.query(sql).to_pylist()
    assert {row["kind"] for row in rows} == {"reading"}
    for row in rows:
        assert row["observed"] == row["value"]
        assert row["lo95"] < row["expected"] < row["hi95"]
        assert not row["lo95"] <= row["observed"] <= row["hi95"]
        assert row["window_end"] - row["window_start"] in (timedelta(hours=1), timedelta(minutes=5))
    cold = [
        row for row in rows if row["window_start"] == datetime(2016, 5, 27, 1) and row["district"].startswith("Oak")
    ]
    assert [(row["type"], row["observed"], row["direction"]) for row in cold] == [("air_temperature", 18.6, "fewer")]
    assert cold[0]["before"] == pytest.approx(27.2, abs=1.5)


def test_counts_and_directions_are_not_watched(reader: Reader) -> None:
    watched = {row["type"] for row in reader.query("SELECT DISTINCT type FROM alerts").to_pylist()}
    assert watched == {
        *("air_temperature", "humidity", "wind_speed", "barometric_pressure", "battery_life", "average_speed")
    }


def test_an_alert_is_explained_by_its_readings(reader: Reader) -> None:
    sql = (
        "SELECT alert_id FROM alerts WHERE window_start = TIMESTAMP '2016-05-27 01:00' AND starts_with(district, 'Oak')"
    )
    found = explained(reader, reader.query(sql)["alert_id"][0].as_py())
    assert str(found["sentence"]).startswith(
        "air_temperature at Oak Street Weather Station, 2016-05-26 20:00 to 2016-05-26 21:00: 18.6 °C; expected 27.2 "
        "°C (95 % range 25.4 to 29.1); as rare as once in "
    )
    records = found["records"]
    assert isinstance(records, list)
    assert [(row["value"], row["unit"]) for row in records] == [(18.6, "°C")]
    show(found)
