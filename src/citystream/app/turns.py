"""Who has the store open, of the threads of one process: each in its turn, in the order in which they asked.

The engine opens a file for reading or for writing, not for both at once; a lock that is not fair would leave a sink
waiting behind a writer that comes back every moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, get_ident


class Turns:
    """Turns at one thing. Who has it and asks again would wait for ever, and is told so (`RuntimeError`)."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._asked = self._served = 0
        self._holder = 0

    @contextmanager
    def taken(self, *, shared: bool = False) -> Iterator[None]:
        """Wait for the turn, and have it until the end of the block. *shared*: other threads use it too, and which of
        them leaves last is not known, so that it is nobody's own.
        """
        if self._holder == get_ident():
            raise RuntimeError("this thread has its turn already")
        with self._changed:
            ticket = self._asked
            self._asked += 1
            self._changed.wait_for(lambda: self._served == ticket)
        self._holder = 0 if shared else get_ident()
        try:
            yield
        finally:
            self._holder = 0
            with self._changed:
                self._served += 1
                self._changed.notify_all()
