"""What a data folder remembers of the topic that is a dataset's log: which one it is, and where to look for cursors."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from citystream.errors import StorageError

FILE: Final = "kafka.json"


@dataclass(frozen=True, slots=True)
class Remembered:
    """*topic* and *id*: which topic; *cursor*: partition and offset of the newest record with cursors, *seen*: up to
    where of each partition that is known.
    """

    topic: str
    id: str
    cursor: tuple[int, int] | None = None
    seen: tuple[int, ...] = ()


def read(folder: Path) -> Remembered | None:
    """What *folder* remembers, None if nothing. Raises `StorageError` if it cannot be read."""
    path = folder / FILE
    try:
        said = json.loads(path.read_text("utf-8"))
        cursor = said["cursor"]
        return Remembered(said["topic"], said["id"], tuple(cursor) if cursor else None, tuple(said["seen"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f"{path}: it cannot be read: {error}",
            "remove it if you are sure that the topic is still the one that it was: it is made again",
        ) from error


def write(folder: Path, remembered: Remembered) -> None:
    """Remember it in *folder*."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"{FILE}.new"
        new.write_text(json.dumps(asdict(remembered)), "utf-8")
        new.replace(folder / FILE)
    except OSError as error:
        raise StorageError(
            f"{folder}: it cannot be written: {error.strerror or error}", "free space or grant write access"
        ) from error
