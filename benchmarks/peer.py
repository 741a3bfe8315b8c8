"""Events per CPU second beside the pandas consumer that such feeds are usually read with.

The peer does what the published Toronto bicycle pipeline does between its broker and its database: one JSON message a
row, collected in a list, made a DataFrame, cleaned column by column, written as CSV; no windows, no alerts, no
revisions. Its broker and the client's own work are left out, in its favour. citystream imports the same rows from a
file: log, events, windows, alerts. Each run is a process of its own; they take turns. Run: python -m benchmarks.peer
"""

from __future__ import annotations

import csv
import json
import sys
from itertools import islice
from pathlib import Path

import pandas as pd

from benchmarks.import_speed import import_it
from benchmarks.measuring import WORK, apart, cpu_seconds, write
from benchmarks.rows import chicago_csv

ROWS = 400_000
DATES = ("date", "updated_on")
NUMBERS = ("id", "ward", "community_area", "x_coordinate", "y_coordinate", "latitude", "longitude")
TEXTS = (
    "case_number",
    "block",
    "iucr",
    "primary_type",
    "description",
    "location_description",
    "beat",
    "district",
    "fbi_code",
)


def messages(path: Path) -> list[bytes]:
    """What the producer sends: every row as a JSON object of strings."""
    with path.open(encoding="utf-8") as file:
        return [json.dumps({k: v or "" for k, v in row.items()}).encode() for row in csv.DictReader(file)]


def consume(received: list[bytes]) -> None:
    """The consumer: collect, frame, clean, write."""
    frame = pd.DataFrame([json.loads(message.decode("utf-8")) for message in received])
    frame.columns = frame.columns.str.strip().str.lower().str.replace(" ", "_")
    for name in DATES:
        frame[name] = pd.to_datetime(frame[name], errors="coerce")
    for name in NUMBERS:
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    for name in TEXTS:
        frame[name] = frame[name].astype(str).str.strip().str.upper()
    frame = frame.dropna(subset=["date"]).dropna(subset=["latitude", "longitude"]).drop_duplicates()
    frame.isnull().sum()
    frame.to_csv(WORK / "peer.csv", index=False)


def part(path: Path) -> Path:
    """The first rows of *path* as a file."""
    short = WORK / "peer-rows.csv"
    with path.open(encoding="utf-8") as whole, short.open("w", encoding="utf-8") as out:
        out.writelines(islice(whole, ROWS + 1))
    return short


def one(what: str) -> None:
    """One measurement, as JSON."""
    path = WORK / "peer-rows.csv"
    if what == "peer":
        received = messages(path)
        print(json.dumps({"cpu": cpu_seconds(lambda: consume(received))}))
    else:
        print(json.dumps({"cpu": cpu_seconds(lambda: import_it(path))}))


def main() -> None:
    """Take turns, and write the ratio down."""
    part(chicago_csv()[0])
    runs = [{what: apart("benchmarks.peer", what)["cpu"] for what in ("peer", "citystream")} for _ in range(3)]
    best = {what: min(run[what] for run in runs) for what in runs[0]}
    figures = {
        "rows": ROWS,
        "events_per_cpu_second": {what: round(ROWS / seconds) for what, seconds in best.items()},
        "citystream_to_peer": round(best["peer"] / best["citystream"], 1),
    }
    write("peer", figures)


if __name__ == "__main__":
    one(sys.argv[1]) if len(sys.argv) > 1 else main()
