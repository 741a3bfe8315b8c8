"""Known streams through a log, typed rows and a store: what detectors that follow the store find, and what it costs.

The very files of the simulator are told to ``citystream detect stream``, and its alarms are told to the judge. Year 2
is judged. Streams have one record for each incident, as the simulator merges them; that others with several give the
same alerts is one of the bars. What was measured is written run by run, and what was interrupted goes on where it was.
Run: python -m benchmarks.detection.through_store [processes]
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from benchmarks.detection.bars import bars_of
from benchmarks.detection.known_streams import found_bursts, judged_file
from benchmarks.measuring import RESULTS, write
from tests.published import SHARED

_SIMULATOR = SHARED / "detection" / "evaluate.py"
_RESULT = RESULTS / "detection_through_store.json"
_DIRECTIONS = {"drift": "more", "drop": "fewer"}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """*detectors*, each at a *budget*, on a stream (``scenario:seed``, or ``scenario:seed:fault``).

    *form*: the stream has one record for each incident (``merged``), all of them (``records``), or of these the one
    that came first (``first``). *judged*: as what, and by the hours after a burst that still count.
    """

    stream: str
    detectors: tuple[str, ...]
    budget: float
    live: bool = False
    form: str = "merged"
    judged: tuple[tuple[str, float], ...] = (("cell", 5.0),)

    @property
    def name(self) -> Row:
        """What tells its rows from others."""
        told: Row = {"stream": self.stream, "detector": " + ".join(self.detectors), "budget": self.budget}
        return told | {"live": self.live, "form": self.form}


def _surge(stream: str, budget: float) -> Run:
    return Run(stream, ("surge",), budget)


_CITIES = tuple(f"{scenario}:{seed}" for scenario in ("crime", "hard") for seed in range(3))
_LIVE = Run("", ("surge",), 1.0, live=True, judged=(("cell", 5.0), ("cell", 53.0)))
_DRIFT = Run("", ("drift",), 0.5, judged=(("drift", 5.0), ("drop", 5.0)))
_SCAN = Run("", ("scan",), 1.0, judged=(("area", 5.0),))
_BOTH = Run("", ("surge", "scan"), 0.5, judged=(("both", 5.0),))
_ALL = (
    *(_surge(city, budget) for city in _CITIES for budget in (1.0, 5.0)),
    *(replace(_LIVE, stream=city) for city in _CITIES[:3]),
    *(replace(_surge("crime:0", budget), form="records") for budget in (1.0, 5.0)),
    replace(_surge("hard:0", 1.0), form="records"),
    *(replace(_LIVE, stream="crime:0", form=form) for form in ("records", "first")),
    *(replace(_DRIFT, stream=f"{city}:drop") for city in _CITIES[:5]),
    _surge("null:0", 2.0),
    *(replace(_SCAN, stream=city) for city in _CITIES),
    *(replace(_BOTH, stream=city) for city in _CITIES),
    *(_surge("calls:0", budget) for budget in (1.0, 5.0)),
)
#: One seed of all after the other, so that what was interrupted says something of each bar; the largest stream last.
RUNS = tuple(sorted(_ALL, key=lambda run: (run.stream.startswith("calls"), run.stream.split(":")[1])))


def said(*words: str) -> float:
    """Run a command as a process of its own; returns its CPU seconds. One that fails ends the benchmark."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    with TemporaryDirectory() as folder, Path(folder, "said").open("w+", encoding="utf-8") as told:
        process = subprocess.Popen([sys.executable, *words], stdout=told, stderr=told, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            raise SystemExit(told.read())
    return used.ru_utime + used.ru_stime


class Streams:
    """The simulator's files in a *folder*, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()

    def of(self, stream: str, form: str) -> Path:
        """The folder that has *stream* in one of the forms of `Run`."""
        place = self._folder / f"{stream}:{form}".replace(":", "-")
        with self._lock:
            if not place.exists():
                self._make(stream, form, place)
        return place

    def _make(self, stream: str, form: str, place: Path) -> None:
        scenario, seed, *faults = stream.split(":")
        asked = ["--scenario", scenario, "--seed", seed, "--out", str(place), *(f"--fault={each}" for each in faults)]
        said(str(_SIMULATOR), "stream", *asked, *(["--merged"] if form == "merged" else []))
        if form == "first":
            _keep_first(place / "events.csv")


def _keep_first(events: Path) -> None:
    """Leave in the file the record of each incident that was reported first."""
    with events.open(newline="") as read:
        rows = list(csv.DictReader(read))
    first: dict[str, dict[str, str]] = {}
    for row in rows:
        first.setdefault(row["incident_id"], row)
    _write_rows(events, list(rows[0]), first.values())


def measured(run: Run, streams: Streams) -> list[Row]:
    """What the judge says, and what it cost."""
    place, begun, spent = streams.of(run.stream, run.form), time.monotonic(), 0.0
    with TemporaryDirectory() as folder:
        alarms = [Path(folder, f"{detector}.csv") for detector in run.detectors]
        for detector, out in zip(run.detectors, alarms, strict=True):
            files = [str(place / "events.csv"), "--areas", str(place / "areas.csv"), "--out", str(out)]
            asked = ["--detector", detector, "--budget", str(run.budget), *(["--live"] if run.live else [])]
            spent += said("-m", "citystream.cli", "detect", "stream", *files, *asked)
        truth = json.loads((place / "truth.json").read_text("utf-8"))
        cost: Row = {"cpu_seconds": round(spent, 1), "seconds": round(time.monotonic() - begun, 1)}
        cost |= {"alarms": sha256(b"".join(each.read_bytes() for each in alarms)).hexdigest()[:12]}
        return [run.name | _judged(truth, alarms, kind, pad) | cost for kind, pad in run.judged]


def _judged(truth: Row, alarms: list[Path], kind: str, pad: float) -> Row:
    row: Row = {"judged": kind, "pad_hours": pad}
    if kind == "both":
        parts = list(zip(alarms, ("cell", "area"), strict=True))
        false = sum(judged_file(truth, path, of, pad)["false_episodes_a_week"] for path, of in parts)
        found = set[int]().union(*(found_bursts(truth, path, of) for path, of in parts))
        return row | {"false_a_week": round(false, 3), "found": len(found), "of": len(truth["bursts"])}
    path = _of_direction(alarms[0], _DIRECTIONS[kind]) if kind in _DIRECTIONS else alarms[0]
    told = judged_file(truth, path, kind, pad)
    row |= {"false_a_week": told["false_episodes_a_week"], "found": told["detected"], "of": told["of"]}
    row |= {"median_delay_h": told["median_delay_h"]}
    return row | ({"diffuse_found": told["diffuse_detected"], "diffuse": told["diffuse"]} if kind == "area" else {})


def _of_direction(alarms: Path, direction: str) -> Path:
    """The judge counts every alarm, so rises and falls are judged apart."""
    with alarms.open(newline="") as read:
        reader = csv.DictReader(read)
        rows = [row for row in reader if row["direction"] == direction]
        columns = list(reader.fieldnames or ())
    chosen = alarms.with_name(f"{direction}.csv")
    _write_rows(chosen, columns, rows)
    return chosen


def _write_rows(path: Path, columns: list[str], rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", newline="") as written:
        writer = csv.DictWriter(written, columns)
        writer.writeheader()
        writer.writerows(rows)


def _left(rows: list[Row]) -> list[Run]:
    done = [{name: row[name] for name in Run("", (), 0.0).name} for row in rows]
    return [run for run in RUNS if run.name not in done]


def _known() -> list[Row]:
    """The rows of a benchmark that was interrupted."""
    if not _RESULT.exists():
        return []
    found = json.loads(_RESULT.read_text("utf-8"))
    rows: list[Row] = found["rows"] if found.get("runs_left") else []
    return rows


def main(processes: int) -> None:
    """All runs that are left, so many at once; one that fails is left."""
    rows, failed = _known(), list[SystemExit]()
    with TemporaryDirectory() as folder, ThreadPoolExecutor(processes) as pool:
        streams = Streams(Path(folder))
        for done in as_completed([pool.submit(measured, run, streams) for run in _left(rows)]):
            try:
                rows += done.result()
            except SystemExit as failure:
                failed.append(failure)
            write(_RESULT.stem, {"runs_left": len(_left(rows)), "bars": bars_of(rows), "rows": rows})
    if failed:
        raise failed[0]


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 1)
