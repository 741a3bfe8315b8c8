"""Three years as Chicago published them, through the product: alerts a week, the incidents behind each, and artefacts.

2014 and 2015 are history; alerts about 2016 count. The files are imported as anybody would import them. How many alerts
a week is what a backtest says, told as it was published; then each alert is opened by what ``citystream alerts
--explain`` shows, and has to have as many incidents as it says were observed. Nobody knows which alerts are true, but
some would be false for sure: those that owe themselves to how records are written (`benchmarks.detection.artefacts`).
Run: python -m benchmarks.detection.chicago
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.detection.artefacts import KINDS, Habits, Row, fallen
from benchmarks.measuring import write
from citystream.app import App
from citystream.app.backtesting import backtest, backtest_rule, read_past
from citystream.cli.alert_explained import explained
from citystream.config import load
from citystream.store.reader import Reader
from tests.published import SHARED

DATASET, ZONE = "chicago/crimes", "America/Chicago"
YEAR = 2016
FIRST, LAST = date(YEAR, 1, 1), date(YEAR, 12, 31)
FILES = tuple(SHARED / "data" / "chicago" / f"chicago_crimes_{year}_from_daily.csv.gz" for year in (2014, 2015, 2016))
#: `drift` has its budget for rises and for falls. Of `scan` fewer are opened than a backtest counts: a store tells it
#: 300 days.
BUDGETS = (("drift", 0.25, 0.5), ("scan", 0.5, 0.5), ("surge", 1.0, 1.0), ("surge", 5.0, 5.0))
FACTOR = 1.5
_TWO_DAYS = timedelta(days=2)
_DETECTORS = "detectors = ["
_WATCHED = (
    'detectors = [{{ name = "surge", budget = {} }}, {{ name = "drift", budget = 0.25 }}, '
    '{{ name = "scan", budget = 0.5 }}]\n'
)
LIMITS = {
    "a_week": "within a factor of 1.5 of the budget: surge 0.67-1.5 and 3.33-7.5, scan and drift, both ways, 0.33-0.75",
    "mismatches": "none: every alert opens to as many incidents as it says",
    "artefacts": "none, or each is understood",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """Alerts, each with its *records*, and what those say that open to another number of incidents."""

    alerts: list[Row]
    mismatches: list[str]


def imported(folder: Path, paths: Sequence[Path], budget: float) -> App:
    """The app that has *paths* in *folder*, watched by `surge` at *budget* and by others; what is there stays."""
    cities, known = folder / "cities", (folder / "data").exists()
    cities.mkdir(parents=True, exist_ok=True)
    text = files("citystream.catalog").joinpath("cities", "chicago.toml").read_text("utf-8")
    before, usual, after = text.partition(_DETECTORS)
    if not usual:
        raise SystemExit(f"chicago.toml does not say {_DETECTORS}")
    (cities / "chicago.toml").write_text(before + _WATCHED.format(budget) + after.partition("\n")[2], "utf-8")
    app = App(load({"data": str(folder / "data"), "cities": [str(cities)]}, {}))
    app.import_files(DATASET, [] if known else paths)
    return app


def opened(reader: Reader, detector: str, first: date, last: date) -> Opened:
    """The alerts of *detector* about windows that end between two days (UTC)."""
    found = Opened([], [])
    rule = f"detector = '{detector}' AND window_end >= DATE '{first}' AND window_end < DATE '{last}' + 1"
    for alert in reader.query(f"SELECT * FROM alerts WHERE {rule} ORDER BY window_end, alert_id").to_pylist():
        shown = explained(reader, alert["alert_id"])["records"]
        assert isinstance(shown, list)
        records = _about(reader, [str(each["event_id"]) for each in shown])
        incidents = len({each["incident"] for each in records})
        if not incidents == len(shown) == alert["observed"]:
            found.mismatches.append(f"{named(alert)}: {alert['observed']:.0f} observed, {incidents} incidents shown")
        found.alerts.append({**alert, "records": records})
    return found


def _about(reader: Reader, ids: list[str]) -> list[Row]:
    among = ", ".join(f"'{each}'" for each in ids) or "NULL"
    rows: list[Row] = reader.query(
        "SELECT coalesce(incident_id, event_id) AS incident, occurred_local, native_code, "
        f"strftime(occurred_local, '%H:%M') AS minute FROM chicago_crimes WHERE event_id IN ({among})"
    ).to_pylist()
    return rows


def named(alert: Row) -> str:
    """An alert in a line."""
    window = f"{alert['window_start']:%Y-%m-%d %H:%M} to {alert['window_end']:%m-%d %H:%M}"
    return f"{alert['type']}, district {alert['district']}, {window}: {alert['observed']:.0f}"


def measured(reader: Reader, detector: str, budget: float, allowed: float) -> dict[str, Any]:
    """How often a detector spoke of the year, at a budget that allows so many alerts a week."""
    said = backtest(read_past(reader, DATASET, backtest_rule(reader.datasets[DATASET], detector, budget)), FIRST, LAST)
    a_week = said.all.a_week or 0.0
    row = {"detector": detector, "budget": budget, "alerts": said.all.alerts, "a_week": round(a_week, 2)}
    return row | {"ok": bool(allowed / FACTOR <= round(a_week, 2) <= allowed * FACTOR)}


def artefacts(reader: Reader, found: Sequence[Row], budget: float, known: Sequence[Row]) -> dict[str, Any]:
    """By kind: how many alerts have such records, and how many of these would not be one without them; those that have
    more of them than is usual.
    """
    habits = Habits(reader, "chicago_crimes", ZONE, YEAR)
    said: dict[str, Any] = {}
    for kind in KINDS:
        touched = [alert for alert in found if habits.without(kind, alert)[0] < alert["observed"]]
        gone = fallen(kind, habits, touched, budget, known)
        said[kind] = {
            "alerts_with": len(touched),
            "fall_without": len(gone),
            "owed_to_them": [named(alert) for alert in gone if habits.has_many(kind, alert)],
        }
    return said


def together(found: Sequence[Row]) -> dict[str, int]:
    """How many alerts may be about one event: of one type or one district in windows that overlap, or of one cell
    within two days; and how many events there are if so.
    """
    alike: dict[str, Callable[[Row, Row], bool]] = {
        "same_type": lambda one, other: one["type"] == other["type"] and _overlap(one, other),
        "same_district": lambda one, other: one["district"] == other["district"] and _overlap(one, other),
        "same_cell": lambda one, other: (
            (one["type"], one["district"]) == (other["type"], other["district"])
            and abs(one["window_end"] - other["window_end"]) <= _TWO_DAYS
        ),
    }
    group = list(range(len(found)))
    said = dict.fromkeys(alike, 0)
    for one, other in combinations(range(len(found)), 2):
        pairs = [name for name, is_alike in alike.items() if is_alike(found[one], found[other])]
        for name in pairs:
            said[name] += 1
        if pairs:
            group = [group[one] if each == group[other] else each for each in group]
    return {f"pairs_of_{name}": count for name, count in said.items()} | {"events": len(set(group))}


def _overlap(one: Row, other: Row) -> bool:
    return bool(one["window_start"] < other["window_end"] and other["window_start"] < one["window_end"])


def main() -> None:
    """All detectors and budgets."""
    rows: list[dict[str, Any]] = []
    found: list[Opened] = []
    with TemporaryDirectory() as name:
        for detector, budget, allowed in BUDGETS:
            app = imported(Path(name), FILES, budget if detector == "surge" else 1.0)
            with app.reader() as reader:
                found.append(opened(reader, detector, FIRST, LAST))
                rows.append(measured(reader, detector, budget, allowed))
        by_detector = zip(BUDGETS, found, strict=True)
        known = [alert for (name, *_), each in by_detector if name == "surge" for alert in each.alerts]
        with app.reader() as reader:
            for row, each in zip(rows, found, strict=True):
                row |= {"opened": len(each.alerts), "mismatches": each.mismatches, **together(each.alerts)}
                if row["detector"] == "surge":
                    row["artefacts"] = artefacts(reader, each.alerts, row["budget"], known)
    write("detection_chicago", {"limits": LIMITS, "year": YEAR, "rows": rows})


if __name__ == "__main__":
    main()
