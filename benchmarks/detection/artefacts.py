"""Whether an alert owes itself to how records are written: it is judged again without such records.

- times: exactly 00:00, 00:01 or 12:00, which stand for a time that is not known;
- firsts: on the first of a month (1 January included), at those minutes of a day at which the firsts of the history
  have at least one and a half times the records of other days;
- codes: with a code that was used for the first time less than a year before.

What the window would then usually count is lessened by the usual share of these minutes on other days. How wide counts
scatter follows from the alert's score, and how rare a score is from the alerts nearest in time. An alert that was only
just one falls without any of its records; it owes itself to how records are written only if it has more such records
than their usual share lets expect (binomial, 1 in 20).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binomtest

from citystream.detect.tail import tail_score
from citystream.detect.zone_clock import zone_clock
from citystream.store.reader import Reader

Row = dict[str, Any]
UNKNOWN = ("00:00", "00:01", "12:00")
KINDS = ("times", "firsts", "codes")
_HEAP, _FEWEST_HEAPED, _FEWEST = 1.5, 5, 3
_NEAREST, _RAREST_DAYS, _RARE = 60, 1000, 0.05
_DAY, _YEAR = timedelta(days=1), timedelta(days=365)
_EPOCH = datetime(1970, 1, 1)
_MINUTE = "strftime(occurred_local, '%H:%M') AS minute"


class Habits:
    """How the records of *table* before the year *until* are written."""

    def __init__(self, reader: Reader, table: str, zone: str, until: int) -> None:
        past = f"FROM {table} WHERE year(occurred_local) < {until}"
        self._clock = zone_clock(zone)
        self._usual: list[Row] = reader.query(
            f"SELECT type, {_MINUTE}, time_precision IN ('day', 'unknown') AS untimed, count(*) AS n {past} "
            "AND day(occurred_local) <> 1 GROUP BY ALL"
        ).to_pylist()
        days = reader.query(
            f"SELECT count(DISTINCT day) FILTER (day(day) = 1) AS firsts, count(DISTINCT day) FILTER (day(day) <> 1) "
            f"AS others FROM (SELECT occurred_local::DATE AS day {past})"
        ).to_pylist()[0]
        minutes = reader.query(
            f"SELECT {_MINUTE}, count(*) FILTER (day(occurred_local) = 1) / {days['firsts']} AS firsts, "
            f"count(*) FILTER (day(occurred_local) <> 1) / {days['others']} AS others {past} GROUP BY 1"
        ).to_pylist()
        self.heaped = sorted(
            each["minute"] for each in minutes if each["firsts"] >= max(_FEWEST_HEAPED, _HEAP * each["others"])
        )
        codes = reader.query(
            f"SELECT native_code AS code, min(occurred_local) AS begun FROM {table} GROUP BY 1"
        ).to_pylist()
        self._begun: dict[str, datetime] = {each["code"]: each["begun"] for each in codes}
        self._since = min(self._begun.values())

    def usual_share(self, alert: Row, minutes: Sequence[str]) -> float:
        """The share of *minutes* in what windows like that of *alert* usually count."""
        slots = np.arange(*((alert[name] - _EPOCH) // timedelta(minutes=30) for name in ("window_start", "window_end")))
        halves = set(self._clock(slots)[1].tolist())
        whole_day = alert["window_end"] - alert["window_start"] >= _DAY
        counted = [
            row
            for row in self._usual
            if row["type"] == alert["type"] and (whole_day or not row["untimed"]) and _half(row["minute"]) in halves
        ]
        whole = sum(row["n"] for row in counted)
        return sum(row["n"] for row in counted if row["minute"] in minutes) / whole if whole else 0.0

    def is_new(self, record: Row) -> bool:
        """Whether its code was used for the first time in the year before, and not only because the records begin."""
        begun, at = self._begun[record["native_code"]], record["occurred_local"]
        return bool(begun > self._since + _YEAR and begun > at - _YEAR)

    def without(self, kind: str, alert: Row) -> tuple[int, float]:
        """The incidents and the expected number of *alert* without those that are of one of `KINDS`."""
        left = len({each["incident"] for each in alert["records"] if not self._is_odd(kind, each)})
        expected = float(alert["expected"])
        return left, expected * (1 - self.share(kind, alert)) if left < alert["observed"] else expected

    def share(self, kind: str, alert: Row) -> float:
        """The usual share of records of one of `KINDS` in what *alert* counts; of new codes it is 0."""
        return 0.0 if kind == "codes" else self.usual_share(alert, UNKNOWN if kind == "times" else self.heaped)

    def has_many(self, kind: str, alert: Row) -> bool:
        """Whether *alert* has more records of a kind than their usual share lets expect."""
        whole = len(alert["records"])
        odd = sum(self._is_odd(kind, each) for each in alert["records"])
        return bool(binomtest(odd, whole, self.share(kind, alert), "greater").pvalue < _RARE) if odd else False

    def _is_odd(self, kind: str, record: Row) -> bool:
        if kind == "codes":
            return self.is_new(record)
        if kind == "times":
            return record["minute"] in UNKNOWN
        return record["occurred_local"].day == 1 and record["minute"] in self.heaped


def fallen(kind: str, habits: Habits, alerts: Sequence[Row], budget: float, known: Sequence[Row]) -> list[Row]:
    """Those of *alerts* that would not be one without the records of *kind*, at a *budget*; *known*: alerts of any
    budget that say how rare scores are.
    """
    return [alert for alert in alerts if not _stands(alert, *habits.without(kind, alert), budget, known)]


def _stands(alert: Row, observed: int, expected: float, budget: float, known: Sequence[Row]) -> bool:
    if observed == alert["observed"]:
        return True
    if observed < _FEWEST or observed <= expected:
        return False
    score = float(tail_score(*(np.array([float(each)]) for each in (observed, expected, _spread(alert))))[0])
    near = sorted(known, key=lambda each: abs(each["window_end"] - alert["window_end"]))
    near = [each for each in near if each["recurrence_days"] <= _RAREST_DAYS][:_NEAREST]
    slope, edge = np.polyfit([each["score"] for each in near], np.log10([each["recurrence_days"] for each in near]), 1)
    return bool(slope * score + edge >= np.log10(7 / budget))


def _spread(alert: Row) -> float:
    """1/r by which *alert* got its score."""
    observed, expected = (np.array([float(alert[name])]) for name in ("observed", "expected"))

    def too_much(log_spread: float) -> float:
        return float(tail_score(observed, expected, np.array([10.0**log_spread]))[0]) - float(alert["score"])

    return float(10.0 ** brentq(too_much, -6.0, 4.0))


def _half(minute: str) -> int:
    hours, minutes = minute.split(":")
    return int(hours) * 2 + int(minutes) // 30
