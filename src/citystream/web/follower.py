"""A thread that brings memory up to the store: when the pipeline of this process says so, or when the file changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from citystream.app.delivering import News
from citystream.errors import CitystreamError
from citystream.web.board import Board

_LOG: Final = logging.getLogger("citystream.web")
#: Seconds between looks at the file.
_LOOKS: Final = 1.0


class Follower:
    """Follows *board*'s store between `start` and `stop`; *news* tells of commits, and is told of those
    of other processes; *failed* hears what goes wrong.
    """

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
        seen = self._board.signs()
        waiting = any(name not in self._board.held for name in self._board.counted_names())
        if seen is None or (seen == self._seen and not waiting):
            return False
        changed = self._board.follow()
        self._seen = seen
        return changed

    def _run(self) -> None:
        heard = 0
        while not self._stop.is_set():
            told, seen = self._news.count, self._seen
            try:
                self.look()
                if self._seen != seen and told == heard:  # another process wrote: who waits for news hears it from here
                    self._news.tell()
            except CitystreamError as error:
                self._failed(error)
                self._stop.wait(_LOOKS)
            except Exception:  # a page that stands still without a word is worse than what went wrong
                _LOG.exception("the store could not be followed, and is tried again")
                self._stop.wait(_LOOKS)
            heard = told
            self._news.wait(told, _LOOKS, self._stop.is_set)
