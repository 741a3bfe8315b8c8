"""What only a process of its own shows: exit codes, pipes, signals, portals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from citystream.cli.simulation import served_tables
from citystream.simulate.faults import ServerError
from citystream.simulate.portal import SimulatedPortal
from tests.integration.test_cli import DATASET, HEADER, ROWS, crimes

COMMAND = [sys.executable, "-m", "citystream.cli"]


def started(folder: Path, *words: object, **settings: str) -> subprocess.Popen[str]:
    """A citystream of its own in *folder*, whose detectors learn nothing."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CITYSTREAM_")}
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        cwd=folder,
        env={**clean, "CITYSTREAM_LEARN": "false", **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_exit_codes_of_a_real_process(tmp_path: Path) -> None:
    file = crimes(tmp_path / "crimes.csv", ROWS)
    code, out, err = finished(started(tmp_path, "import", DATASET, file))
    assert (code, "crimes.csv" in out) == (0, True), err
    code, out, err = finished(started(tmp_path, "statu"))
    assert (code, out) == (2, "")
    assert "status" in err


def test_a_reader_that_has_seen_enough_is_no_failure(tmp_path: Path) -> None:
    file = crimes(tmp_path / "crimes.csv", ROWS)
    finished(started(tmp_path, "import", DATASET, file))
    process = started(tmp_path, "query", "SELECT * FROM range(3000000)", "--format", "csv")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), said) == (0, "")


def test_a_read_only_folder(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (tmp_path / "data").mkdir(mode=0o500)
    file = crimes(tmp_path / "crimes.csv", ROWS)
    code, _, err = finished(started(tmp_path, "--data", "data", "import", DATASET, file))
    assert code == 4
    assert "Traceback" not in err


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_of_an_import(tmp_path: Path, which: signal.Signals) -> None:
    rows = [ROWS[0].replace("1,ZZ1", f"{n},ZZ{n}", 1) for n in range(1, 100_001)]
    file = tmp_path / "many.csv"
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    process = started(tmp_path, "import", DATASET, file, CITYSTREAM_BATCH_ROWS="5000")
    _wait_for_segment(tmp_path / "citystream-data" / "log" / "chicago_crimes", process)
    process.send_signal(which)
    code, out, err = finished(process)
    assert code == 130, err
    assert "stopped" in out
    assert f"go on with: citystream import {DATASET}" in err
    code, out, err = finished(started(tmp_path, "import", DATASET, "--json"))
    assert code == 0, err
    [done] = json.loads(out)
    assert (done["pending"], done["ledger"]["inserted"]) == (0, 100_000)
    assert 0 < done["received"] <= 100_000


def _wait_for_segment(log: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 30
    while not list(log.glob("0*.parquet")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture(scope="module")
def portal() -> SimulatedPortal:
    """Four small cities; the portal of Seattle is down."""
    tables = served_tables(date(2024, 3, 1), date(2024, 3, 31), scale=0.05, seed=1)
    down = ServerError(path="*kzjm-xkqj*", status=503, times=0)
    with SimulatedPortal(tables, faults=[down]) as served:
        yield served


def test_a_portal_that_fails_does_not_stop_the_others(tmp_path: Path, portal: SimulatedPortal) -> None:
    settings = {"CITYSTREAM_PORTAL": portal.url, "CITYSTREAM_PAUSE": "0", "CITYSTREAM_PATIENCE": "0.1"}
    names = ("seattle/fire", "san-diego/calls")
    code, out, err = finished(started(tmp_path, "run", *names, "--json", **settings))
    assert code == 3
    failed, done = json.loads(out)
    assert (failed["dataset"], failed["state"]) == ("seattle/fire", "failed")
    assert done["inserted"] > 100
    assert failed["error"]
    assert "503" in err


def test_following_until_someone_says_stop(tmp_path: Path, portal: SimulatedPortal) -> None:
    settings = {"CITYSTREAM_PORTAL": portal.url, "CITYSTREAM_PAUSE": "0", "CITYSTREAM_PATIENCE": "0.1"}
    words = ("run", "seattle/fire", "toronto/bicycle-thefts", "--follow", "--every", "0.2", "--json")
    process = started(tmp_path, *words, **settings)
    assert process.stdout is not None
    visits = [json.loads(process.stdout.readline()) for _ in range(4)]
    process.send_signal(signal.SIGINT)
    code, _, err = finished(process)
    assert code == 130
    assert "go on with: citystream run" in err
    states = {visit["dataset"]: visit["state"] for visit in visits}
    assert states["seattle/fire"] == "failed"
    assert states["toronto/bicycle-thefts"] != "failed"
    assert [visit["dataset"] for visit in visits].count("seattle/fire") >= 2


def test_the_simulated_portal_serves_until_it_is_stopped(tmp_path: Path) -> None:
    process = started(tmp_path, "--json", "simulate", "portal", "--port", "0", "--scale", "0.001")
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            break
    url = json.loads(text)["url"]
    code, out, err = finished(
        started(tmp_path, "run", "seattle/fire", "--json", CITYSTREAM_PORTAL=url, CITYSTREAM_PAUSE="0")
    )
    process.send_signal(signal.SIGINT)
    assert finished(process)[0] == 130
    assert code == 0, err
    assert json.loads(out)[0]["dataset"] == "seattle/fire"


def test_what_comes_in_is_delivered_while_following(tmp_path: Path, portal: SimulatedPortal) -> None:
    """One sink is down all the time, which the other one does not feel; a dataset that fails holds up no other."""
    (tmp_path / "citystream.toml").write_text(
        'sinks = ["lake", "postgresql://nobody@127.0.0.1:9/none"]\n', encoding="utf-8"
    )
    settings = {"CITYSTREAM_PORTAL": portal.url, "CITYSTREAM_PAUSE": "0", "CITYSTREAM_PATIENCE": "0.1"}
    words = ("run", "seattle/fire", "toronto/bicycle-thefts", "--follow", "--publish", "--every", "0.2", "--json")
    process = started(tmp_path, *words, **settings)
    assert process.stdout is not None
    sent = (said for line in process.stdout if "sink" in (said := json.loads(line)))
    delivered = next(said for said in sent if said["dataset"] == "toronto/bicycle-thefts")
    process.send_signal(signal.SIGINT)
    code, _, err = finished(process)
    assert code == 130, err
    assert delivered["rows"]["events"] > 10
    assert delivered["sink"] == str(tmp_path / "lake") or delivered["sink"] == "lake"
    assert "127.0.0.1:9/none: tried again in 1 s" in err
    assert "--follow --publish" in err
    assert finished(started(tmp_path, "publish", "--verify", "--to", "lake"))[0] == 0
    code, out, err = finished(started(tmp_path, "publish"))
    assert code == 3, (out, err)


def test_nowhere_to_deliver_to(tmp_path: Path) -> None:
    code, _, err = finished(started(tmp_path, "run", "toronto/bicycle-thefts", "--publish"))
    assert (code, "sinks = [" in err) == (2, True)
    (tmp_path / "citystream.toml").write_text('sinks = ["postgresql://me:secret@db.example/x"]\n', encoding="utf-8")
    code, _, err = finished(started(tmp_path, "run", "toronto/bicycle-thefts", "--publish"))
    assert (code, "secret" in err, "PGPASSWORD" in err) == (2, False, True)
