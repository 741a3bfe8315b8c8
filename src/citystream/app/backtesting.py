"""What a detector would have said of a dataset's past, and how well it would have stood.

The history of a store is told to a new detector as it was published: records that came live when they were first seen,
those of an archive a lag after they occurred. Nothing is written, and the alerts of the store stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files

import pyarrow as pa

from citystream import schema
from citystream.app.following import Following
from citystream.app.trial import detector_rule
from citystream.catalog.dataset import Dataset, DetectorRule
from citystream.errors import ConfigError
from citystream.follow import PAST
from citystream.store.reader import Reader
from citystream.store.views import quoted

_DAY = timedelta(days=1)
_EVERYTHING = (1 << 63) - 1


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
    name = detector or next(iter(asked), "surge")
    changed = {} if budget is None else {"budget": budget}
    return detector_rule(name, asked.get(name, {}) | changed)


def backtest(reader: Reader, name: str, rule: DetectorRule, first: date | None, last: date | None) -> Backtest:
    """Replay the dataset *name*; alerts are counted that were raised from the day *first* to the day *last* (UTC),
    where they are given. Raises `ConfigError` if there is nothing to replay.
    """
    dataset, history = reader.datasets[name], reader.history(name)
    span = history.span(_EVERYTHING)
    if span is None:
        raise ConfigError(f"{name} has no events with a time", "citystream import, or citystream run, first")
    known = max(span[0], span[1] - PAST) + dataset.lag, span[1] + dataset.lag
    since = datetime.combine(first, time()) if first else known[0]
    until = datetime.combine(last, time()) + _DAY if last else known[1]
    if since >= until:
        raise ConfigError(f"{name}: there is nothing between {since:%Y-%m-%d} and {until:%Y-%m-%d}", _told(*known))
    reader.lend("replayed", pa.Table.from_pylist(Following.replay(dataset, rule, history), schema.EPISODE))
    period = max(since, known[0]), min(until, known[1])
    found = _counted(reader, since if first else datetime.min, until if last else datetime.max)
    fared = {what: tuple(_fared(row, period) for row in found if row["what"] == what) for what in ("year", "type")}
    everything = next(row for row in found if row["what"] == "all")
    return Backtest(name, rule, *period, _fared(everything, period), fared["year"], fared["type"])


def _told(first: datetime, last: datetime) -> str:
    return f"it has events that were known from {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _counted(reader: Reader, since: datetime, until: datetime) -> list[dict[str, object]]:
    text = files("citystream.app").joinpath("backtest.sql").read_text("utf-8")
    bounds = {"first": f"{quoted(since.isoformat())}::TIMESTAMP", "until": f"{quoted(until.isoformat())}::TIMESTAMP"}
    rows: list[dict[str, object]] = reader.query(text.format(**bounds)).to_pylist()
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
