"""A process to be killed: takes in Chicago crimes as told, in small steps.

Detectors that learn follow the log alone: what they say of files and visits depends on when those were read.

Usage: taking_in.py DATA (log | run URL | FILE...)
"""

from __future__ import annotations

import sys
from pathlib import Path

from citystream.app import App
from citystream.config import load
from tests.sources import with_source

DATASET = "chicago/crimes"


def main(data: str, what: str, *rest: str) -> None:
    settings = {"data": data, "pause": 0, "batch_rows": 300, "page_rows": 700, "learn": what == "log"}
    app = App(load(settings, {}))
    if what == "run":
        with_source(app, DATASET, host=rest[0])
        app.run(DATASET)
    elif what == "log":
        app.import_files(DATASET, [])
    else:
        app.import_files(DATASET, [Path(what), *map(Path, rest)])


if __name__ == "__main__":
    main(*sys.argv[1:])
