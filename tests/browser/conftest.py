"""A store with simulated cities, a server over it, and one browser; all made once and shared by every worker."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.dashboard import Dashboard, Site

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ASSETS = ROOT / "src/citystream/web/static/vendor/licences.json"
#: What an attacker would like a publisher to publish.
HOSTILE_TYPE = "<img src=x onerror=window.hacked=1>"
HOSTILE_BLOCK = '"><script>window.hacked=1</script>'
HOSTILE_PREMISES = "=1+1"
_RUNS = (
    ("chicago/crimes", "2024-01-01", "2025-06-30", "0.03"),
    ("toronto/bicycle-thefts", "2024-01-01", "2025-06-30", "0.3"),
    ("chicago/beach-weather", "2025-06-20", "2025-06-30", "0.2"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser, or without the files of the page, nothing can be looked at; in CI that is a failure."""
    lacks = [said for there, said in ((Path(CHROMIUM).exists(), "chromium"), (ASSETS.exists(), "npm")) if not there]
    if not lacks or os.environ.get("CI"):
        return
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(
                pytest.mark.skip(reason=f"{' and '.join(lacks)} missing: apt-get install {' '.join(lacks)}")
            )


def citystream(*words: str, cwd: Path) -> None:
    subprocess.run([sys.executable, "-m", "citystream.cli", *words], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder; the worker that comes first makes it, each gets a copy."""
    own_base = tmp_path_factory.getbasetemp()
    # workers have a folder each in that of the session; alone, the one above would be that of all sessions ever
    shared = (own_base.parent if os.environ.get("PYTEST_XDIST_WORKER") else own_base) / "browser-store"
    with FileLock(f"{shared}.lock"):
        if not (shared / "ready").exists():
            shared.mkdir()
            for dataset, first, last, scale in _RUNS:
                _taken_in(shared, dataset, first, last, scale)
            (shared / "ready").touch()
    own = tmp_path_factory.mktemp("store") / "data"
    shutil.copytree(shared / "data", own)
    return own


def _taken_in(folder: Path, dataset: str, first: str, last: str, scale: str) -> None:
    file = f"{dataset.replace('/', '-')}.csv"
    citystream(
        "simulate", "export", dataset, "--from", first, "--to", last, "--scale", scale, "--out", file, cwd=folder
    )
    if dataset == "chicago/crimes":
        _poison(folder / file)
    citystream("--data", "data", "import", dataset, file, cwd=folder)


def _poison(file: Path) -> None:
    """Some rows whose texts are markup and formulas."""
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    for index, row in enumerate(rows[:60]):
        poisoned = {"Primary Type": HOSTILE_TYPE, "Block": HOSTILE_BLOCK, "Location Description": HOSTILE_PREMISES}
        rows.append({**row, **poisoned, "ID": str(90_000_000 + index), "Case Number": f"HX{index}"})
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def serving(store: Path, port: int = 0) -> Iterator[tuple[Site, subprocess.Popen[str]]]:
    """`citystream serve` over a store, as a user starts it, until everything is read in; and its process."""
    command = [sys.executable, "-m", "citystream.cli", "--data", str(store), "--json"]
    log = store.parent / "server.log"
    with log.open("a", encoding="utf-8") as written:
        server = subprocess.Popen(
            [*command, "serve", "--port", str(port), "--no-follow"],
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
            cwd=store.parent,
        )
    try:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"].rstrip("/")
        until_loaded(url)
        yield Site(url, store, log, server.pid), server
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def site(store: Path) -> Iterator[Site]:
    with serving(store) as (made, _):
        yield made


def until_loaded(url: str) -> None:
    """Until a server has read in all that it serves."""
    for _ in range(300):
        with urllib.request.urlopen(f"{url}/health") as response:
            if json.load(response)["status"] == "ok":
                return
        time.sleep(0.2)
    raise AssertionError("the server did not read its datasets in")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--hide-scrollbars"])
        yield found
        found.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light", accept_downloads=True)
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def dashboard(context: BrowserContext, site: Site) -> Iterator[Dashboard]:
    """A page, checked at the end: nothing went to another host, nothing failed, nothing was said on the console."""
    made = Dashboard(context.new_page(), site)
    yield made
    assert made.elsewhere == []
    assert made.complaints == [], f"the server said:\n{site.log.read_text(encoding='utf-8')[-8_000:]}"
