"""The server's state, and how its questions are asked: in threads, the newest first, never for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from citystream.store.reader import Reader
from citystream.web import news
from citystream.web.asking import Newest
from citystream.web.board import Board, Busy, Held, Move
from citystream.web.live import Hub, event
from citystream.web.query import Query
from citystream.web.standing import Pipeline, Standings, Visited

T = TypeVar("T")

#: Seconds that an answer waits for the store.
PATIENCE: Final = 30.0


@dataclass
class Site:
    """The server's state: *board* has the data, *hubs* the live streams, *pipeline* what this process brings in."""

    board: Board
    pipeline: Pipeline = field(default_factory=Pipeline)
    newest: Newest = field(default_factory=Newest)
    hubs: dict[str, Hub] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.board.moved = self._moved
        self.standings = Standings(self.board)
        self.counting, self.reading = anyio.CapacityLimiter(2), anyio.CapacityLimiter(6)

    def hub(self, dataset: str) -> Hub:
        """The live stream of a dataset."""
        return self.hubs.setdefault(dataset, Hub())

    def visited(self, visit: Visited) -> None:
        """A visit of the pipeline ended."""
        self.pipeline.last[visit.dataset] = visit
        held = self.board.held.get(visit.dataset)
        if held is not None:
            at = held.engine.state.columns.position
            said = {"dataset": visit.dataset, "state": visit.state, "at": visit.at.isoformat(), "detail": visit.detail}
            self.hub(visit.dataset).tell(event("status", said, at, at))

    def close(self) -> None:
        """End the live streams, so that the server can stop."""
        for hub in list(self.hubs.values()):
            hub.close()

    async def count(self, held: Held, page: str, work: Callable[[Query], T]) -> T:
        """What *work* finds in memory, in a thread; a newer question of the same *page* ends it."""
        cancelled = self.newest.begin(page)

        def run() -> T:
            with held.asking(cancelled) as query:
                return work(query)

        return await anyio.to_thread.run_sync(run, limiter=self.counting)

    async def read(self, work: Callable[[Reader], T]) -> T:
        """What *work* finds in the store, in a thread. Raises `Busy` as `aside`, or if a writer keeps it for long."""

        def run() -> T:
            with self.board.reader() as reader:
                return work(reader)

        return await self.aside(run)

    async def aside(self, work: Callable[[], T]) -> T:
        """What *work* finds in files and logs, in a thread. Raises `Busy` if that takes too long."""
        with anyio.move_on_after(PATIENCE):
            return await anyio.to_thread.run_sync(work, limiter=self.reading, abandon_on_cancel=True)
        raise Busy("a writer keeps the store, or a log does not answer", "try again in a few seconds")

    def _moved(self, reader: Reader, moves: Sequence[Move]) -> None:
        for move in moves:
            hub = self.hub(move.dataset)
            if hub.pages or move.before is None:
                hub.publish(*news.told(self.board, reader, move))
