"""The one writer of a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from citystream.errors import CitystreamError, StorageError, StoreBusy
from citystream.ports import Log

LOCK = "writer.lock"


@contextmanager
def locked(folder: Path, log: Log) -> Iterator[None]:
    """Hold the lock of *folder*, with *log* made ready for writing; raises `StoreBusy` if another process has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK, timeout=0):
            log.recover()
            yield
    except Timeout as error:
        raise StoreBusy(
            f"another citystream is writing to {folder}", "wait until it has finished, or stop it"
        ) from error
    except CitystreamError:
        raise
    except OSError as error:
        raise StorageError(
            f"{folder}: {error.strerror or error}", "choose another folder with --data, or grant write access"
        ) from error
