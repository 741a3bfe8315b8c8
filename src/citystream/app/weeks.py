"""The table of one week: which types had more incidents than the same season of earlier years lets expect.

Counts are of incidents and local weeks from Monday. Judged are only weeks of which at least 95 % is usually in; weeks
without records, as between files, are missing and not zero. With fewer than 60 weeks there is no season to compare
with: then a week is judged by what surge's model expects of seven days, and the table says so. See
`citystream.detect.weekly`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import pyarrow as pa

from citystream.app.completeness import COMPLETE, Known, incidents, known_of
from citystream.app.seven_days import Asked, expected_by_surge
from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.detect.learning import DAYS_COLD
from citystream.detect.weekly import Weekly, WeekTable
from citystream.errors import ConfigError
from citystream.store.reader import Reader
from citystream.store.views import quoted

By = Literal["district", "city"]
Basis = Literal["season", "surge"]
#: Counts below this are not shown, and nothing that would tell them.
LEAST = 5
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_YEARS_READ = 5
#: A day with less than this share of a usual one is one of which records are missing, where a usual day has this many.
_HOLE, _USUAL = 0.1, 10
_NEWEST = 0.25

WEEK_ROW = pa.schema(
    [
        pa.field("dataset", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("week", pa.string()),
        pa.field("monday", pa.date32()),
        pa.field("type", pa.string()),
        pa.field("district", pa.string()),
        pa.field("observed", pa.int64()),
        pa.field("shown", pa.string()),
        pa.field("expected", pa.float64()),
        pa.field("upper", pa.float64()),
        pa.field("q", pa.float64()),
        pa.field("unusual", pa.bool_()),
        pa.field("basis", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Week:
    """The table of the week of *monday*: *rows* are `WEEK_ROW`, the rarest first; compared with the same season of
    *years* before it, or, where there is none, with what surge expects by *days* before it (*provisional*: fewer than
    56 of them); *since*: the first day that counts; *completeness*: the share of the week that is usually in;
    *learnt*: whether that was learnt, or is by the catalogue's lag.
    """

    monday: date
    rows: pa.Table
    years: int
    days: int
    since: date
    completeness: float
    learnt: bool

    @property
    def basis(self) -> Basis:
        """What rows were judged by."""
        return "season" if self.years else "surge"

    @property
    def provisional(self) -> bool:
        """Whether that rests on little."""
        return self.basis == "surge" and self.days < DAYS_COLD


@dataclass(frozen=True, slots=True)
class DaysSeen:
    """Local days with records: from the *first* to the *last* that is no straggler, and the *holes* between."""

    first: date
    last: date
    holes: tuple[date, ...]


def week_table(reader: Reader, name: str, week: date | None, by: By) -> Week:
    """The table of the week of a day (None: the newest complete one). Raises `ConfigError` with the reason if there is
    none.
    """
    dataset = reader.datasets[name]
    if dataset.kind == READING:
        raise ConfigError(f"{name} has readings, which are measured and not counted", "citystream alerts has theirs")
    known = known_of(reader, dataset)
    days = days_seen(reader, dataset)
    newest = newest_complete(known, days)
    asked = monday_of(week) if week else newest
    if asked > newest:
        raise ConfigError(
            f"{name}: the week {named(asked)} is not complete: {_why(known, days, asked)}",
            f"the newest complete week is {named(newest)}: --week {named(newest)}",
        )
    since = max([days.first, *(each.last + _DAY for each in dataset.series_breaks if each.last < asked)])
    lacking = [each for each in days.holes if monday_of(each) == asked]
    if asked < since or lacking:
        said = f"{lacking[0]} has hardly any records" if lacking else f"what can be compared begins on {since}"
        raise ConfigError(f"{name}: the week {named(asked)} has no table: {said}", f"--week {named(newest)}")
    return _table(reader, known, asked, (since, days.holes), by)


def monday_of(day: date) -> date:
    """The Monday of its week."""
    return day - day.weekday() * _DAY


def named(monday: date) -> str:
    """A week as people name it: ``2016-W05``."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def week_completeness(known: Known, monday: date) -> float:
    """The share of a week that is usually in by now."""
    return float(np.mean([known.of_day(monday + each * _DAY)[0] for each in range(7)]))


def days_seen(reader: Reader, dataset: Dataset) -> DaysSeen:
    """Raises `ConfigError` if there are none."""
    found = reader.query(
        f'SELECT occurred_local::DATE AS day, count(*) AS n FROM "{dataset.table}" WHERE occurred_local IS NOT NULL '
        "AND type IS NOT NULL GROUP BY ALL ORDER BY day"
    )
    if not len(found):
        raise ConfigError(f"{dataset.name} has no events with a day", "citystream import, or citystream run, first")
    counts = dict(zip(found["day"].to_pylist(), found["n"].to_pylist(), strict=True))
    usual = float(np.median(list(counts.values())))
    real = [day for day, count in counts.items() if count >= _NEWEST * usual]
    span = [real[0] + place * _DAY for place in range((real[-1] - real[0]).days + 1)]
    holes = tuple(day for day in span if usual >= _USUAL and counts.get(day, 0) < _HOLE * usual)
    return DaysSeen(real[0], real[-1], holes)


