"""A line to a server that can be cut: refused, or silent, as a network is that swallows everything."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from tests.services.running import free_port

_SLICE = 0.05
_PART = 1 << 16
State = Literal["open", "refused", "silent"]


class Line:
    """Carries what comes to `port` to *target* (host, port) and back, as long as its state is ``open``.

    ``refused``: nobody listens, and what was connected is reset. ``silent``: connections are made and stay, and nothing
    goes through them.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target, self.port = target, free_port()
        self._state: State = "open"
        self._over = threading.Event()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def to(self, address: str) -> str:
        """*address* of a server, by way of this line."""
        parts = urlsplit(address)
        user = f"{parts.username}@" if parts.username else ""
        return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{self.port}"))

    def set(self, state: State) -> None:
        """What happens on it from now on."""
        self._state = state

    def start(self) -> None:
        """Begin to listen."""
        self._listener = self._listening()
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._over.set()
        self._thread.join()

    def _listening(self) -> socket.socket:
        made = socket.create_server(("127.0.0.1", self.port), backlog=64)
        made.setblocking(False)
        return made

    def _serve(self) -> None:
        while not self._over.is_set():
            if self._state == "refused":
                self._drop()
                self._over.wait(_SLICE)
                continue
            if self._listener is None:
                self._listener = self._listening()
            self._take()
            if self._state == "open":
                self._carry()
            else:
                self._over.wait(_SLICE)
        self._drop()

    def _drop(self) -> None:
        """Nobody listens any more."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for pair in self._pairs:
            for each in pair:
                each.close()
        self._pairs.clear()

    def _take(self) -> None:
        assert self._listener is not None
        with suppress(BlockingIOError):
            here, _ = self._listener.accept()
            try:
                there = socket.create_connection(self.target, timeout=2)
            except OSError:
                here.close()
                return
            for each in (here, there):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                each.settimeout(5)
            self._pairs.append((here, there))

    def _carry(self) -> None:
        """What there is to read goes on, for a moment."""
        with selectors.DefaultSelector() as ready:
            assert self._listener is not None
            ready.register(self._listener, selectors.EVENT_READ)
            for here, there in self._pairs:
                ready.register(here, selectors.EVENT_READ, (here, there))
                ready.register(there, selectors.EVENT_READ, (there, here))
            for key, _ in ready.select(_SLICE):
                if key.data:
                    self._pass_on(*key.data)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            part = source.recv(_PART)
            if part:
                target.sendall(part)
                return
        except OSError:
            pass
        for pair in [pair for pair in self._pairs if source in pair]:
            self._pairs.remove(pair)
            for each in pair:
                each.close()


@contextmanager
def line(address: str) -> Iterator[tuple[Line, str]]:
    """A line to the server of *address*, and the address by way of it."""
    parts = urlsplit(address)
    made = Line((parts.hostname or "127.0.0.1", parts.port or 0))
    made.start()
    try:
        yield made, made.to(address)
    finally:
        made.stop()
