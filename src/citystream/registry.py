"""From a name in a city file or on the command line to the class that does the work.

Entries are lazy strings, so that nothing is imported before it is asked for; this is the one module that
imports inside a function. What lives outside this package registers itself as an entry point of the group
``citystream.<seam>``, for example ``citystream.portals``.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from citystream.errors import ConfigError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a named thing lives (``module:attribute``) and which extra brings what it needs."""

    path: str
    extra: str = ""


SEAMS: dict[str, dict[str, Entry]] = {
    "portals": {
        "arcgis": Entry("citystream.portals.arcgis:ArcgisPortal"),
        "ckan": Entry("citystream.portals.ckan:CkanPortal"),
        "files": Entry("citystream.portals.web_files:FilePortal"),
        "kafka": Entry("citystream.feeds.kafka_topic:KafkaFeed", "kafka"),
        "socrata": Entry("citystream.portals.socrata:SocrataPortal"),
    },
    "detectors": {"threshold": Entry("citystream.detect.threshold:Threshold")},
    "engines": {
        "drift": Entry("citystream.detect.engines:drift"),
        "scan": Entry("citystream.detect.engines:scan"),
        "sensor": Entry("citystream.detect.engines:sensor"),
        "surge": Entry("citystream.detect.engines:surge"),
    },
    "logs": {"kafka": Entry("citystream.log.kafka:KafkaLogs", "kafka")},
    "sinks": {
        "postgresql": Entry("citystream.sinks.postgresql:PostgresqlSink", "postgres"),
        "mysql": Entry("citystream.sinks.mysql:MysqlSink", "mysql"),
        "kafka": Entry("citystream.sinks.kafka:KafkaSink", "kafka"),
        "opensearch": Entry("citystream.sinks.search:SearchSink"),
        "parquet": Entry("citystream.sinks.parquet:ParquetSink"),
        "s3": Entry("citystream.sinks.parquet:ParquetSink"),
    },
    "targets": {
        "atom": Entry("citystream.notify.atom:AtomTarget"),
        "urls": Entry("citystream.notify.services:ServiceTarget", "notify"),
        "webhook": Entry("citystream.notify.webhook:WebhookTarget"),
    },
}


def nearest(word: str, known: Iterable[str]) -> str:
    """The sentence ``did you mean ...?`` for *word*, or the list of what is *known*."""
    names = sorted(known)
    close = get_close_matches(word.lower(), names, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names) or 'none'}"


def names(seam: str) -> list[str]:
    """All names of a *seam*, those of other packages included."""
    outside = {point.name for point in entry_points(group=f"citystream.{seam}")}
    return sorted(SEAMS.get(seam, {}).keys() | outside)


def has(seam: str, name: str) -> bool:
    """Whether *seam* has something of that *name*, in this package or another."""
    return name in SEAMS.get(seam, {}) or any(entry_points(group=f"citystream.{seam}", name=name))


def load(seam: str, name: str) -> Any:
    """The class behind *name*; raises `UnknownName`, or `ConfigError` when its extra is not installed."""
    entry = SEAMS.get(seam, {}).get(name)
    if entry is not None:
        return load_path(entry.path, entry.extra)
    for point in entry_points(group=f"citystream.{seam}", name=name):
        return _outside(point)
    raise UnknownName(f"no {seam.rstrip('s')} is called '{name}'", nearest(name, names(seam)))


def _outside(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"'{point.name}' ({point.value}) cannot be loaded: {error}", "repair or remove the package it comes from"
        ) from error


def load_path(path: str, extra: str = "") -> Any:
    """The object at ``module:attribute``."""
    module, _, attribute = path.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as missing:
        if not extra:
            raise
        raise ConfigError(
            f"'{path}' needs the package {missing.name}", f"pip install 'citystream[{extra}]'"
        ) from missing
