"""The bars that detectors have to clear on known streams, by the rows of `benchmarks.detection.through_store`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
#: At least, at most; None is no limit.
Limit = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """What *limits* the means over the streams of a *scenario* in rows that are *asked* for keep."""

    name: str
    scenario: str
    asked: Row
    limits: dict[str, Limit]


def _asked(detector: str, budget: float, judged: str = "cell", pad: float = 5.0, *, live: bool = False) -> Row:
    said = {"detector": detector, "budget": budget, "live": live, "form": "merged"}
    return said | {"judged": judged, "pad_hours": pad}


def _limits(false: Limit, found: float, **more: Limit) -> dict[str, Limit]:
    return {"false_a_week": false, "found": (found, None), **more}


_ONE, _FIVE = _asked("surge", 1.0), _asked("surge", 5.0)
_UP, _DOWN = _asked("drift", 0.5, "drift"), _asked("drift", 0.5, "drop")
_AREA, _BOTH = _asked("scan", 1.0, "area"), _asked("surge + scan", 0.5, "both")
BARS = (
    Bar("surge, final, B=1", "crime", _ONE, _limits((0.5, 1.3), 28.5, median_delay_h=(None, 5.0))),
    Bar("surge, final, B=5", "crime", _FIVE, _limits((3.8, 6.2), 33.5)),
    Bar("surge, final, B=1", "hard", _ONE, _limits((None, 1.4), 28)),
    Bar("surge, final, B=5", "hard", _FIVE, _limits((None, 6.5), 32.5)),
    Bar("surge, final, B=1", "calls", _ONE, _limits((None, 1.4), 22)),
    Bar("surge, final, B=5", "calls", _FIVE, {"found": (29, None)}),
    Bar("surge, final, B=2", "null", _asked("surge", 2.0), {"false_a_week": (1, 3.2)}),
    Bar("surge, live, B=1", "crime", _asked("surge", 1.0, live=True), _limits((0.5, 1.4), 19)),
    Bar("surge, live, B=1, second looks", "crime", _asked("surge", 1.0, pad=53.0, live=True), {"found": (24, None)}),
    Bar("scan, B=1", "crime", _AREA, _limits((None, 1.5), 22, diffuse_found=(7.5, None))),
    Bar("scan, B=1", "hard", _AREA, _limits((None, 1.5), 19, diffuse_found=(6.5, None))),
    Bar("surge and scan, B=0.5 each", "crime", _BOTH, _limits((None, 1.5), 30)),
    Bar("surge and scan, B=0.5 each", "hard", _BOTH, _limits((None, 1.5), 28)),
    Bar("drift, more", "crime", _UP, _limits((None, 1), 8, median_delay_h=(None, 240))),
    Bar("drift, fewer", "crime", _DOWN, _limits((None, 1), 7.5, median_delay_h=(None, 336))),
    Bar("drift, more", "hard", _UP, {"found": (7, None)}),
    Bar("drift, fewer", "hard", _DOWN, {"found": (7.5, None)}),
)


def bars_of(rows: Sequence[Row]) -> list[Row]:
    """Means beside their limits, as far as there are rows; and whether forms of one stream gave the same alarms."""
    said = [_against(bar, chosen) for bar in BARS if (chosen := _chosen(bar, rows))]
    return said + [_same(rows, live, form) for live, form in ((False, "merged"), (True, "first"))]


def _chosen(bar: Bar, rows: Sequence[Row]) -> list[Row]:
    def is_of(row: Row) -> bool:
        scenario = row["stream"].partition(":")[0]
        return scenario == bar.scenario and all(row[name] == value for name, value in bar.asked.items())

    return [row for row in rows if is_of(row)]


def _against(bar: Bar, rows: list[Row]) -> Row:
    said: Row = {"bar": f"{bar.scenario}: {bar.name}", "streams": len(rows)}
    kept = True
    for name, (least, most) in bar.limits.items():
        values = [row[name] for row in rows if row[name] is not None]
        mean = sum(values) / len(values) if values else None
        said[name], said[f"{name}_limit"] = mean and round(mean, 3), [least, most]
        kept &= mean is not None and (least is None or mean >= least) and (most is None or mean <= most)
    return said | {"ok": kept}


def _same(rows: Sequence[Row], live: bool, form: str) -> Row:
    """All records of incidents give the alarms that one record of each gives: the simulator's, or the first to come."""
    names = ("stream", "detector", "budget", "judged", "pad_hours")
    alarms = {(row["form"], *(row[name] for name in names)): row["alarms"] for row in rows if row["live"] == live}
    pairs = [(told, alarms.get((form, *key))) for (of, *key), told in alarms.items() if of == "records"]
    compared = [one == other for one, other in pairs if other is not None]
    what = f"{'live' if live else 'final'}: several records of incidents give the same alarms as one"
    return {"bar": what, "compared": len(compared), "ok": bool(compared) and all(compared)}
