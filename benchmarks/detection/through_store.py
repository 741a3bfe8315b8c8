"""Known streams through a log, typed rows and a store: what detectors that follow the store find, and what it costs.

The very files of the simulator are told to ``citystream detect stream``, several records of an incident included, and
its alarms are told to the judge. Year 2 is judged. Run: python -m benchmarks.detection.through_store
"""

from __future__ import annotations

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
    """A *detector* at a *budget* on a stream (``scenario:seed``); *pads*: hours after a burst that still count."""

    stream: str
    detector: str
    budget: float
    live: bool = False
    pads: tuple[float, ...] = (5.0,)


RUNS = (Run("crime:0", "surge", 1.0), Run("crime:0", "surge", 5.0), Run("crime:0", "surge", 1.0, True, (5.0, 53.0)))
LIMITS = {
    "final": "B=1: 0.5-1.3 a week, >= 28.5 of 40, <= 5 h; B=5: 3.8-6.2 a week, >= 33.5",
    "live": "B=1: 0.5-1.4 a week, >= 19 of 40; with second looks (53 h) >= 24",
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
    scenario, _, seed = stream.partition(":")
    place = folder / f"{scenario}-{seed}"
    if not place.exists():
        said(str(_JUDGE), "stream", "--scenario", scenario, "--seed", seed, "--out", str(place))
    return place


def measured(run: Run, folder: Path) -> list[dict[str, Any]]:
    """What the judge says, for each pad."""
    place, alarms = made(run.stream, folder), folder / "alarms.csv"
    files = [str(place / "events.csv"), "--areas", str(place / "areas.csv"), "--out", str(alarms), "--force"]
    asked = ["--detector", run.detector, "--budget", str(run.budget), *(["--live"] if run.live else [])]
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    said("-m", "citystream.cli", "detect", "stream", *files, *asked)
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [
        _judged(run, place, alarms, pad) | {"cpu_seconds": round(spent, 1), "seconds": round(seconds, 1)}
        for pad in run.pads
    ]


def _judged(run: Run, place: Path, alarms: Path, pad: float) -> dict[str, Any]:
    found = json.loads(said(str(_JUDGE), "judge", str(place / "truth.json"), str(alarms), "--pad-h", str(pad)))
    keys = {
        "false_episodes_a_week": "false_a_week",
        "detected": "found",
        "of": "of",
        "median_delay_h": "median_delay_h",
    }
    row = {"stream": run.stream, "detector": run.detector, "budget": run.budget, "live": run.live, "pad_hours": pad}
    return row | {short: found[long] for long, short in keys.items()}


def main() -> None:
    """All runs."""
    with TemporaryDirectory() as folder:
        rows = [row for run in RUNS for row in measured(run, Path(folder))]
    write("detection_through_store", {"limits": LIMITS, "rows": rows})


if __name__ == "__main__":
    main()
