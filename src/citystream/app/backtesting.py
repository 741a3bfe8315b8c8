"""What a detector would have said of a dataset's past, and how well it would have stood.

The history of a store is told to a new detector as it was published: records that came live when they were first seen,
those of an archive a lag after they occurred. Nothing is written, and the alerts of the store stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import duckdb
import pyarrow as pa

from citystream import schema
from citystream.app.following import Following
from citystream.app.statements import statement
from citystream.app.trial import asked_rightly, detector_rule
from citystream.catalog.dataset import Dataset, DetectorRule
from citystream.catalog.detectors import check_areas
from citystream.catalog.measures import READING, SENSOR, check_detectors
from citystream.detect.episode_rows import Row
from citystream.errors import ConfigError
from citystream.follow import PAST
from citystream.store.reader import Reader

_DAY = timedelta(days=1)
_EVERYTHING = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of *dataset* for a detector of *rule*: nearly all of it was published between *first* and *last*
    (UTC). *replayed* makes the rows of `schema.EPISODE` that follow from it; the store need not be open for that.
    """

    dataset: str
    rule: DetectorRule
    first: datetime
    last: datetime
    replayed: Callable[[], list[Row]]


@dataclass(frozen=True, slots=True)
class Fared:
    """How the alerts of one year or type (*name*; '' is all) fared in so many *weeks*.

    *delay_hours*: from the beginning of the window that raised an alert until then, the median; *provisional*: raised
    while little was known; *withdrawn*: taken back at some time; *joined*: became part of another one; *revised*: shown
    with another count of the same window.
    """

    name: str
    weeks: float
    alerts: int
    provisional: int
    delay_hours: float | None
    withdrawn: int
    joined: int
    revised: int

    @property
    def a_week(self) -> float | None:
        """Alerts a week; None where no time passed."""
        return self.alerts / self.weeks if self.weeks else None


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a detector of *rule* said between *first* and *until* (UTC)."""

    dataset: str
    rule: DetectorRule
    first: datetime
    until: datetime
    all: Fared
    years: tuple[Fared, ...]
    types: tuple[Fared, ...]


def backtest_rule(dataset: Dataset, detector: str, budget: float | None) -> DetectorRule:
    """The rule of *dataset* for *detector*, its first one that follows if that is '', with another *budget* if it is
    given. Raises `UnknownName` or `ConfigError`.
    """
    asked = {rule.name: rule.parameters for rule in dataset.detectors if rule.follows}
    name = detector or next(iter(asked), SENSOR if dataset.kind == READING else "surge")
    changed = {} if budget is None else {"budget": budget}
    rule = detector_rule(name, asked.get(name, {}) | changed)
    with asked_rightly():
        check_detectors(dataset.kind, [rule], dataset)
        check_areas([rule], dataset.beats, published=dataset.columns.beat is not None)
    return rule


def read_past(reader: Reader, name: str, rule: DetectorRule) -> Past:
    """The past of the dataset *name*, for the detector of *rule*. Raises `ConfigError` if it has none."""
    dataset, history = reader.datasets[name], reader.history(name)
    span = history.span(_EVERYTHING)
    if span is None:
        raise ConfigError(f"{name} has no events with a time", "citystream import, or citystream run, first")
    first, last = max(span[0], span[1] - PAST) + dataset.lag, span[1] + dataset.lag
    return Past(name, rule, first, last, Following.replay(dataset, rule, history))


def backtest(past: Past, first: date | None, last: date | None) -> Backtest:
    """Replay *past*; alerts are counted that were raised from the day *first* to the day *last* (UTC), where they are
    given. Raises `ConfigError` if nothing was known then.
    """
    since = datetime.combine(first, time()) if first else datetime.min
    until = datetime.combine(last, time()) + _DAY if last else datetime.max
    period = max(since, past.first), min(until, past.last)
    if period[0] >= period[1]:
        told = f"it has events that were known from {past.first:%Y-%m-%d} to {past.last:%Y-%m-%d}"
        raise ConfigError(f"{past.dataset}: there is nothing between these days", told)
    found = _counted(pa.Table.from_pylist(past.replayed(), schema.EPISODE), since, until)
    fared = {what: tuple(_fared(row, period) for row in found if row["what"] == what) for what in ("year", "type")}
    everything = next(row for row in found if row["what"] == "all")
    return Backtest(past.dataset, past.rule, *period, _fared(everything, period), fared["year"], fared["type"])


def _counted(replayed: pa.Table, since: datetime, until: datetime) -> list[dict[str, object]]:
    bounds = {"first": since, "until": until}
    with duckdb.connect() as engine:
        engine.register("replayed", replayed)
        rows: list[dict[str, object]] = engine.sql(statement("backtest"), params=bounds).to_arrow_table().to_pylist()
        return rows


def _fared(row: dict[str, object], period: tuple[datetime, datetime]) -> Fared:
    """A row of the statement, over the weeks of *period* that are of its year."""
    first, until = period
    name = str(row["name"])
    if row["what"] == "year":
        first, until = max(first, datetime(int(name), 1, 1)), min(until, datetime(int(name) + 1, 1, 1))
    weeks = max((until - first) / timedelta(weeks=1), 0.0)
    counts = {each: int(str(row[each])) for each in ("alerts", "provisional", "withdrawn", "joined", "revised")}
    delay = row["delay_hours"]
    return Fared(name, weeks, delay_hours=delay if isinstance(delay, float) else None, **counts)
