"""A server on this machine that messages are posted to: it keeps them, and answers as it is told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass(frozen=True)
class Received:
    """One request: its path, its headers (in small letters), its body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """*answers*: what comes next is answered by these statuses, 0 cuts the connection without an answer, -1 ends the
    process *victim* before; then everything is taken (200).
    """

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    victim: int = 0
    arrived: Event = field(default_factory=Event)

    def answer(self) -> int:
        status = self.answers.pop(0) if self.answers else 200
        if status < 0:
            os.kill(self.victim, signal.SIGKILL)
        return max(status, 0)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            receiver.arrived.set()
            status = receiver.answer()
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
