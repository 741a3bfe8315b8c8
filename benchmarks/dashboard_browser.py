"""What a person waits for in a browser: a click until all views are painted, and an event until it is on the screen.

Clicks are those of the test suite's analyst, on ten million events. Live, made events come at 200 a second through the
same import that anybody uses, in the process that serves, while the page of what arrives is open; an event is painted
when the newest row on the screen is it or a later one. Times are of the page's own clock, from the input event to the
first frame without anything pending. They depend on the machine and on who else uses it (`load`): there are no limits.
Run: python -m benchmarks dashboard_browser [ROWS]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.dashboard_server import DATASET, ROWS, made_store
from benchmarks.measuring import write
from citystream.app import App
from citystream.app.delivering import News
from citystream.cli.served import served
from citystream.config import load
from citystream.web.board import Board
from citystream.web.site import Site as Serving
from tests.browser.analyst import Analyst
from tests.browser.arriving import thefts
from tests.browser.conftest import CHROMIUM, citystream, until_loaded
from tests.browser.dashboard import Dashboard, Site

STEPS, RATE, SECONDS, BATCH = 100, 200, 30, 0.25
#: Seconds after which the list on the page is full: what memory grows by from then on, it grows by for ever.
FULL = 10
_FIRST = 97_000_000
#: What was there before: until yesterday, so that what comes is fresh.
DAYS = timedelta(days=540)
FloatArray = npt.NDArray[np.float64]

#: From the last input before a question to the first frame after everything stands again.
_WATCH_CLICKS = """() => {
  window.waits = [];
  let began = 0, asked = false;
  const now = () => { began = performance.now(); };
  for (const kind of ['pointerup', 'click', 'keydown']) addEventListener(kind, now, true);
  const isQuery = each => each.name.includes('api/query');
  new MutationObserver(() => {
    const busy = document.querySelector('[aria-busy=true]') !== null;
    if (busy) asked = true;
    else if (asked) {
      asked = false;
      const since = began;
      requestAnimationFrame(() => setTimeout(() => {
        const query = performance.getEntriesByType('resource').filter(isQuery).at(-1);
        if (!query) return; // something else was awaited
        const { startTime, responseEnd } = query;
        window.waits.push([performance.now() - since, responseEnd - startTime, performance.now() - responseEnd]);
        performance.clearResourceTimings();
      }));
    }
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['aria-busy'] });
}"""
#: At each frame after a change: the time, and the newest row.
_WATCH_ROWS = """() => {
  window.frames_ = [];
  const newest = () => Number(document.querySelector('.feed [data-event]')?.dataset.event ?? 0);
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => window.frames_.push([Date.now(), newest()]))))
    .observe(document.querySelector('.feed ol'), { childList: true });
}"""


def serve_live(folder: Path) -> None:
    """The process that takes in and serves: says where, begins at a line of its input, then says when what was in."""
    opened = App(load({"data": folder}))
    site, news = Serving(Board(opened)), News()
    with served(site, news, port=0) as url:
        print(json.dumps({"url": url}), flush=True)
        sys.stdin.readline()
        began, done, busy, commits = time.time(), 0, time.process_time(), []
        while done < RATE * SECONDS:
            time.sleep(max(0.0, BATCH - (time.time() - began - done / RATE)))
            due = min(RATE * SECONDS, int((time.time() - began) * RATE))
            file = folder.parent / "batch.csv"
            thefts(str(date.today()), range(_FIRST + done, _FIRST + due), file)
            opened.import_files(DATASET, [file], encoding="utf-8", complete=False)
            news.tell()
            done = due
            commits.append((due, time.time()))
        cpu = round(time.process_time() - busy, 1)
        print(json.dumps({"began": began, "commits": commits, "cpu_s": cpu}), flush=True)
        sys.stdin.readline()


@contextmanager
def process(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of its own, and where it answers; it ends with its input."""
    command = [sys.executable, "-m", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = str(json.loads(server.stdout.readline())["url"])
        until_loaded(url)
        yield server, url
        server.communicate("\n\n")


def page_of(browser: Browser, url: str, pid: int) -> Dashboard:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    return Dashboard(context.new_page(), Site(url, Path(), Path(), pid))


def clicks(browser: Browser, rows: int) -> dict[str, Any]:
    """Milliseconds from a click to the frame in which all views show it."""
    with process("benchmarks.dashboard_server", "serve", str(made_store(rows))) as (server, url):
        dashboard = page_of(browser, url, server.pid)
        dashboard.open(t="2025-01-01..2025-11-30")
        dashboard.page.evaluate(_WATCH_CLICKS)
        analyst = Analyst(dashboard, seed=5)
        for _ in range(STEPS):
            analyst.step()
        dashboard.page.wait_for_timeout(500)
        waits = np.array(dashboard.page.evaluate("window.waits"))
    parts = {"answer": spread(waits[:, 1]), "answer_to_painted": spread(waits[:, 2])}
    return {"rows": rows, "steps": STEPS, **spread(waits[:, 0]), "of_which": parts}


def live(browser: Browser) -> dict[str, Any]:
    """Milliseconds from an event being due to its being painted, and the page's memory."""
    with TemporaryDirectory() as name:
        folder, last = Path(name), date.today() - timedelta(days=1)
        words = ("simulate", "export", DATASET, "--from", str(last - DAYS), "--to", str(last), "--scale", "0.05")
        citystream(*words, "--out", "first.csv", cwd=folder)
        citystream("--data", "data", "import", DATASET, "first.csv", cwd=folder)
        with process("benchmarks.dashboard_browser", "live", str(folder / "data")) as (server, url):
            assert server.stdin and server.stdout
            dashboard = page_of(browser, url, server.pid)
            dashboard.open("live")
            dashboard.page.evaluate(_WATCH_ROWS)
            memory = {"before": heap_mib(dashboard.page)}
            server.stdin.write("\n")
            server.stdin.flush()
            dashboard.page.wait_for_timeout(FULL * 1000)
            memory[f"after_{FULL}_s"] = heap_mib(dashboard.page)
            told = json.loads(server.stdout.readline())
            dashboard.page.wait_for_timeout(3000)
            memory[f"after_{SECONDS}_s"] = heap_mib(dashboard.page)
            frames = dashboard.page.evaluate("window.frames_")
    due = float(told["began"]) + np.arange(RATE * SECONDS) / RATE
    upto, committed = np.array(told["commits"]).T
    stored = committed[np.searchsorted(upto, np.arange(RATE * SECONDS), side="right")]
    painted = seen(frames)
    figures = {"events_a_second": RATE, "seconds": SECONDS, **spread(painted - due * 1000)}
    parts = {"due_to_stored": spread((stored - due) * 1000), "stored_to_painted": spread(painted - stored * 1000)}
    return {**figures, "of_which": parts, "commits": len(upto), "server_cpu_s": told["cpu_s"], "heap_mib": memory}


def seen(frames: list[list[float]]) -> FloatArray:
    """Of every event, when the first frame was whose newest row is it or a later one; all must have been seen."""
    newest = np.maximum.accumulate([row - _FIRST for _, row in frames])
    first = np.searchsorted(newest, np.arange(RATE * SECONDS))
    assert first.max() < len(frames), f"the newest row on the page is {newest[-1]}, of {RATE * SECONDS}"
    times: FloatArray = np.array([at for at, _ in frames], np.float64)[first]
    return times


def heap_mib(page: Page) -> float:
    """What scripts of the page hold, after everything that can go is gone."""
    tools = page.context.new_cdp_session(page)
    tools.send("HeapProfiler.collectGarbage")
    tools.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in tools.send("Performance.getMetrics")["metrics"]}
    tools.detach()
    return round(float(metrics["JSHeapUsedSize"]) / 2**20, 1)


def spread(waits: FloatArray) -> dict[str, int]:
    p50, p95 = (round(float(np.percentile(waits, share))) for share in (50, 95))
    return {"measured": len(waits), "p50_ms": p50, "p95_ms": p95}


def main(rows: int) -> None:
    """Measure both."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        figures = {"click_to_painted": clicks(browser, rows), "event_to_painted": live(browser)}
        browser.close()
    write("dashboard_browser", {"load": [round(each, 1) for each in os.getloadavg()], **figures})


if __name__ == "__main__":
    if sys.argv[1:2] == ["live"]:
        serve_live(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
