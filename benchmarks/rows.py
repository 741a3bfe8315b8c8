"""The rows that are measured: Chicago 2014-2016 as published if it is here, else as many simulated ones."""

from __future__ import annotations

import gzip
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

from benchmarks.measuring import WORK
from citystream.simulate.city import generate
from citystream.simulate.export import export
from tests.published import SHARED


def chicago_csv() -> tuple[Path, str]:
    """About 800,000 Chicago rows in one CSV file, and what they are."""
    WORK.mkdir(exist_ok=True)
    published = sorted((SHARED / "data" / "chicago").glob("chicago_crimes_201?_from_daily.csv.gz"))
    if published:
        return _joined(published), "Chicago 2014-2016 as published"
    path = WORK / "simulated.csv"
    if not path.exists():
        history = generate("chicago/crimes", start=date(2022, 1, 1), end=date(2025, 3, 31))
        export(history, path, at=datetime(2026, 1, 1, tzinfo=UTC))
    return path, "Chicago, simulated"


def _joined(files: list[Path]) -> Path:
    path = WORK / "published.csv"
    if path.exists():
        return path
    with path.open("wb") as out:
        for number, file in enumerate(files):
            with gzip.open(file) as part:
                if number:
                    part.readline()
                shutil.copyfileobj(part, out)
    return path
