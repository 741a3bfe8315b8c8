"""Who asks, and whether anybody still waits: the newest question of a page ends its older ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from citystream.web.selection import Cancelled, never

#: Pages that are remembered.
_MOST: Final = 1_000


class Newest:
    """The newest question of each page, by a key of the page's own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking: OrderedDict[str, threading.Event] = OrderedDict()

    def begin(self, page: str) -> Cancelled:
        """A new question of *page* ('' for one that has no key); returns what tells whether a newer one came."""
        if not page:
            return never
        mine = threading.Event()
        with self._lock:
            before = self._asking.pop(page, None)
            self._asking[page] = mine
            while len(self._asking) > _MOST:
                self._asking.popitem(last=False)
        if before is not None:
            before.set()
        answered: Callable[[], bool] = mine.is_set
        return answered
