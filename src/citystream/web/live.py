"""The live stream: what each commit changed, to every page that is open, resumed where a page lost its line.

Events have the log offset up to which a page is after them. Those of the recent past are kept; who reads too slowly, or
comes back too late, is told to ask everything again.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

#: Seconds after which silence means a broken line.
HEARTBEAT: Final = 15.0
#: What is kept for each dataset.
_EVENTS, _BYTES = 512, 8 << 20
#: Events that may wait for one page.
_WAITING: Final = 64


@dataclass(frozen=True, slots=True)
class Event:
    """*name* and *data*; a page that had everything up to *since* is at *upto* after it."""

    name: str
    data: str
    since: int
    upto: int

    def text(self) -> bytes:
        """As it is sent."""
        return f"event: {self.name}\nid: {self.upto}\ndata: {self.data}\n\n".encode()


def event(name: str, data: Mapping[str, Any], since: int, upto: int) -> Event:
    """An event with *data* in JSON, which has no line breaks."""
    return Event(name, json.dumps(data, ensure_ascii=False), since, upto)


class Hub:
    """The stream of one dataset; `publish` may be called by any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: deque[Event] = deque(maxlen=_EVENTS)
        self._bytes = 0
        self._lines: set[Line] = set()
        self._closed = False

    def publish(self, *events: Event) -> None:
        """Send *events* to every page, in order, and keep them."""
        with self._lock:
            for one in events:
                self._keep(one)
            for line in self._lines:
                line.put(*events)

    def tell(self, one: Event) -> None:
        """Send an event to every page that listens now, and to no other."""
        with self._lock:
            for line in self._lines:
                line.put(one)

    def line(self, since: int | None, position: int) -> tuple[Line, list[Event] | None]:
        """A new page: what comes from now on, and what it missed since offset *since* (None: nothing, it is new).

        What it missed is None if it is not known here.
        """
        line = Line()
        with self._lock:
            missed = self._missed(since, position)
            if self._closed:
                line.close()
            self._lines.add(line)
        return line, missed

    def leave(self, line: Line) -> None:
        """A page that went away."""
        with self._lock:
            self._lines.discard(line)

    def close(self) -> None:
        """End every page's stream."""
        with self._lock:
            self._closed = True
            for line in self._lines:
                line.close()

    @property
    def pages(self) -> int:
        """How many listen."""
        return len(self._lines)

    def _keep(self, one: Event) -> None:
        if len(self._kept) == _EVENTS:
            self._bytes -= len(self._kept[0].data)
        self._kept.append(one)
        self._bytes += len(one.data)
        while self._bytes > _BYTES and len(self._kept) > 1:
            self._bytes -= len(self._kept.popleft().data)

    def _missed(self, since: int | None, position: int) -> list[Event] | None:
        if since is None or since == position:
            return []
        # what has no offset of its own may have been lost after the last that has: better twice than never
        kept = [one for one in self._kept if one.upto > since or one.since >= since]
        if kept and kept[0].since <= since and kept[-1].upto >= position and kept[0].name != "resync":
            return kept
        return None


class Line:
    """What waits for one page."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(_WAITING)

    def put(self, *events: Event) -> None:
        """From any thread: have the page get *events*."""
        self._call(self._put, events)

    def close(self) -> None:
        """From any thread: end the stream."""
        self._call(self._end)

    def _call(self, what: Callable[..., None], *given: object) -> None:
        with suppress(RuntimeError):  # its loop is over, and its page with it
            self._loop.call_soon_threadsafe(what, *given)

    async def next(self) -> Event | None:
        """The next event; None at the end. Raises `TimeoutError` after `HEARTBEAT` seconds."""
        return await asyncio.wait_for(self._events.get(), HEARTBEAT)

    def _put(self, events: tuple[Event, ...]) -> None:
        for one in events:
            if self._events.full():
                self._empty()
                one = resync(one.upto, "this page reads too slowly")  # noqa: PLW2901 -- stands for all that waited
            self._events.put_nowait(one)

    def _end(self) -> None:
        if self._events.full():
            self._empty()
        self._events.put_nowait(None)

    def _empty(self) -> None:
        while not self._events.empty():
            self._events.get_nowait()


def resync(position: int, why: str) -> Event:
    """Ask everything again."""
    return event("resync", {"position": position, "version": str(position), "why": why}, position, position)


async def sent(hub: Hub, line: Line, first: list[Event]) -> AsyncIterator[bytes]:
    """The bytes of one page's stream, from *first* on."""
    try:
        yield b"retry: 1000\n\n"
        for one in first:
            yield one.text()
        while True:
            try:
                one_or_end = await line.next()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if one_or_end is None:
                return
            yield one_or_end.text()
    finally:
        hub.leave(line)
