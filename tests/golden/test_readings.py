"""Beach weather of Chicago 2015-2016 and a road in Aarhus 2014, as published, against SQL over the files alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from citystream.app import App
from citystream.config import load
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
