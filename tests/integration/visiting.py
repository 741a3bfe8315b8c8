"""A process to be killed: visits one source of a dataset once, in small steps.

Usage: visiting.py DATA DATASET SOURCE (a source of a city file, as JSON)
"""

from __future__ import annotations

import json
import sys

from citystream.app import App
from citystream.config import load
from tests.integration.portal_town import SPRING
from tests.sources import with_source


def main(data: str, dataset: str, source: str) -> None:
    settings = {"data": data, "pause": 0, "batch_rows": 300, "page_rows": 100, "learn": False}
    app = App(load(settings, {}), clock=lambda: SPRING)
    with_source(app, dataset, **json.loads(source))
    app.run(dataset)


if __name__ == "__main__":
    main(*sys.argv[1:])
