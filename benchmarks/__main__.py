"""All benchmarks, one after the other; each writes ``results/<name>.json``. Run: make bench."""

from __future__ import annotations

import runpy
import sys

ALL = (
    *("startup", "import_speed", "portal_cost", "peer", "batch_growth", "publish_speed", "kafka_log", "alert_latency"),
    *("dashboard_server", "dashboard_browser"),
    *(f"detection.{name}" for name in ("surge", "scan", "drift", "nowcast", "sensor", "cost")),
    *("detection.chicago", "detection.through_store"),
)


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    for name in names or ALL:
        sys.argv = [name]
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
