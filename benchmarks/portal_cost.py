"""What a backfill from a portal (SODA, which is JSON) costs beside an import of the same rows as a CSV or JSON file.

CPU seconds, and peak memory by size.
The portal is simulated, in a process of its own; only the reader is measured. Run: python -m benchmarks.portal_cost
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.measuring import WORK, apart, cpu_seconds, peak_mib, write
from citystream.app import App
from citystream.config import load
from citystream.simulate.city import RESOURCES, History, generate
from citystream.simulate.export import export
from citystream.simulate.portal import SimulatedPortal

DATASET = "chicago/crimes"
#: First days of events, so that about 300,000 (more than a batch) and a million rows are there at the end.
LAST, AT = date(2025, 11, 30), datetime(2026, 6, 1, tzinfo=UTC)
SIZES = {"small": date(2024, 9, 20), "large": date(2021, 12, 20)}
REPEATS = 3
FORMS = ("csv", "json")


def history(size: str) -> History:
    """The rows of one size."""
    return generate(DATASET, start=SIZES[size], end=LAST, seed=3)


def serve(size: str) -> None:
    """Serve them until the standard input ends; the first line says where."""
    drawn = history(size)
    for form in FORMS:
        export(drawn, WORK / f"portal-{size}.{form}", at=AT, duplicates=False)
    with SimulatedPortal({RESOURCES[DATASET]: drawn.table}, clock=lambda: AT) as portal:
        print(portal.url, flush=True)
        sys.stdin.read()


@contextmanager
def served(size: str) -> Iterator[str]:
    """The address of a portal with the rows of *size*."""
    command = [sys.executable, "-m", "benchmarks.portal_cost", "serve", size]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdin
        yield process.stdout.readline().strip()
        process.stdin.close()


def take(how: str, where: str) -> None:
    """One backfill in this process, from a portal or a file; prints what it cost."""
    folder = WORK / "portal-data"
    shutil.rmtree(folder, ignore_errors=True)
    app = App(load({"data": str(folder), "portal": where if how == "portal" else "", "pause": 0}, {}))
    outcome = []
    seconds = cpu_seconds(
        lambda: outcome.append(app.run(DATASET) if how == "portal" else app.import_files(DATASET, [Path(where)]))
    )
    print(json.dumps({"cpu_seconds": seconds, "peak_mib": peak_mib(), "rows": outcome[0].after.received}))


def measured(size: str) -> dict[str, dict[str, float]]:
    """The least of some runs of each way, in turns."""
    found: dict[str, list[dict[str, float]]] = {how: [] for how in ("portal", *FORMS)}
    with served(size) as url:
        places = {"portal": url} | {form: str(WORK / f"portal-{size}.{form}") for form in FORMS}
        for _ in range(REPEATS):
            for how, where in places.items():
                found[how].append(apart("benchmarks.portal_cost", "take", how, where))
    return {how: min(runs, key=lambda run: run["cpu_seconds"]) for how, runs in found.items()}


def main() -> None:
    """Both sizes, both ways."""
    WORK.mkdir(exist_ok=True)
    sizes = {size: measured(size) for size in SIZES}
    large = sizes["large"]
    assert len({run["rows"] for run in large.values()}) == 1, "the ways brought different rows"
    figures = {
        "rows": {size: int(found["csv"]["rows"]) for size, found in sizes.items()},
        "cpu_seconds": {s: {how: round(run["cpu_seconds"], 2) for how, run in f.items()} for s, f in sizes.items()},
        "ratio": {form: round(large["portal"]["cpu_seconds"] / large[form]["cpu_seconds"], 2) for form in FORMS},
        "peak_mib": {size: {how: int(run["peak_mib"]) for how, run in found.items()} for size, found in sizes.items()},
        "limit": "ratio <= 2.5; peak_mib of the portal flat with size",
    }
    write("portal_cost", figures)


if __name__ == "__main__":
    actions = {"serve": serve, "take": take}
    if len(sys.argv) > 2:
        actions[sys.argv[1]](*sys.argv[2:])
    else:
        main()
