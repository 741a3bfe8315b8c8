"""A detector on a stream with known answers: through a log, typed rows and a store of its own, as in a live city."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from pydantic import ValidationError

from citystream import registry, schema
from citystream.app.following import Following
from citystream.app.outcome import Watch
from citystream.app.statements import statement
from citystream.app.trial_stream import Places, read_stream, stream_dataset
from citystream.catalog.dataset import Dataset, DetectorRule
from citystream.catalog.detectors import check_areas
from citystream.config import Config
from citystream.conform.conformer import Conformer
from citystream.errors import ConfigError, UnknownName
from citystream.log.segments import SegmentLog
from citystream.ports import Visited
from citystream.process import process
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.reader import Reader
from citystream.store.views import quoted

_HALF_HOUR = timedelta(minutes=30)
#: When an alert went on to the newest window. Whole days are judged when they are in, which may be days later.
_WINDOWS_GO_ON = "last_alarm = make_timestamp(clock * 1800000000)"
_DAYS_GO_ON = "last_alarm > newest"


def detector_rule(name: str, parameters: Mapping[str, object]) -> DetectorRule:
    """The detector *name*, one that follows a store, with *parameters*; raises `UnknownName` or `ConfigError`."""
    if not registry.has("engines", name):
        known = registry.nearest(name, registry.names("engines"))
        raise UnknownName(f"no detector that follows a store is called '{name}'", known)
    with asked_rightly():
        return DetectorRule.model_validate({"name": name, **parameters})


@contextmanager
def asked_rightly() -> Iterator[None]:
    """What is wrong with a rule, or does not fit a dataset, is a `ConfigError`."""
    try:
        yield
    except ValueError as error:
        text = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise ConfigError(text.removeprefix("Value error, "), "choose another --detector or --budget") from error


def trial_rule(name: str, budget: float, *, live: bool) -> DetectorRule:
    """The detector *name* as a stream wants it: where nothing comes late, days are learnt from once they are over."""
    rule = detector_rule(name, {"budget": budget})
    early = not live and "learn_after" in inspect.signature(registry.load("engines", name)).parameters
    return detector_rule(name, {"budget": budget, "learn_after": 1}) if early else rule


def alarms_on(
    stream: Path, places: Places, rule: DetectorRule, config: Config, watch: Watch, *, live: bool
) -> pa.Table:
    """What the detector of *rule* says of the file *stream*, in order: ``time`` (end of the half hour that raised it),
    ``type``, ``district``, ``beats``, ``recurrence_days``, ``direction``; one row for each alarm and half hour.

    Everything is kept in a temporary folder. Raises `FileRefused`.
    """
    with asked_rightly():
        about = stream_dataset(rule, places)
        check_areas([rule], about.beats, published=True)
    records = read_stream(stream, about, places, live=live)
    with TemporaryDirectory() as name:
        folder = Path(name)
        _follow(about, records, folder, config, watch)
        with Reader(folder, memory_limit=config.text("memory_limit")) as reader:
            goes_on = _DAYS_GO_ON if rule.name == "drift" else _WINDOWS_GO_ON
            asked = {"table": about.table, "detector": quoted(rule.name), "goes_on": goes_on}
            return reader.query(statement("alarms").format(**asked))


def _follow(about: Dataset, records: pa.Table, folder: Path, config: Config, watch: Watch) -> None:
    """*records* into a log and a store in *folder*, and its detectors up to their end."""
    log = SegmentLog(folder / "log")
    # the last half hour is over when something is fetched after it
    after = records[schema.FETCHED_AT][-1].as_py() + _HALF_HOUR
    log.note_visit(Visited(log.append([records]), after, whole=False))
    threads = config.integer("threads")
    with Database(folder, memory_limit=config.text("memory_limit"), threads=threads) as database:
        database.require(about)
        store = DatasetStore(database.connection, about, [])
        process(
            log,
            store,
            Conformer(about, threads),
            batch_rows=config.integer("batch_rows"),
            stopping=watch.stopping,
            progress=watch.on("counting"),
        )
        if store.position() == log.end():
            Following().bring_up(about, store)
