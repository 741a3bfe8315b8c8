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
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

_PATIENCE = 60.0


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


@contextmanager
def server(
    command: Sequence[str], log: Path, answers: Callable[[], object], unready: type[Exception], stop: signal.Signals
) -> Iterator[None]:
    """Run *command* until the end of the block; *answers* raises *unready* as long as it does not serve."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd="/", stdout=output, stderr=output, start_new_session=True)
        try:
            _wait(process, log, answers, unready)
            yield
        finally:
            process.send_signal(stop)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path, answers: Callable[[], object], unready: type[Exception]) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            answers()
        except unready:
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the server did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")
            time.sleep(0.05)
        else:
            return
