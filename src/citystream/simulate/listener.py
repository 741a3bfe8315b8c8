"""An ASGI application served from a thread of this process, on the loopback interface unless told otherwise."""

from __future__ import annotations

import errno
import socket
import threading
import time

import uvicorn
from starlette.types import ASGIApp

from citystream.errors import ConfigError


class Listener:
    """Serves *app* on *host* and *port* (0: a free one) between `start` and `stop`."""

    def __init__(self, app: ASGIApp, port: int, host: str = "127.0.0.1") -> None:
        self._app = app
        self._port = port
        self._host = host
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it answers; before `start` the port may still be 0."""
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

    def start(self) -> None:
        """Serve until `stop`. Raises `ConfigError` if the address is no address of this machine, or taken."""
        sock = self._bound()
        self._port = int(sock.getsockname()[1])
        # the date in an answer is the portal's affair: its clock is not this machine's
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_level="critical",
            access_log=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([sock],), name="listener", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)

    def _bound(self) -> socket.socket:
        # named as TCP, else the server's small packets wait for acknowledgements: 40 ms for every answer
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((self._host, self._port))
        except OSError as error:
            sock.close()
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                what = f"{self._host} is no address of this machine"
                raise ConfigError(what, "choose another with --host") from error
            raise ConfigError(f"port {self._port} is taken", "choose another with --port, or 0") from error
        return sock

    def stop(self) -> None:
        """Answer what is being answered and stop; nothing happens if it is not serving."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=5)
        self._server = self._thread = None
