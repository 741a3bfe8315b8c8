"""Ctrl-C and SIGTERM: the first asks to stop at the next safe place, the second ends at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

import pyarrow as pa

from citystream.cli.output import say

INTERRUPTED = 130
_SLICE = 0.1


class Stopping:
    """Used with ``with``; calling it tells whether someone said stop."""

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stopping:
        # Arrow would answer Ctrl-C itself, in the middle of a file
        pa.enable_signal_handlers(False)
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._hear) for each in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)

    def __call__(self) -> bool:
        return self._asked

    def ask(self) -> None:
        """Stop at the next safe place."""
        self._asked = True

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until someone says stop."""
        until = time.monotonic() + seconds
        while not self._asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(_SLICE, left))

    def wait(self) -> None:
        """Wait until someone says stop."""
        while not self._asked:
            time.sleep(_SLICE)

    def _hear(self, _signal: int, _frame: FrameType | None) -> None:
        if self._asked:
            os._exit(INTERRUPTED)
        self._asked = True
        say("\nstopping at the next safe place; once more ends at once (nothing that was committed is lost)")
