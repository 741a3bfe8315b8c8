"""The picture of the dashboard in the README, from the demo.

Needs Chromium. Run: python docs/dashboard_picture.py
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "pictures" / "dashboard.png"
CHROMIUM = "/usr/bin/chromium"
_SIZE = {"width": 1440, "height": 1400}


def main() -> None:
    """Play the demo, look at its dashboard, keep what is seen."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "citystream.cli", "--data", folder, "demo", "--no-browser", "--seconds", "60"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as demo:
            assert demo.stderr
            url = next(found[1] for line in demo.stderr if (found := re.search(r"dashboard is at (\S+)", line)))
            take(url)
            demo.communicate()


def take(url: str) -> None:
    """The first page at *url*, once all of it is drawn."""
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=_SIZE, color_scheme="light")
        page.goto(url)
        page.get_by_role("heading", name="Over time").wait_for(timeout=60_000)
        page.wait_for_timeout(5_000)  # the live stream never lets the network be idle
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
