"""Synthetic ``aarhus/traffic``: what pairs of detectors count in five minutes, to be had as a file only."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citystream.simulate import columns, sheet, ticks, zones
from citystream.simulate.draws import Draws, scattered
from citystream.simulate.occurrences import MINUTES_A_DAY, Occurrences
from citystream.simulate.sheet import Columns

DATASET = "aarhus/traffic"
TYPES = {
    "status": "text", "avgMeasuredTime": "number", "avgSpeed": "number", "extID": "text",
    "medianMeasuredTime": "number", "TIMESTAMP": "calendar_date", "vehicleCount": "number", "_id": "number",
    "REPORT_ID": "text",
}  # fmt: skip
_ROADS = 3
_BY_HOUR = (2.0, 1, 1, 1, 2, 8, 16, 22, 18, 14, 14, 15, 15, 16, 19, 22, 20, 14, 10, 8, 6, 5, 4, 3)
_KM_H = (50, 68, 42)
_METRES = (1010, 2300, 640)


def _draw(draws: Draws, found: Occurrences) -> Columns:
    n, road = len(found), found.area
    busy = ticks.curve(found.minute, MINUTES_A_DAY, _BY_HOUR) * (1 + 0.25 * draws.bell(n)) * (0.6 + road * 0.4)
    count = np.maximum(0, busy).astype(np.int64)
    speed = np.maximum(5, np.array(_KM_H)[road] - count // 3 + draws.below(n, 9))
    time = np.array(_METRES)[road] * 36 // (speed * 10)
    return {
        "minute": found.minute, "first": found.minute // MINUTES_A_DAY + 1, "road": road, "count": count,
        "speed": speed, "time": time, "median": time + draws.below(n, 3) - 1,
    }  # fmt: skip


def _write(record: Columns) -> dict[str, pa.Array]:
    road = record["road"]
    return {
        "status": columns.words(np.minimum(scattered(record["number"], 3) % 900, 1), ["ERROR", "OK"]),
        "avgMeasuredTime": columns.numbers(record["time"]), "avgSpeed": columns.numbers(record["speed"]),
        "extID": columns.numbers(700 + road * 11), "medianMeasuredTime": columns.numbers(record["median"]),
        "TIMESTAMP": pc.utf8_slice_codeunits(columns.floating(record["minute"] * zones.MINUTE), 0, 19),
        "vehicleCount": columns.numbers(record["count"]), "_id": columns.numbers(900_000 + record["number"]),
        "REPORT_ID": columns.numbers(190_001 + road * 13),
    }  # fmt: skip


SHEET = sheet.Sheet(
    DATASET, "Road traffic", (), TYPES, "TIMESTAMP",
    ticks.Ticks(DATASET, 5, _ROADS, 0.97).month, _draw, _write, sheet.daily("Europe/Copenhagen", 3), "_id", gone=0.0,
)  # fmt: skip
