"""Records that arrive while a page is open."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.browser.dashboard import CRIMES, Site

_ROW = {
    "Block": "001XX W LIVE ST",
    "IUCR": "0860",
    "Primary Type": "THEFT",
    "Description": "RETAIL THEFT",
    "Arrest": "false",
    "Domestic": "false",
    "Latitude": "41.88",
    "Longitude": "-87.71",
}


def import_thefts(site: Site, ids: Sequence[int], file: Path) -> None:
    """Thefts of the newest day, one after the other, through the command that anybody uses; *file* is written."""
    day = str(site.sql("SELECT max(occurred_local)::DATE FROM chicago_crimes")[0][0])
    import_on(site.store, day, ids, file)


def import_on(store: Path, day: str, ids: Sequence[int], file: Path) -> None:
    """The same without a server: thefts of *day* (2025-06-30)."""
    thefts(day, ids, file)
    command = [sys.executable, "-m", "citystream.cli", "--data", str(store), "import", CRIMES, str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def thefts(day: str, ids: Sequence[int], file: Path) -> None:
    """A file of thefts of *day*, each at a minute of its own, as the publisher writes them."""
    year, month, of_month = day[:10].split("-")
    date = f"{month}/{of_month}/{year}"
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, ["ID", "Case Number", "Date", "District", *_ROW, "Updated On"])
        writer.writeheader()
        for id_ in ids:
            time = f"{id_ // 60 % 12 or 12:02}:{id_ % 60:02}:00 PM"
            own = {"ID": id_, "Case Number": f"LV{id_}", "Date": f"{date} {time}", "District": f"{id_ % 12 + 1:03}"}
            writer.writerow({**own, **_ROW, "Updated On": f"{date} 11:50:00 PM"})
