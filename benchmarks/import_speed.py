"""How many CPU seconds an import costs beside DuckDB reading the same file with the same casts into a table.

``casts``: the same typed columns (keys, row hashes, reasons, places and instants included) in one CREATE TABLE AS;
``plain``: nothing but casts of the published columns and the instants. Each run is a process of its own; the three
take turns, and the smallest of each counts. Run: python -m benchmarks.import_speed
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv

from benchmarks.measuring import WORK, apart, cpu_seconds, peak_mib, write
from benchmarks.rows import chicago_csv
from citystream.app import App
from citystream.catalog.library import load_library
from citystream.config import load
from citystream.conform.mapping import Selection, named_columns
from citystream.conform.texts import Inputs, folded

DATASET = "chicago/crimes"
STAMP = "'%m/%d/%Y %I:%M:%S %p'"
PLAIN = f"""SELECT try_cast("ID" AS BIGINT) AS id, "Case Number", try_strptime("Date", {STAMP}) AS occurred_local,
  "Block", "IUCR", "Primary Type", "Description", "Location Description", try_cast("Arrest" AS BOOLEAN) AS arrest,
  try_cast("Domestic" AS BOOLEAN) AS domestic, "Beat", "District", try_cast("Ward" AS BIGINT) AS ward,
  try_cast("Community Area" AS BIGINT) AS area, "FBI Code", try_cast("X Coordinate" AS DOUBLE) AS x,
  try_cast("Y Coordinate" AS DOUBLE) AS y, try_strptime("Updated On", {STAMP}) AS updated,
  try_cast("Latitude" AS DOUBLE) AS lat, try_cast("Longitude" AS DOUBLE) AS lon
  FROM read_csv('{{path}}', all_varchar = true)"""


def same_casts(path: Path) -> str:
    """The SELECT that `conform` runs, over the file itself."""
    dataset = load_library().get(DATASET)
    place = {column: f"c{number}" for number, column in enumerate(named_columns(dataset))}
    header = pyarrow.csv.open_csv(path).schema.names
    short = {folded(name): place[folded(name)] for name in header if folded(name) in place}
    published = ", ".join(f'"{name}" AS {short[folded(name)]}' for name in header if folded(name) in short)
    source = f"(SELECT \"ID\" AS id, {published} FROM read_csv('{path}', all_varchar = true)) source"
    sql = Selection(dataset, Inputs(short, dataset.missing), "source", gone=False, unreadable=False).sql()
    before, _, after = sql.rpartition("FROM source")
    return f"SELECT * EXCLUDE (t_when, gone, detail) FROM ({before} FROM {source}{after})"


def with_instants(select: str) -> str:
    """*select* with the instant of each local time."""
    return f"SELECT *, timezone('UTC', timezone('America/Chicago', occurred_local)) AS occurred_at FROM ({select})"


def read_by_duckdb(select: str) -> None:
    """CREATE TABLE AS into a fresh file."""
    path = WORK / "baseline.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path), config={"threads": 2}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"CREATE TABLE t AS {select}")
        connection.execute("CHECKPOINT")


def import_it(path: Path) -> None:
    """`citystream import` into a fresh folder: log, events, windows, alerts."""
    folder = WORK / "import"
    shutil.rmtree(folder, ignore_errors=True)
    App(load({"data": str(folder)}, {})).import_files(DATASET, [path])


def one(what: str) -> None:
    """One measurement, as JSON."""
    path, _ = chicago_csv()
    pa.array(["warm"])
    if what == "citystream":
        seconds = cpu_seconds(lambda: import_it(path))
    else:
        select = same_casts(path) if what == "casts" else PLAIN.format(path=path)
        seconds = cpu_seconds(lambda: read_by_duckdb(with_instants(select)))
    print(json.dumps({"cpu": seconds, "peak_mib": peak_mib()}))


def main() -> None:
    """Take turns, and write the ratios down."""
    path, rows = chicago_csv()
    count = duckdb.sql(f"SELECT count(*) FROM read_csv('{path}', all_varchar = true)").fetchall()[0][0]
    runs = [
        {what: apart("benchmarks.import_speed", what) for what in ("plain", "casts", "citystream")} for _ in range(3)
    ]
    best = {what: min(run[what]["cpu"] for run in runs) for what in runs[0]}
    figures = {
        "rows": f"{count:,} ({rows})",
        "cpu_seconds": {what: round(seconds, 2) for what, seconds in best.items()},
        "citystream_to_same_casts": round(best["citystream"] / best["casts"], 2),
        "citystream_to_plain_casts": round(best["citystream"] / best["plain"], 2),
        "events_per_cpu_second": round(count / best["citystream"]),
        "peak_mib": max(run["citystream"]["peak_mib"] for run in runs),
        "limit": "citystream_to_same_casts <= 2",
    }
    write("import_speed", figures)


if __name__ == "__main__":
    one(sys.argv[1]) if len(sys.argv) > 1 else main()
