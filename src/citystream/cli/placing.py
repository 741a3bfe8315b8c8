"""Files that are there whole or not at all: written beside their place, then put into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from citystream.errors import ConfigError, StorageError


@contextmanager
def placed(path: Path, *, force: bool) -> Iterator[Path]:
    """A temporary name that becomes *path* when all went well; an existing file is replaced only with *force*.

    Raises `ConfigError` if it may not be replaced, `StorageError` if it cannot be written.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a folder", "name a file in it")
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already", "choose another name, or overwrite it with --force")
    beside = path.with_name(f".{uuid4().hex[:8]}-{path.name}")  # what follows the name may look at its suffix
    try:
        yield beside
        os.replace(beside, path)  # noqa: PTH105 -- Path.replace says the same in other words
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}", "choose another place, or free some space") from error
    finally:
        beside.unlink(missing_ok=True)
