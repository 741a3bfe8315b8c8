"""When visits ended, as lines of one file beside the segments.

A line has the offset, the time, whether it was the whole, and a check of these (CRC-32). All lines are equally long, so
that the one of any number is found without reading those before it. Each is synced before it counts. A last line that
a dying disk or process left torn never counted: it is not read, and is cut off before anything is written.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final
from zlib import crc32

from citystream.errors import LogDamaged, StorageError
from citystream.log.disk import sync_folder
from citystream.ports import Visited

#: Offset, time, whole, check and the end of the line, with a blank between each two.
_LINE: Final = 19 + 1 + 19 + 1 + 1 + 1 + 8 + 1


class VisitFile:
    """The visits in the file at *path*, which is made when the first one is noted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def recover(self) -> None:
        """Before writing: cut off a torn last line."""
        last = max(self._size() - 1, 0) // _LINE
        if any(_visited(line) is None for line in self._lines(last)):
            os.truncate(self.path, last * _LINE)

    def note(self, visited: Visited) -> None:
        """Append a line, durably: it is there whole when this returns, or not at all."""
        size = self._size()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._append(_line(visited))
            if not size:
                sync_folder(self.path.parent)
        except OSError as error:
            with suppress(OSError):
                os.truncate(self.path, size)
            raise StorageError(
                f"{self.path}: the log cannot be written: {error.strerror or error}",
                "free space or grant write access, then run again",
            ) from error

    def read(self, first: int) -> list[Visited]:
        """Those from number *first* on. Raises `LogDamaged` if one that is not the last cannot be read."""
        found = [_visited(line) for line in self._lines(first)]
        if found and found[-1] is None:
            found.pop()
        whole = [each for each in found if each is not None]
        if len(whole) < len(found):
            raise LogDamaged(
                f"{self.path}: line {first + found.index(None) + 1} cannot be read",
                "restore it from a backup; a torn last line is cut off by the next import or run",
            )
        return whole

    def _append(self, line: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _lines(self, first: int) -> list[bytes]:
        """The lines from number *first* on; the last one may be shorter than it should be."""
        try:
            with self.path.open("rb") as file:
                file.seek(first * _LINE)
                text = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise LogDamaged(
                f"{self.path}: it cannot be read: {error.strerror or error}", "restore it from a backup"
            ) from error
        return [text[start : start + _LINE] for start in range(0, len(text), _LINE)]

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


def _line(visited: Visited) -> bytes:
    said = f"{visited.off:019d} {visited.finished_at.isoformat(timespec='seconds')} {visited.whole:d}".encode()
    return b"%b %08x\n" % (said, crc32(said))


def _visited(line: bytes) -> Visited | None:
    """What *line* says; None if it is not what was written."""
    said, _, check = line.rpartition(b" ")
    if check != b"%08x\n" % crc32(said):
        return None
    off, at, whole = said.decode().split()
    return Visited(int(off), datetime.fromisoformat(at), whole == "1")
