"""``citystream serve`` as a process: it shows the store, lets other commands at it, and ends when it is asked to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

import citystream
from citystream.simulate.city import generate
from citystream.simulate.portal import SimulatedPortal
from tests.integration.test_cli import DATASET, ROWS, crimes

pytestmark = pytest.mark.usefixtures("without_learning")
COMMAND = [sys.executable, "-m", "citystream.cli"]


@contextmanager
def serving(folder: Path, *words: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command on a free port, and its address; its detectors learn nothing unless it is told otherwise."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CITYSTREAM_")}
    clean |= {"CITYSTREAM_LEARN": "false"} | environment
    command = [*COMMAND, "--data", str(folder), "--json", "serve", "--port", "0", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean, cwd=folder.parent
    ) as process:
        assert process.stdout
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()


def test_it_shows_the_store_and_lets_others_write(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    citystream.import_files(DATASET, crimes(tmp_path / "c.csv", ROWS[:2]), data=folder)
    with serving(folder) as (process, url):
        wait(url, 2)
        with citystream.open(folder) as store:  # a reader of another process
            assert len(store.query("SELECT * FROM events")) == 2
        with httpx.stream("GET", f"{url}/api/live", params={"dataset": DATASET}, timeout=20) as answer:
            lines = answer.iter_lines()
            assert "event: hello" in (next(lines) for _ in range(6))
            citystream.import_files(DATASET, crimes(tmp_path / "d.csv", ROWS[2:4]), data=folder)  # a writer, too
            assert any(line == "event: delta" for line in lines)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=15) == 0


@pytest.mark.parametrize("followed", [True, False])
def test_what_it_has_is_delivered_too(tmp_path: Path, followed: bool) -> None:
    """What it takes in itself, or what others write, to a folder of Parquet files; the page is told how far it is."""
    folder = tmp_path / "data"
    (tmp_path / "citystream.toml").write_text('sinks = ["lake"]\n', encoding="utf-8")
    citystream.import_files(DATASET, crimes(tmp_path / "c.csv", ROWS[:2]), data=folder)
    published = generate(DATASET, start=date(2025, 3, 1), end=date(2025, 3, 3), seed=1, scale=0.01).served()
    with SimulatedPortal(published) as portal:
        words = ("--publish", DATASET, "--every", "0.5") if followed else ("--publish", "--no-follow")
        here = {"CITYSTREAM_PORTAL": portal.url, "CITYSTREAM_PAUSE": "0", "CITYSTREAM_LEARN": "true"}
        with serving(folder, *words, **here) as (process, url):
            delivered = sink(url, 2)
            if not followed:
                citystream.import_files(DATASET, crimes(tmp_path / "d.csv", ROWS[2:4]), data=folder)
                delivered = sink(url, 4)
            assert (delivered["address"], delivered["dataset"], delivered["error"]) == ("lake", DATASET, "")
            pipeline = httpx.get(f"{url}/api/status", timeout=30).json()["pipeline"]
            assert (pipeline["delivers_to"], pipeline["running"]) == (["lake"], followed)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
    command = [*COMMAND, "--data", str(folder), "publish", "--verify", "--to", "lake"]
    verified = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert verified.returncode == 0, verified.stderr
    assert not list(folder.glob(".spool-*"))


def test_it_says_when_there_is_nowhere_to_deliver_to(tmp_path: Path) -> None:
    command = [*COMMAND, "--data", str(tmp_path / "data"), "serve", "--port", "0", "--publish"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path)
    assert (refused.returncode, "sinks = [" in refused.stderr) == (2, True)


def test_elsewhere_a_token_is_needed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    refused = subprocess.run(
        [*COMMAND, "--data", str(folder), "serve", "--host", "0.0.0.0", "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert refused.returncode == 2
    assert "a token is required" in refused.stderr
    with serving(folder, CITYSTREAM_TOKEN="0123456789abcdef") as (_, url):
        assert httpx.get(f"{url}/api/meta").status_code == 401
        assert httpx.get(f"{url}/health").json()["status"] == "ok"
        known = httpx.get(f"{url}/api/meta", headers={"Authorization": "Bearer 0123456789abcdef"}).json()
        assert known["datasets"] == []


def wait(url: str, position: int) -> None:
    """Until the dataset is read in."""
    for _ in range(200):
        told = httpx.get(f"{url}/health").json()
        if told["status"] == "ok" and told["datasets"].get(DATASET, {}).get("position") == position:
            return
        time.sleep(0.05)
    raise AssertionError(told)


def sink(url: str, position: int) -> dict[str, Any]:
    """How the one sink stands, once it has the records before *position*."""
    for _ in range(600):
        told: list[dict[str, Any]] = httpx.get(f"{url}/api/status", timeout=30).json().get("sinks", [])
        if told and told[0]["position"] >= position:
            return told[0]
        time.sleep(0.05)
    raise AssertionError(told)
