"""A thread that brings memory up to the store: when the pipeline of this process says so, or when the file changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from citystream.app.delivering import News
from citystream.errors import CitystreamError
from citystream.store.database import FILE
from citystream.web.board import Board

#: Seconds between looks at the file.
_LOOKS: Final = 1.0


class Follower:
    """Follows *board*'s store between `start` and `stop`; *news* tells of commits, *failed* hears what goes wrong."""

    def __init__(self, board: Board, news: News, failed: Callable[[CitystreamError], None]) -> None:
        self._board, self._news, self._failed = board, news, failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._seen: object = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done."""
        self._stop.set()
        self._news.tell()
        self._thread.join(timeout=30)

    def look(self) -> bool:
        """Follow the store now, if it may have changed; whether it had."""
        seen = self._signs()
        waiting = any(name not in self._board.held for name in self._board.counted_names())
        if seen is None or (seen == self._seen and not waiting):
            return False
        changed = self._board.follow()
        self._seen = seen
        return changed

    def _run(self) -> None:
        while not self._stop.is_set():
            told = self._news.count
            try:
                self.look()
            except CitystreamError as error:
                self._failed(error)
                self._stop.wait(_LOOKS)
            self._news.wait(told, _LOOKS, self._stop.is_set)

    def _signs(self) -> object:
        """What tells one state of the file from another, None if there is none."""
        signs = []
        for name in (FILE, f"{FILE}.wal"):
            with suppress(OSError):
                stat = (self._board.app.config.data / name).stat()
                signs.append((name, stat.st_mtime_ns, stat.st_size))
        return tuple(signs) or None
