"""Known streams through a log, typed rows and a store: what detectors that follow the store find, and what it costs.

The very files of the simulator are told to ``citystream detect stream``, several records of an incident included, and
its alarms are told to the judge. Year 2 is judged. Run: python -m benchmarks.detection.through_store
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measuring import write
from tests.published import SHARED

_JUDGE = SHARED / "detection" / "evaluate.py"


@dataclass(frozen=True, slots=True)
class Run:
    """A *detector* at a *budget* on a stream (``scenario:seed``, or ``scenario:seed:fault``); *judged*: as what, and by
    the hours after a burst that still count.
    """

    stream: str
    detector: str
    budget: float
    live: bool = False
    judged: tuple[tuple[str, float], ...] = (("cell", 5.0),)


_DIRECTIONS = {"drift": "more", "drop": "fewer"}
_DRIFTS = tuple((kind, 5.0) for kind in _DIRECTIONS)
RUNS = (
    Run("crime:0", "surge", 1.0),
    Run("crime:0", "surge", 5.0),
    Run("crime:0", "surge", 1.0, True, (("cell", 5.0), ("cell", 53.0))),
    Run("crime:0:drop", "drift", 0.5, False, _DRIFTS),
)
LIMITS = {
    "surge, final": "B=1: 0.5-1.3 a week, >= 28.5 of 40, <= 5 h; B=5: 3.8-6.2 a week, >= 33.5; means over seeds",
    "surge, live": "B=1: 0.5-1.4 a week, >= 19 of 40; with second looks (53 h) >= 24",
    "drift": "<= 1 a week each; drift >= 8 of 10, <= 240 h; drop >= 7.5 of 10, <= 336 h; means over seeds",
    "cost": "<= 180 CPU seconds for two years",
}


def said(*words: str) -> str:
    """What a command prints, run as a process of its own; one that fails ends the benchmark."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def made(stream: str, folder: Path) -> Path:
    """The folder in *folder* that has *stream*."""
    scenario, seed, *faults = stream.split(":")
    place = folder / stream.replace(":", "-")
    if not place.exists():
        fault = [f"--fault={each}" for each in faults]
        said(str(_JUDGE), "stream", "--scenario", scenario, "--seed", seed, "--out", str(place), *fault)
    return place


def measured(run: Run, folder: Path) -> list[dict[str, Any]]:
    """What the judge says, and what it cost."""
    place, alarms = made(run.stream, folder), folder / "alarms.csv"
    files = [str(place / "events.csv"), "--areas", str(place / "areas.csv"), "--out", str(alarms), "--force"]
    asked = ["--detector", run.detector, "--budget", str(run.budget), *(["--live"] if run.live else [])]
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    said("-m", "citystream.cli", "detect", "stream", *files, *asked)
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cost = {"cpu_seconds": round(spent, 1), "seconds": round(seconds, 1)}
    return [_judged(run, place, alarms, kind, pad) | cost for kind, pad in run.judged]


def _judged(run: Run, place: Path, alarms: Path, kind: str, pad: float) -> dict[str, Any]:
    rows = _of_direction(alarms, _DIRECTIONS[kind]) if kind in _DIRECTIONS else alarms
    asked = [str(place / "truth.json"), str(rows), "--kind", kind, "--pad-h", str(pad)]
    found = json.loads(said(str(_JUDGE), "judge", *asked))
    keys = {
        "false_episodes_a_week": "false_a_week",
        "detected": "found",
        "of": "of",
        "median_delay_h": "median_delay_h",
    }
    row = {"stream": run.stream, "detector": run.detector, "budget": run.budget, "live": run.live}
    return row | {"judged": kind, "pad_hours": pad} | {short: found[long] for long, short in keys.items()}


def _of_direction(alarms: Path, direction: str) -> Path:
    """The judge counts every alarm, so rises and falls are judged apart."""
    chosen = alarms.with_name(f"{direction}.csv")
    with alarms.open(newline="") as read, chosen.open("w", newline="") as written:
        rows = csv.DictReader(read)
        writer = csv.DictWriter(written, rows.fieldnames or ())
        writer.writeheader()
        writer.writerows(row for row in rows if row["direction"] == direction)
    return chosen


def main() -> None:
    """All runs."""
    with TemporaryDirectory() as folder:
        rows = [row for run in RUNS for row in measured(run, Path(folder))]
    write("detection_through_store", {"limits": LIMITS, "rows": rows})


if __name__ == "__main__":
    main()
