"""The store, opened for several questions at a time: whoever comes while it is open shares the turn.

A turn that is old takes nobody else in, so that a writer never waits for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Lock
from typing import Final

from citystream.store.reader import Reader

#: Seconds for which a turn takes others in.
_OPEN: Final = 0.5


class Readers:
    """Readers of one store; *turn* is having it to this thread's side, *reader* opens it."""

    def __init__(self, turn: Callable[[], AbstractContextManager[None]], reader: Callable[[], Reader]) -> None:
        self._turn, self._reader = turn, reader
        self._lock = Lock()
        self._shared: _Turn | None = None

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """The store, when it is the turn of its readers. Raises `StorageError`."""
        turn = self._joined() or self._taken()
        try:
            with self._reader() as reader:
                yield reader
        finally:
            self._leave(turn)

    def _joined(self) -> _Turn | None:
        """The turn that is open, if it takes somebody in."""
        with self._lock:
            turn = self._shared
            if turn is None or time.monotonic() - turn.since > _OPEN:
                return None
            turn.users += 1
            return turn

    def _taken(self) -> _Turn:
        held = ExitStack()
        held.enter_context(self._turn())
        turn = _Turn(held, time.monotonic())
        with self._lock:
            self._shared = turn
        return turn

    def _leave(self, turn: _Turn) -> None:
        """The last to leave gives the turn back."""
        with self._lock:
            turn.users -= 1
            last = turn.users == 0
            if last and self._shared is turn:
                self._shared = None
        if last:
            turn.held.close()


class _Turn:
    """A turn that *users* share since a moment."""

    def __init__(self, held: ExitStack, since: float) -> None:
        self.held, self.since, self.users = held, since, 1
