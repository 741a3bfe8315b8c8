"""The whole chain of real servers under kill -9 for longer than a test may take; then everything is counted.

A million records flow from a file through a topic and the log on Kafka to the store, PostgreSQL, MariaDB and
OpenSearch, while each of the processes is killed again and again. Fails if one record is lost or counted twice.
Run: python -m benchmarks.soak [KILLS]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measuring import write
from tests.services import test_chain_faults as faults
from tests.services.chain import chain, records

RECORDS, KILLS = 1_000_000, 120


def main(kills: int = KILLS) -> None:
    """Torment it, let it come to rest, and count."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "Crimes.csv"
        records(file, RECORDS)
        began = time.monotonic()
        with chain(folder, faults.city_file(), file, "--as", "reference", *faults.SHARES) as running:
            running.keep_up()
            running.torment(kills, seed=11, pause=(0.3, 5.0))
            tormented = time.monotonic() - began
            faults.quiet(running, patience=3600)
            faults.check(running, file, RECORDS)
            figures = {
                "records": RECORDS,
                "kills": dict(running.kills),
                "silences": running.silences,
                "minutes_of_kills": round(tormented / 60, 1),
                "lost": 0,
                "double": 0,
            }
    write("soak", figures)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
