"""Starting a server, waiting until it answers, stopping it; and what to do where it is not installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

_PATIENCE = 90.0


def unavailable(service: str, package: str) -> NoReturn:
    """Skip, and say why; where a missing service is a fault (CI), fail."""
    reason = f"{service} is not installed (Debian: apt-get install {package})"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def own_folder(user: str) -> Iterator[Path]:
    """A temporary folder that belongs to *user* if we are root: servers refuse to be root themselves."""
    folder = Path(tempfile.mkdtemp(prefix="citystream-service-"))
    try:
        if os.getuid() == 0:
            shutil.chown(folder, user, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_user(user: str) -> list[str]:
    """The words before a command that run it as *user* if we are root."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.getuid() == 0 else []


@dataclass(slots=True)
class Server:
    """A server that can be killed, and started again with the same data on the same port.

    *answers* raises *unready* as long as it does not serve; *ends_on* ends it in good order.
    """

    command: Sequence[str]
    log: Path
    answers: Callable[[], object]
    unready: type[Exception]
    ends_on: signal.Signals
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """The process that runs."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                self.answers()
            except self.unready:
                if self._process is None or self._process.poll() is not None or time.monotonic() > until:
                    pytest.fail(f"the server did not start:\n{self.log.read_text('utf-8', 'replace')[-3000:]}")
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it at once, with all the processes that it began."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def end(self) -> None:
        """End it in good order, if it ends."""
        if self._process is None:
            return
        self._process.send_signal(self.ends_on)
        try:
            self._process.wait(20)
            self._process = None
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def running(server: Server) -> Iterator[None]:
    """*server* until the end of the block."""
    try:
        server.start()
        yield
    finally:
        server.end()
