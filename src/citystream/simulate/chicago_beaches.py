"""Synthetic ``chicago/beach-weather``: three stations on the lakefront, every hour, with gaps and broken sensors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from citystream.simulate import columns, sheet, ticks, zones
from citystream.simulate.draws import Draws
from citystream.simulate.occurrences import MINUTES_A_DAY, Occurrences
from citystream.simulate.sheet import Columns

Integers = npt.NDArray[np.int64]

DATASET, ZONE = "chicago/beach-weather", "America/Chicago"
#: Measures, and with how many decimals each is published.
_PLACES = {
    "air_temperature": 2, "wet_bulb_temperature": 1, "humidity": 0, "rain_intensity": 1, "interval_rain": 1,
    "total_rain": 1, "precipitation_type": 0, "wind_direction": 0, "wind_speed": 1, "maximum_wind_speed": 1,
    "barometric_pressure": 1, "solar_radiation": 0, "heading": 0, "battery_life": 1,
}  # fmt: skip
TYPES = {
    "station_name": "text", "measurement_timestamp": "calendar_date", **dict.fromkeys(_PLACES, "number"),
    "measurement_timestamp_label": "text", "measurement_id": "text",
}  # fmt: skip
_STATIONS = ("63rd Street", "Foster", "Oak Street")
_FOSTER = 1
_NOT_AT_FOSTER = ("wet_bulb_temperature", "rain_intensity", "total_rain", "precipitation_type", "heading")
_BY_MONTH = (-40.0, -20, 40, 90, 150, 210, 245, 240, 200, 130, 60, -10)  # tenths of a degree
_BY_HOUR = (-20.0, -25, -28, -30, -28, -15, 0, 12, 20, 26, 28, 30, 30, 28, 26, 22, 16, 8, 2, -4, -8, -12, -15, -18)
_SUN = (0.0,) * 6 + (40, 160, 330, 500, 640, 720, 740, 700, 590, 430, 250, 110, 30) + (0.0,) * 5
_YEAR, _WEATHER = 525_960, 7 * 1440  # minutes
_STUCK = 9_999  # tenths: what a broken anemometer says


def _draw(draws: Draws, found: Occurrences) -> Columns:
    n, at = len(found), found.minute
    # weather comes and goes within days; which one it is follows from the month's own draws
    mood = ticks.curve(at, _WEATHER, tuple((draws.bell(14) * 35).tolist()))
    air = ticks.curve(at, _YEAR, _BY_MONTH) + ticks.curve(at, MINUTES_A_DAY, _BY_HOUR) + mood + draws.bell(n) * 6
    raining = draws.chance(n, np.where(mood < -15, 0.25, 0.02))
    rain = np.where(raining, draws.spread(n, (1, 3, 8, 20, 60, 400)), 0)
    wind = np.abs(draws.spread(n, (0, 10, 20, 30, 45, 60, 130)))
    cold = air < 5
    drawn = {
        "air_temperature": air * 10 + draws.below(n, 10), "wet_bulb_temperature": air - 10 - draws.below(n, 25),
        "humidity": 55 - mood / 4 + draws.below(n, 25), "rain_intensity": rain * 1.6, "interval_rain": rain,
        "total_rain": _since_reset(found, rain), "precipitation_type": np.where(raining, np.where(cold, 70, 60), 0),
        "wind_direction": draws.below(n, 360), "wind_speed": np.where(draws.chance(n, 0.0006), _STUCK, wind),
        "maximum_wind_speed": wind * 1.4, "barometric_pressure": 9_950 + mood + draws.below(n, 60),
        "solar_radiation": ticks.curve(at, MINUTES_A_DAY, _SUN) * draws.unit(n) - draws.below(n, 6),
        "heading": 352 + draws.below(n, 8), "battery_life": 118 + draws.below(n, 6),
    }  # fmt: skip
    whole = {name: np.clip(values, -9_999, 99_999).astype(np.int64) for name, values in drawn.items()}
    whole["humidity"] = np.clip(whole["humidity"], 0, 100)
    blank = draws.chance(n, 0.003).astype(np.int64)
    return {"minute": at, "first": at // 60 + 1, "station": found.area, "blank": blank, **whole}


def _since_reset(found: Occurrences, rain: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A sum for each station that begins anew each month."""
    total = np.zeros(len(rain))
    for station in range(len(_STATIONS)):
        here = found.area == station
        total[here] = np.cumsum(np.floor(rain[here]))
    return total


def _write(record: Columns) -> dict[str, pa.Array]:
    station, foster, minute = record["station"], record["station"] == _FOSTER, record["minute"]
    measures = {}
    for name, places in _PLACES.items():
        text = columns.decimal(record[name], places) if places else columns.numbers(record[name])
        absent = foster if name in _NOT_AT_FOSTER else record["blank"] == 1
        measures[name] = columns.blanked(text, absent)
    day = columns.dates(minute // MINUTES_A_DAY)
    return {
        "station_name": columns.words(station, [f"{name} Weather Station" for name in _STATIONS]),
        "measurement_timestamp": columns.floating(minute * zones.MINUTE),
        "measurement_timestamp_label": pc.strftime(
            pa.array(minute * 60, pa.timestamp("s")), format="%m/%d/%Y %I:%M %p"
        ),
        "measurement_id": columns.joined(
            columns.words(station, [f"{name.replace(' ', '')}WeatherStation" for name in _STATIONS]),
            pc.replace_substring(day, "-", ""),
            # midnight is hour 24 of the day that begins
            columns.padded((minute // 60 + 23) % 24 + 1, 2), "00",
        ),
        **measures,
    }  # fmt: skip


def _published(hour: Integers) -> Integers:
    """An hour and some minutes later; the clock on the wall as if it were winter all year."""
    return np.asarray(hour * zones.HOUR + 6 * zones.HOUR + 12 * zones.MINUTE)


SHEET = sheet.Sheet(
    DATASET, "Beach Weather Stations - Automated Sensors", (sheet.Part("k7hf-8y75"),), TYPES, "measurement_timestamp",
    ticks.Ticks(DATASET, 60, len(_STATIONS), 0.985, ZONE).month, _draw, _write, _published, "measurement_id",
    (sheet.Revision("blank", 0.003, lambda draws, drawn: 1 - drawn["blank"], (2, 5, 30)),),
)  # fmt: skip
