"""The store's tables, delivered to the places a user names, and how far each of them is."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from citystream import registry
from citystream.catalog.dataset import Dataset
from citystream.errors import ConfigError, SinkError, StorageError, UnknownName
from citystream.ports import Delta, Sink
from citystream.publish import Difference, Published, publish, verify
from citystream.registry import nearest
from citystream.store.deltas import Deltas
from citystream.store.reader import Reader
from citystream.store.spool import spooled

#: Other words for the kinds of sinks in an address.
_ALIASES = {"postgres": "postgresql", "mariadb": "mysql", "elasticsearch": "opensearch", "file": "parquet"}


@dataclass(frozen=True, slots=True)
class SinkState:
    """How far the sink at *address* has *dataset*: its log offset *position*, when it was reached (UTC), and what was
    wrong at the last attempt, '' if nothing.
    """

    address: str
    dataset: str
    position: int
    at: str
    error: str = ""


def kind_of(address: str) -> str:
    """The kind of sink at *address*, by what stands before ``://``; a path alone is a folder of Parquet files."""
    scheme = address.partition("://")[0].partition("+")[0].lower() if "://" in address else "parquet"
    kind = _ALIASES.get(scheme, scheme)
    known = registry.names("sinks")
    if kind not in known:
        written = "://... or ".join(name for name in known if name != "parquet")
        raise ConfigError(f"nothing can be delivered to '{shown(address)}'", f"write {written}://..., or a folder")
    return kind


def shown(address: str) -> str:
    """*address* without a password."""
    return re.sub(r"(://[^/@:]*):[^@/]*@", r"\1:...@", address)


class _DefinedAnew(Exception):
    """The store has a dataset by another definition than was known."""


class Publishing:
    """Deliveries from the store in *data*; *reader* opens it, *clock* gives the time in UTC."""

    def __init__(
        self, data: Path, reader: Callable[[], AbstractContextManager[Reader]], clock: Callable[[], datetime]
    ) -> None:
        self._data, self._reader, self._clock = data, reader, clock
        self._known: dict[str, Dataset] = {}

    def names(self) -> list[str]:
        """Every dataset that the store has."""
        with self._reader() as reader:
            return list(reader.datasets)

    def check(self, address: str) -> None:
        """Raise `ConfigError` if nothing can ever be delivered to *address* as it is written here; whether it answers
        is not asked for.
        """
        with suppress(SinkError), self._sink(address):
            pass

    def publish(self, name: str, address: str, *, rebuild: bool = False) -> Published:
        """Bring the sink at *address* to the state of the store for one dataset; how it went is remembered."""
        dataset = self._known.get(name) or self._dataset(name)
        with self._sink(address) as sink, self._aside() as aside:
            try:
                done = self._published(dataset, sink, aside, rebuild=rebuild)
            except SinkError as error:
                self._remember(address, name, None, error.message)
                raise
            self._remember(address, name, done.position, "")
            return done

    def _published(self, known: Dataset, sink: Sink, aside: Callable[[Delta], Delta], *, rebuild: bool) -> Published:
        """By the definition that is *known*, unless the store has another one by now."""
        name = known.name
        try:
            return publish(known, lambda: self._deliveries(name, known), sink, aside, rebuild=rebuild)
        except _DefinedAnew:
            return publish(self._dataset(name), lambda: self._deliveries(name), sink, aside, rebuild=rebuild)

    def verify(self, name: str, address: str) -> list[Difference]:
        """Where the sink at *address* differs from the store."""
        dataset = self._dataset(name)
        with self._sink(address) as sink, self._deliveries(name) as deliveries:
            return verify(dataset, deliveries, sink)

    def states(self) -> list[SinkState]:
        """How far each sink is that anything was ever delivered to from here."""
        found = sorted((self._data / "sinks").glob("*.json"))
        return [SinkState(**state) for path in found for state in json.loads(path.read_text("utf-8"))]

    def _dataset(self, name: str) -> Dataset:
        """By the definition with which its tables were made."""
        with self._reader() as reader:
            if name not in reader.datasets:
                raise UnknownName(f"the store has no dataset '{name}'", nearest(name, reader.datasets))
            self._known[name] = reader.datasets[name]
            return reader.datasets[name]

    @contextmanager
    def _deliveries(self, name: str, known: Dataset | None = None) -> Iterator[Deltas]:
        with self._reader() as reader:
            if known is not None and reader.datasets.get(name) != known:
                raise _DefinedAnew
            yield Deltas(reader, reader.datasets[name])

    @contextmanager
    def _aside(self) -> Iterator[Callable[[Delta], Delta]]:
        """What puts changes into files, which are there until the end of the block."""
        try:
            with TemporaryDirectory(prefix=".spool-", dir=self._data) as folder:
                yield lambda delta: spooled(delta, Path(folder))
        except OSError as error:
            raise StorageError(
                f"{self._data}: the changes cannot be put aside: {error.strerror or error}",
                "free space or grant write access; the sink goes on where it was",
            ) from error

    @contextmanager
    def _sink(self, address: str) -> Iterator[Sink]:
        sink: Sink = registry.load("sinks", kind_of(address))(address)
        try:
            yield sink
        finally:
            sink.close()

    def _remember(self, address: str, name: str, position: int | None, error: str) -> None:
        folder = self._data / "sinks"
        folder.mkdir(exist_ok=True)
        path = folder / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.json"
        before = json.loads(path.read_text("utf-8")) if path.exists() else []
        known = {state["dataset"]: SinkState(**state) for state in before}
        was = known.get(name, SinkState(shown(address), name, 0, ""))
        at = self._clock().isoformat(timespec="seconds") if position is not None else was.at
        known[name] = SinkState(was.address, name, was.position if position is None else position, at, error)
        new = path.with_suffix(".new")
        new.write_text(json.dumps([asdict(known[each]) for each in sorted(known)], indent=1), "utf-8")
        new.replace(path)
