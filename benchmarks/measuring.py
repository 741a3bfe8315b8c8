"""Measuring: CPU seconds of this process and its threads, peak memory, and the machine's line."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

RESULTS = Path(__file__).parent / "results"
WORK = Path(__file__).parent / "work"


def cpu_seconds(what: Callable[[], object]) -> float:
    """CPU seconds that *what* takes in this process, all threads."""
    start = time.process_time()
    what()
    return time.process_time() - start


def peak_mib() -> int:
    """The largest resident size so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def apart(module: str, *arguments: str) -> dict[str, Any]:
    """Run ``python -m module arguments`` as a process of its own; its last line is JSON."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    made: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return made


def machine() -> str:
    """What it was measured on; figures of two machines do not compare, ratios of one run do."""
    name = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    versions = f"python {platform.python_version()}, duckdb {duckdb.__version__}, pyarrow {pa.__version__}"
    return f"{name}, {os.cpu_count()} cores (shared), {platform.system()}, {versions}, numpy {np.__version__}"


def write(name: str, figures: dict[str, Any]) -> None:
    """Print *figures* and keep them as ``results/<name>.json``."""
    figures = {"measured": datetime.now(UTC).date().isoformat(), "machine": machine(), **figures}
    text = json.dumps(figures, indent=2)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n", "utf-8")
    print(f"{name}\n{text}")


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).exists() else []
