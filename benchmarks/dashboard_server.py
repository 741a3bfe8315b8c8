"""What the dashboard's server costs at ten million events: reading in, memory, and each step of a random analyst.

The server runs as a process of its own and is asked over HTTP, as a page asks it; CPU seconds are of all its threads,
so that a shared machine does not matter. Run: python -m benchmarks dashboard_server [ROWS]
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.measuring import WORK, peak_mib, write
from citystream.app import App
from citystream.app.delivering import News
from citystream.config import load
from citystream.simulate.listener import Listener
from citystream.store.database import LAYOUT, Database
from citystream.web.app import create
from citystream.web.board import Board
from citystream.web.follower import Follower
from citystream.web.site import Site

ROWS, STEPS = 10_000_000, 600
DATASET = "chicago/crimes"
BOX = "box=-87.8,41.7,-87.7,41.8"
SQL = Path(__file__).with_name("dashboard_rows.sql")
#: CPU milliseconds that a step may take, on average and in 95 of 100; CPU seconds until ready; MiB more.
LIMITS = {"step_mean_ms": 15, "step_p95_ms": 50, "start_cpu_s": 8, "memory_mib": 600}


def made_store(rows: int) -> Path:
    """A store with as many made events, kept for the next run; those of other releases are not used."""
    folder = WORK / f"dashboard-{rows}-layout-{LAYOUT}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        dataset = App(load()).library.get(DATASET)
        with Database(folder, memory_limit="3GB") as database:
            database.require(dataset)
            for statement in SQL.read_text("utf-8").format(rows=rows).split(";\n"):
                if statement.strip():
                    database.connection.execute(statement)
        (folder / "done").touch()
    return folder


def serve(folder: Path) -> None:
    """The server's process: says how it began, and serves until its input ends."""
    board = Board(App(load({"data": folder})))
    site = Site(board)
    before, began = resident_mib(), time.process_time()
    Follower(board, News(), print).look()
    listener = Listener(create(site), 0)
    listener.start()
    began_in = time.process_time() - began
    held = board.held[DATASET].engine.state
    said = {
        "url": listener.url,
        "start_cpu_s": round(began_in, 2),
        "memory_mib": resident_mib() - before,
        "peak_more_mib": peak_mib() - before,
        "cubes_mib": held.cubes.bytes >> 20 if held.cubes else 0,
    }
    print(json.dumps(said), flush=True)
    sys.stdin.read()
    site.close()
    listener.stop()


def resident_mib() -> int:
    """Resident now."""
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20


def cpu_ms(process: int) -> float:
    """CPU milliseconds of all threads of a process so far."""
    total = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        total += int((task / "schedstat").read_text("utf-8").split()[0])
    return total / 1e6


def steps(count: int, seed: int = 5) -> list[list[tuple[str, str]]]:
    """The filters of an analyst who clicks districts, types and premises, brushes months and hours, and clears."""
    rng, state, found = random.Random(seed), dict[str, list[tuple[str, str]]](), []
    for _ in range(count):
        draw = rng.random()
        if draw < 0.30:
            chosen = rng.sample(range(1, 26), rng.choice([1, 1, 1, 2, 3])) if rng.random() < 0.8 else []
            state["district"] = [("district", f"{each:03}") for each in chosen]
        elif draw < 0.55:
            kinds = rng.sample(range(32), rng.choice([1, 1, 2, 3])) if rng.random() < 0.8 else []
            state["type"] = [("type", f"TYPE {each}") for each in kinds]
        elif draw < 0.80:
            length = rng.choice([1, 2, 3, 6, 12, 24, 60, 120])
            first = rng.randrange(0, 299 - length)
            state["t"] = [("t", f"{month(first)}..{month(first + length - 1)}")]
        elif draw < 0.90:
            state["hour"] = [("hour", f"{rng.randrange(24)}..{rng.randrange(24)}")]
        elif draw < 0.95:
            state["premises"] = [("location_description", f"PREMISES {rng.randrange(20)}")]
        else:
            state.clear()
        found.append([pair for pairs in state.values() for pair in pairs])
    return found


def month(number: int) -> str:
    return f"{2001 + number // 12}-{number % 12 + 1:02}"


def walked(client: httpx.Client, process: int, asked: Sequence[list[tuple[str, str]]], compare: str) -> dict[str, Any]:
    """CPU and size of each step."""
    spent, sizes = [], []
    for filters in asked:
        before = cpu_ms(process)
        answer = client.get("/api/query", params=[("dataset", DATASET), ("compare", compare), *filters])
        answer.raise_for_status()
        spent.append(cpu_ms(process) - before)
        sizes.append(len(answer.content))
    p50, p95, p99 = (round(float(np.percentile(spent, share)), 1) for share in (50, 95, 99))
    mean, size = round(float(np.mean(spent)), 1), int(np.mean(sizes))
    return {"mean_ms": mean, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "bytes": size}


def once(client: httpx.Client, process: int, path: str, times: int = 5) -> float:
    """CPU milliseconds of one question of another sort, the median."""
    spent = []
    for _ in range(times):
        before = cpu_ms(process)
        client.get(path).raise_for_status()
        spent.append(cpu_ms(process) - before)
    return round(float(np.median(spent)), 1)


def main(rows: int) -> None:
    """Measure, and fail where a limit is passed."""
    folder = made_store(rows)
    command = [sys.executable, "-m", "benchmarks.dashboard_server", "serve", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        told = json.loads(server.stdout.readline())
        with httpx.Client(base_url=told.pop("url"), timeout=120) as client:
            plain = walked(client, server.pid, steps(STEPS), "none")
            compared = walked(client, server.pid, steps(STEPS, seed=6), "previous")
            others = {
                "rows": once(client, server.pid, f"/api/rows?dataset={DATASET}&type=TYPE%203"),
                "points": once(client, server.pid, f"/api/points?dataset={DATASET}&t=2025-01..&{BOX}"),
                "brush_index": once(client, server.pid, f"/api/index?dataset={DATASET}&type=TYPE%205", 3),
                "comparison": once(client, server.pid, f"/api/comparison?dataset={DATASET}"),
                "series_by_type": once(client, server.pid, f"/api/series?dataset={DATASET}&by=type", 3),
            }
            after = int(Path(f"/proc/{server.pid}/statm").read_text("utf-8").split()[1]) * 4096 >> 20
        server.communicate("")
    figures = {"rows": rows, **told, "resident_after_mib": after, "step": plain, "step_with_comparison": compared}
    write("dashboard_server", figures | {"other_cpu_ms": others, "limits": LIMITS})
    measured = {
        "step_mean_ms": plain["mean_ms"],
        "step_p95_ms": plain["p95_ms"],
        "start_cpu_s": told["start_cpu_s"],
        "memory_mib": told["memory_mib"],
    }
    passed = [f"{name} {measured[name]} > {limit}" for name, limit in LIMITS.items() if measured[name] > limit]
    if passed and rows >= ROWS:
        raise SystemExit("; ".join(passed))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
