"""The published series of readings, one measure of one station each; sentinels are left out, repeats the last word."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache

import numpy as np

from citystream.detect.sensor import Readings
from tests.published import SHARED

Row = tuple[datetime, float]
HOUR = 3600
_FOLDER = SHARED / "data" / "sensors"
_AIR = {"T": 12, "RH": 13, "CO sensor": 3, "NO2 sensor": 10}
_BEACH = {"temperature": "air_temperature", "humidity": "humidity", "wind": "wind_speed"}


def _air(column: int) -> Iterator[Row]:
    with (_FOLDER / "AirQualityUCI.csv").open(newline="") as file:
        for row in csv.reader(file, delimiter=";"):
            if row[0] not in {"", "Date"} and row[column] != "-200":
                value = float(row[column].replace(",", "."))
                if value != -200:
                    yield datetime.strptime(row[0] + row[1], "%d/%m/%Y%H.%M.%S"), value


def _beach(column: str) -> Iterator[Row]:
    for year in (2015, 2016):
        with (_FOLDER / f"chicago_beach_weather_stations_{year}.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                if row["station_name"].startswith("63rd") and row[column] not in {"", "999.9"}:
                    yield datetime.strptime(row["measurement_timestamp"], "%m/%d/%Y %I:%M:%S %p"), float(row[column])


def _plain(name: str, time: str, column: str) -> Iterator[Row]:
    with (_FOLDER / name).open(newline="") as file:
        for row in csv.DictReader(file):
            yield datetime.fromisoformat(row[time]), float(row[column])


def _readings(rows: Iterator[Row]) -> Readings:
    """Local times are taken as they are: what matters here is the distance between them."""
    last = {int(time.replace(tzinfo=UTC).timestamp()): value for time, value in rows}
    time = np.array(sorted(last), np.int64)
    return Readings(time, time % 86_400 // 1800, np.array([last[each] for each in time.tolist()]))


#: Series of an hour; and of five minutes.
HOURLY: dict[str, Callable[[], Iterator[Row]]] = {
    **{f"air quality {name}": (lambda column=column: _air(column)) for name, column in _AIR.items()},
    **{f"63rd street {name}": (lambda column=column: _beach(column)) for name, column in _BEACH.items()},
}
FIVE_MINUTES: dict[str, Callable[[], Iterator[Row]]] = {
    "aarhus speed": lambda: _plain("citypulse_aarhus_traffic_158324.csv", "TIMESTAMP", "avgSpeed"),
    "minnesota speed": lambda: _plain("mndot_speed_6005.csv", "timestamp", "value"),
    "minnesota occupancy": lambda: _plain("mndot_occupancy_6005.csv", "timestamp", "value"),
}


@cache
def published(name: str) -> Readings:
    """A series by name."""
    return _readings((HOURLY | FIVE_MINUTES)[name]())
