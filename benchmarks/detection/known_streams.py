"""Streams with known answers, and their judge: the simulator that is beside the published files.

`sim.py` and `evaluate.py` are found under CITYSTREAM_SHARED or ``../shared``; nothing of them is copied.
"""

from __future__ import annotations

import csv
import importlib
import json
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.published import SHARED

SLOTS = 48
YEAR = 365
_JUDGING = Lock()
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stream:
    """One record per incident: half-hour *slot* of occurrence and of report, cell = district * types + type, beat,
    and whether only the day is known."""

    slot: Integers
    reported: Integers
    cell: Integers
    beat: Integers
    day_only: npt.NDArray[np.bool_]
    beat_places: npt.NDArray[np.float64]
    districts: int
    types: int
    slots: int
    start: np.datetime64
    truth: dict[str, Any]

    @property
    def days(self) -> int:
        """How many days it has."""
        return self.slots // SLOTS

    def calendar(self, day: int) -> tuple[int, bool]:
        """Weekday (Monday 0) and whether it is the first of a month."""
        at = self.start + day
        return int((at.astype("int64") + 3) % 7), bool(at == at.astype("datetime64[M]"))

    def panes(self) -> npt.NDArray[np.int16]:
        """Counts by slot and cell."""
        counts = np.zeros((self.slots, self.districts * self.types), np.int16)
        np.add.at(counts, (self.slot, self.cell), 1)
        return counts


def _shared(name: str) -> ModuleType:
    folder = str(SHARED / "detection")
    if not Path(folder, f"{name}.py").is_file():
        raise SystemExit(f"{folder}/{name}.py is not there; set CITYSTREAM_SHARED to the folder that has detection/")
    sys.dont_write_bytecode = True
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


@lru_cache(maxsize=1)
def stream(scenario: str, seed: int, fault: str | None = None) -> Stream:
    """The merged stream, made anew."""
    sim, evaluate = _shared("sim"), _shared("evaluate")
    made = sim.dedupe(sim.simulate(seed, **evaluate.SCENARIOS[scenario]))
    kept, day_only, done = np.ones(len(made["slot"]), bool), np.zeros(len(made["slot"]), bool), []
    if fault:
        kept, day_only, done = evaluate.faults(made, fault, np.random.default_rng(seed + 7))
    sizes = {name: made[name] for name in ("NK", "ND", "T")}
    truth = {"scenario": scenario, "seed": seed, "fault": fault, "done": done, "start": str(sim.START), **sizes}
    truth |= {"types": [each[0] for each in sim.TYPES], "bursts": made["truth"], "drifts": made["drifts"]}
    columns = {name: made[name][kept].astype(np.int64) for name in ("slot", "report", "district", "type", "beat")}
    cell = columns["district"] * made["NK"] + columns["type"]
    return Stream(
        slot=columns["slot"],
        reported=columns["report"],
        cell=cell,
        beat=columns["beat"],
        day_only=day_only[kept],
        beat_places=made["beat_xy"],
        districts=made["ND"],
        types=made["NK"],
        slots=made["T"],
        start=sim.START,
        truth=truth,
    )


def judged(
    of: Stream, alarms: Iterable[tuple[int, int, str]], kind: str = "cell", pad_hours: float = 5.0
) -> dict[str, Any]:
    """What the judge says of *alarms*: (slot after the window, cell, beats "1 2 3" or nothing), one for each slide."""
    with TemporaryDirectory() as folder:
        rows = Path(folder, "alarms.csv")
        _write_alarms(of, alarms, rows)
        return judged_file(of.truth, rows, kind, pad_hours)


def judged_file(truth: dict[str, Any], alarms: Path, kind: str = "cell", pad_hours: float = 5.0) -> dict[str, Any]:
    """What the judge says of the file *alarms* about a stream of that *truth*."""
    # the judge prints, and what a process prints goes one way at a time
    with TemporaryDirectory() as folder, _JUDGING, redirect_stdout(StringIO()):
        path = Path(folder, "truth.json")
        path.write_text(json.dumps(truth, default=int))
        found: dict[str, Any] = _shared("evaluate").judge(path, alarms, kind, pad_hours)
    return found


def found_bursts(truth: dict[str, Any], alarms: Path, kind: str) -> set[int]:
    """The bursts that the file *alarms* finds, each judged by itself."""
    return {each["id"] for each in truth["bursts"] if judged_file(truth | {"bursts": [each]}, alarms, kind)["detected"]}


def _write_alarms(of: Stream, alarms: Iterable[tuple[int, int, str]], path: Path) -> None:
    start = of.start.astype("datetime64[m]")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("time", "type", "district", "beats"))
        for slot, cell, beats in alarms:
            district, kind = divmod(cell, of.types)
            writer.writerow((str(start + slot * 30), of.truth["types"][kind], district + 1, beats))
