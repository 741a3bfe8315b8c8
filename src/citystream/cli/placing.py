"""Files that are there whole or not at all: written beside their place, then put into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

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
    try:
        # a folder of its own, because the name may say in which format
        with TemporaryDirectory(dir=path.parent, prefix=".") as beside:
            yield Path(beside) / path.name
            os.replace(Path(beside) / path.name, path)  # noqa: PTH105 -- here it is known to be on the same disk
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}", "choose another place, or free some space") from error
