"""A hundred steps of an analyst: the numbers stay right, and the server stays cheap."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.analyst import Analyst, meant
from tests.browser.dashboard import Dashboard, Site

STEPS, LOOKS = 100, 10
#: CPU seconds of the server for all steps. Not of the clock: machines are shared.
BUDGET = 6.0


def cpu_seconds(process: int) -> float:
    """Of all threads of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_hundred_steps_are_what_sql_says_and_cost_little(dashboard: Dashboard, site: Site) -> None:
    """The views are compared with SQL after every tenth step; that is not counted as cost."""
    dashboard.open(t="2025-01-01..2025-05-31")
    analyst, spent, looked = Analyst(dashboard), 0.0, 0
    for number in range(1, STEPS + 1):
        before = cpu_seconds(site.pid)
        analyst.step()
        spent += cpu_seconds(site.pid) - before
        if number % LOOKS == 0 and dashboard.kpi("total"):
            dashboard.expect_views(*meant(dashboard.page.url))
            looked += 1
    assert looked >= STEPS // LOOKS - 2
    assert 0 < spent < BUDGET
    expect(dashboard.page.get_by_role("alert")).to_have_count(0)
