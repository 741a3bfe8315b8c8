"""Everything that the server knows at a time: the datasets of the store, each in memory, and which of them changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock

from citystream.app import App
from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.errors import QueryError, StorageError, UnknownName
from citystream.registry import nearest
from citystream.store.database import FILE, signs
from citystream.store.reader import Reader
from citystream.web.arriving import arriving, slot_of
from citystream.web.columns import Columns
from citystream.web.engine import Anew, Engine, Loading
from citystream.web.query import Memory, Query
from citystream.web.reading import Readers
from citystream.web.selection import Cancelled, Superseded, never


class Busy(StorageError):
    """It is not there yet, or a writer keeps it; it will be."""


class NotCounted(QueryError):
    """Readings are measured."""


@dataclass(frozen=True, slots=True)
class Held:
    """A dataset in memory; *fetched_at*: when the newest record of its tables was (UTC)."""

    engine: Engine
    memory: Memory
    fetched_at: datetime | None

    @contextmanager
    def asking(self, cancelled: Cancelled = never) -> Iterator[Query]:
        """Questions of what stands now. Raises `Superseded` if nobody waits for the answer any more."""
        with self.engine.lock:
            if cancelled():
                raise Superseded("a newer request came", "drop this answer")
            yield Query(self.engine, self.engine.state, self.memory, cancelled)


@dataclass(frozen=True, slots=True)
class Move:
    """What a commit did to a dataset: its columns *before* and *after*; before is None if all was read anew."""

    dataset: str
    before: Columns | None
    after: Columns


@dataclass
class Board:
    """*app*'s store in memory. `follow` brings it up to the store; everything else only reads.

    *looked*: whether the store was ever seen; *moved* hears what changed, while the store is still open.
    """

    app: App
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    looked: bool = False
    moved: Callable[[Reader, Sequence[Move]], None] = field(default=lambda _reader, _moves: None)
    _following: RLock = field(default_factory=RLock)

    def __post_init__(self) -> None:
        self.readers = Readers(self.app.turn, self.app.reader)

    def dataset(self, name: str) -> Dataset:
        """A dataset of the store; raises `UnknownName`."""
        if name not in self.datasets:
            raise UnknownName(f"the store has no dataset '{name}'", nearest(name, self.datasets))
        return self.datasets[name]

    def counted(self, name: str) -> Held:
        """A dataset whose events are in memory. Raises `UnknownName`, `NotCounted`, or `Busy` while it is read in."""
        dataset = self.dataset(name)
        if dataset.kind == READING:
            raise NotCounted(f"{name} has readings, which are measured and not counted", "ask /api/readings")
        held = self.held.get(name)
        if held is None:
            raise Busy(f"{name} is being read in", "try again in a few seconds")
        return held

    def signs(self) -> object:
        """What tells one state of the store's file from another; None if there is none."""
        return signs(self.app.config.data)

    def stored(self) -> bool:
        """Whether there is a store."""
        return (self.app.config.data / FILE).exists()

    def counted_names(self) -> list[str]:
        """The datasets whose events are in memory, or will be."""
        return [name for name, dataset in self.datasets.items() if dataset.kind != READING]

    def loaded(self) -> dict[str, Held]:
        """The datasets in memory at this moment, undisturbed by what is read in meanwhile."""
        return dict(self.held)

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """The store, and memory up to it."""
        with self.readers.reader() as reader:
            self._take(reader)
            yield reader

    def follow(self) -> bool:
        """Bring memory up to the store; whether anything changed."""
        loading: list[tuple[Loading, datetime | None]] = []
        with self.readers.reader() as reader:
            changed = self._take(reader, loading)
        for each, fetched_at in loading:
            engine = each.done()
            with self._following:
                self.held[engine.dataset.name] = Held(engine, Memory(), fetched_at)
        settled = [held.engine.settle() for held in self.loaded().values()]
        if loading:
            self._tell_anew([each.engine for each, _ in loading])
        return changed or bool(loading) or any(settled)

    def _tell_anew(self, engines: Sequence[Engine]) -> None:
        with self.readers.reader() as reader:
            self.moved(reader, [Move(each.dataset.name, None, each.state.columns) for each in engines])

    def _take(self, reader: Reader, loading: list[tuple[Loading, datetime | None]] | None = None) -> bool:
        """Follow every dataset to what *reader* sees; those to be read anew only if there is somewhere to put them."""
        with self._following:
            self.datasets, self.looked = dict(reader.datasets), True
            at = dict(_fetched(reader))
            moves = []
            for name, dataset in self.datasets.items():
                if dataset.kind == READING:
                    continue
                try:
                    moves += self._followed(reader, name, at.get(name))
                except Anew:
                    self.held.pop(name, None)
                    if loading is not None:
                        loading.append((Engine.of(reader, dataset), at.get(name)))
                        loading[-1][0].engine.arriving = arriving(reader, dataset)
            for gone in self.held.keys() - self.datasets.keys():
                del self.held[gone]
            if moves:
                self.moved(reader, moves)
            return bool(moves)

    def _followed(self, reader: Reader, name: str, fetched_at: datetime | None) -> list[Move]:
        """What changed in a dataset. Raises `Anew`, also if it was never read."""
        held = self.held.get(name)
        if held is None:
            raise Anew
        with held.engine.lock:
            before = held.engine.refresh(reader)
        if before is None:
            return []
        if slot_of(fetched_at) != slot_of(held.fetched_at):
            held.engine.arriving = arriving(reader, held.engine.dataset)
        self.held[name] = replace(held, fetched_at=fetched_at)
        return [Move(name, before, held.engine.state.columns)]


def _fetched(reader: Reader) -> list[tuple[str, datetime | None]]:
    rows = reader.query("SELECT dataset, fetched_at FROM positions").to_pylist() if reader.datasets else []
    return [(row["dataset"], row["fetched_at"]) for row in rows]
