"""Opening and closing a store from many threads: as long as one has it open, no other process gets in to write."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa

import citystream
from citystream.store.reader import Reader
from tests.integration.test_cli import DATASET, ROWS, crimes

SECONDS, THREADS = 2.0, 4
#: Another process: takes the lock that a writer takes whenever it can, and tells from when to when it had it.
PROBE = """
import fcntl, sys, time
file, until = open(sys.argv[1], "rb+"), time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        time.sleep(0.0005)
        continue
    had = time.monotonic()
    fcntl.lockf(file, fcntl.LOCK_UN)
    print(had)
    time.sleep(0.002)
"""


def test_nobody_writes_while_a_thread_reads(tmp_path: Path) -> None:
    """The engine's lock is the process's: closing the file in one thread could let go of it for another one."""
    folder = tmp_path / "data"
    citystream.import_files(DATASET, crimes(tmp_path / "c.csv", ROWS), data=folder)
    had_open: list[tuple[float, float]] = []

    def read(number: int) -> None:
        pauses, until = random.Random(number), time.monotonic() + SECONDS
        while time.monotonic() < until:
            with Reader(folder) as reader:
                since = time.monotonic()
                reader.query("SELECT count(*) FROM events")
                had_open.append((since, time.monotonic()))
            time.sleep(pauses.random() * 0.01)

    command = [sys.executable, "-c", PROBE, str(folder / "citystream.duckdb"), str(SECONDS + 1)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as probe:
        threads = [threading.Thread(target=read, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = [float(line) for line in probe.communicate()[0].splitlines()]
    assert len(had_open) > THREADS
    assert taken, "the other process never had its turn: nothing was tried"
    assert [(at, span) for at in taken for span in had_open if span[0] < at < span[1]] == []


def test_who_opens_it_beside_others_can_use_all_of_it(tmp_path: Path) -> None:
    """The engine makes some of its functions only after the first of several threads has the file open."""
    folder = tmp_path / "data"
    citystream.import_files(DATASET, crimes(tmp_path / "c.csv", ROWS), data=folder)
    together, lent, failed = threading.Barrier(3), pa.table({"off": [0, 1]}), list[str]()

    def ask() -> None:
        for _ in range(30):
            together.wait(60)
            try:
                with Reader(folder) as reader:
                    reader.lend("chosen", lent)
                    reader.query("SELECT * FROM events WHERE log_offset IN (SELECT off FROM chosen)")
            except Exception as error:
                failed.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