def newest_complete(known: Known, days: DaysSeen) -> date:
    """The Monday of the newest complete week. Raises `ConfigError` if there is none."""
    monday = monday_of(days.last + _DAY) - _WEEK
    while monday >= days.first:
        if week_completeness(known, monday) >= COMPLETE and not any(monday_of(each) == monday for each in days.holes):
            return monday
        monday -= _WEEK
    name = known.dataset.name
    raise ConfigError(
        f"{name} has no complete week: records are of {days.first} to {days.last}, and "
        f"{_why(known, days, monday + _WEEK)}",
        "wait, or import older files",
    )


def _why(known: Known, days: DaysSeen, monday: date) -> str:
    """Why a week is not complete."""
    if monday + _WEEK - _DAY > days.last:
        return f"records reach to {days.last}"
    by = "by the delays seen so far" if known.learnt else "by the catalogue's lag, as too few delays were seen"
    share = f"{week_completeness(known, monday):.0%}".replace("%", " %")
    return f"{share} of it is usually in by now, {by}"


def _table(reader: Reader, known: Known, monday: date, past: tuple[date, tuple[date, ...]], by: By) -> Week:
    since, holes = past
    first = max(since, date(monday.year - _YEARS_READ, 1, 1))
    counts = week_counts(reader, known.dataset, (first, monday + _WEEK - _DAY), by)
    cells = sorted({_cell(row) for row in counts})
    place = {cell: number for number, cell in enumerate(cells)}
    weekly = Weekly(len(cells))
    weekly.take(
        np.array([place[_cell(row)] for row in counts], np.int64),
        np.array([row["monday"] for row in counts], "datetime64[D]"),
        np.array([row["n"] for row in counts], np.int64),
    )
    plain, days = None, 0
    if not weekly.years(np.datetime64(monday), np.datetime64(first)):
        plain, days = expected_by_surge(reader, known, Asked(monday, first, frozenset(holes), tuple(cells)))
    table = weekly.table(np.datetime64(monday), np.datetime64(first), np.array(holes, "datetime64[D]"), plain)
    rows = _rows(known.dataset, monday, cells, table)
    return Week(monday, rows, table.years, days, first, week_completeness(known, monday), known.learnt)


def week_counts(reader: Reader, dataset: Dataset, days: tuple[date, date], by: By) -> list[dict[str, object]]:
    """Incidents by week, type and district; sensitive types, and all of a city, have none."""
    sensitive = f"SELECT type FROM ({reader.meanings()}) WHERE dataset = {quoted(dataset.name)} AND sensitive"
    district = f"CASE WHEN type NOT IN ({sensitive}) THEN district END" if by == "district" else "NULL::VARCHAR"
    there = f"district IS NOT NULL OR type IN ({sensitive})" if by == "district" else "true"
    rows: list[dict[str, object]] = reader.query(
        f"SELECT date_trunc('week', day)::DATE AS monday, type, {district} AS district, count(*) AS n "
        f"FROM ({incidents(dataset, *days)}) WHERE {there} GROUP BY ALL"
    ).to_pylist()
    return rows


def _cell(row: dict[str, object]) -> tuple[str, str]:
    return str(row["type"]), str(row["district"] or "")


def _rows(dataset: Dataset, monday: date, cells: list[tuple[str, str]], table: WeekTable) -> pa.Table:
    """The rarest first; of counts below 5 there is nothing that would tell them."""
    order = np.lexsort((-table.observed, np.nan_to_num(table.q, nan=2.0), table.observed < LEAST))
    rows = []
    for place in order.tolist():
        observed, (kind, district) = int(table.observed[place]), cells[place]
        open_ = observed >= LEAST or not observed
        numbers = (float(each[place]) for each in (table.expected, table.upper, table.q))
        expected, upper, q = (None if np.isnan(each) else each for each in numbers)
        rows.append(
            {
                "dataset": dataset.name,
                "kind": dataset.kind,
                "week": named(monday),
                "monday": monday,
                "type": kind,
                "district": district or None,
                "observed": observed if open_ else None,
                "shown": str(observed) if open_ else f"<{LEAST}",
                "expected": expected,
                "upper": upper,
                "q": q if open_ else None,
                "unusual": bool(table.alarm[place]) if open_ else None,
                "basis": "season" if table.years else "surge",
            }
        )
    return pa.Table.from_pylist(rows, WEEK_ROW)
