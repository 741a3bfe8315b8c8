"""kill -9 at random moments: afterwards the tables are those of a run that nobody disturbed."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from citystream.app import App
from citystream.config import load
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.export import export
from citystream.simulate.portal import SimulatedPortal

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DATASET = "chicago/crimes"
TABLES = ("chicago_crimes", "daily", "alerts", "revisions", "vanished", "rejects")
#: What depends on how often a record was read, not on what it says.
WHEN_READ = ("log_offset", "first_seen_at", "changed_at", "known_from", "known_until", "vanished_at")
OFFSETS = ("raised_at_offset", "withdrawn_at_offset")


@pytest.fixture(scope="module")
def history():
    """Three months of a small simulated Chicago, with everything that gets revised, vanishes and returns."""
    return generate(DATASET, start=date(2024, 9, 1), end=date(2024, 11, 30), seed=5, scale=0.12)


def killed(data: Path, what: Sequence[str], *, kills: int, seed: int, module: str = "taking_in") -> int:
    """Run the taking in, killing it *kills* times at random moments, and once to its end; returns the kills."""
    chance, done = random.Random(seed), 0
    command = [sys.executable, "-m", f"tests.integration.{module}", str(data), *what]
    for _ in range(200):
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
        try:
            _, said = process.communicate(timeout=chance.uniform(0.4, 2.0) if done < kills else 300)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            done += 1
            continue
        assert process.returncode == 0, said.decode()
        if done >= kills:
            return done
    raise AssertionError(f"only {done} kills hit a running process")


def tables(data: Path, *, without: Sequence[str] = ()) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, sorted, without the columns *without*.

    Where the times of reading are left out, so are the alerts of detectors that learn: they follow from those times.
    """
    rule = "WHERE detector = 'threshold'" if without else ""
    sql = {name: f"FROM {name} {rule if name == 'alerts' else ''}" for name in TABLES}
    with App(load({"data": str(data)}, {})).reader() as reader:
        return {name: _sorted(reader.query(f"SELECT * {sql[name]}"), without) for name in TABLES}


def _sorted(table: pa.Table, without: Sequence[str]) -> list[tuple[object, ...]]:
    kept = table.drop_columns([name for name in table.column_names if name in without])
    return sorted(zip(*kept.to_pydict().values(), strict=True), key=repr)


def assert_ledger_balances(data: Path) -> None:
    (status,) = App(load({"data": str(data)}, {})).status()
    assert status.ledger.balances()
    assert status.ledger.received == status.position
    assert status.pending == 0


def test_killed_between_log_and_tables(history, tmp_path: Path) -> None:
    """The log is there; bringing it into the tables is killed 16 times: every table is the same, offsets included."""
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    early, late = tmp_path / "early.csv", tmp_path / "late.csv"
    export(history, early, at=datetime(2024, 11, 1, tzinfo=UTC))
    export(history, late, at=datetime(2025, 2, 1, tzinfo=UTC))
    app = App(load({"data": str(undisturbed)}, {}))
    app.import_files(DATASET, [early, late], complete=True)
    shutil.copytree(undisturbed / "log", disturbed / "log")
    assert killed(disturbed, ["log"], kills=16, seed=1) == 16
    assert_ledger_balances(disturbed)
    assert tables(disturbed) == tables(undisturbed)


def test_killed_while_reading_files(history, tmp_path: Path) -> None:
    """Files are read again from their beginning, so some records are received twice, and counted once."""
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    files = []
    for month in (10, 11, 12):
        files.append(tmp_path / f"until-{month}.csv")
        export(history, files[-1], at=datetime(2024, month, 1, tzinfo=UTC))
    App(load({"data": str(undisturbed), "learn": False}, {})).import_files(DATASET, files)
    assert killed(disturbed, [str(file) for file in files], kills=7, seed=2) == 7
    assert_ledger_balances(disturbed)
    hidden = (*WHEN_READ, *OFFSETS)
    assert tables(disturbed, without=hidden) == tables(undisturbed, without=hidden)


def test_killed_while_reading_a_portal(history, tmp_path: Path) -> None:
    """A listing that was interrupted goes on after its last page that reached the log."""
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    with SimulatedPortal({RESOURCES[DATASET]: history.table}) as portal:
        subprocess.run(
            [sys.executable, "-m", "tests.integration.taking_in", str(undisturbed), "run", portal.url],
            cwd=ROOT,
            check=True,
        )
        assert killed(disturbed, ["run", portal.url], kills=8, seed=3) == 8
    assert_ledger_balances(disturbed)
    hidden = (*WHEN_READ, *OFFSETS)
    assert tables(disturbed, without=hidden) == tables(undisturbed, without=hidden)
