"""Files in a folder of this machine or under a prefix of a bucket: the few things that a snapshot needs of either."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout
from pyarrow import fs

from citystream.errors import ConfigError, SinkError

#: Seconds: to connect, for an answer, for others to finish delivering.
_CONNECT, _ANSWER, _TURN = 10, 120, 60
_ATTEMPTS = 4
#: What a store of objects says when asking again would not help.
_FOR_GOOD = re.compile(
    r"ACCESS_DENIED|AccessDenied|NO_SUCH_BUCKET|NoSuchBucket|bucket does not exist|INVALID_ACCESS_KEY_ID|"
    r"InvalidAccessKeyId|SIGNATURE_DOES_NOT_MATCH|SignatureDoesNotMatch|HTTP (response )?(code|status) 40[0134]",
    re.IGNORECASE,
)


class Lake:
    """Where the files are: ``s3://bucket/prefix``, ``file:///folder``, or a plain path. Names within it have ``/``.

    Failures are OSErrors; `failures` turns them into `SinkError`.
    """

    def __init__(self, address: str) -> None:
        self.shown = address
        if address.startswith("s3://"):
            self._files, self._root, self._local = *_bucket(address), False
        else:
            self._files, self._root, self._local = fs.LocalFileSystem(), str(_folder(address)), True

    @property
    def grace(self) -> timedelta:
        """How old a file that nobody knows must be to be nobody's: here nobody else is writing (`turn`)."""
        return timedelta() if self._local else timedelta(hours=1)

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Inside, nobody else writes what is called *name* (on this machine; a bucket has no locks)."""
        if not self._local:
            yield
            return
        Path(self._root).mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._at(f".{name}.lock"), timeout=_TURN)
        try:
            lock.acquire()
        except Timeout:
            raise SinkError(f"{self.shown}: another delivery takes long", "wait for its end", passing=True) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def failures(self, dataset: str) -> Iterator[None]:
        """What a file system raises inside becomes a `SinkError`."""
        try:
            yield
        except OSError as error:
            said = " ".join(str(error).split())
            passing = not self._local and not _FOR_GOOD.search(said)
            raise SinkError(f"{self.shown}: {dataset}: {said}", self._hint(error, said), passing=passing) from error

    def _hint(self, error: OSError, said: str) -> str:
        if isinstance(error, FileNotFoundError):
            return "a file that the manifest names is not there: publish again with --rebuild"
        if self._local:
            return "free space there, or make the folder writable; then publish again"
        if _FOR_GOOD.search(said):
            return (
                "say AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION in the environment; the bucket must exist"
            )
        return "nothing that readers see has changed; publish again"

    def read(self, name: str) -> bytes | None:
        """A small file, whole; None if there is none."""
        if self._files.get_file_info(self._at(name)).type is not fs.FileType.File:
            return None
        with self._files.open_input_stream(self._at(name)) as file:
            return bytes(file.read())

    def replace(self, name: str, content: bytes) -> None:
        """A small file, so that a reader sees the old or the new one whole: by renaming, or by one PUT."""
        if not self._local:
            with self._files.open_output_stream(self._at(name)) as file:
                file.write(content)
            return
        path = Path(self._at(name))
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(content)
        _sync(new)
        new.replace(path)
        _sync(path.parent)

    def put(self, name: str, source: Path) -> None:
        """A new file with the content of *source*, durably."""
        if self._local:
            path = Path(self._at(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, path)
            _sync(path)
            _sync(path.parent)
            return
        with source.open("rb") as old, self._files.open_output_stream(self._at(name)) as new:
            shutil.copyfileobj(old, new, 1 << 22)

    def get(self, name: str, target: Path) -> None:
        """The content of a file into *target*."""
        with self._files.open_input_stream(self._at(name)) as old, target.open("wb") as new:
            shutil.copyfileobj(old, new, 1 << 22)

    def path(self, name: str) -> tuple[fs.FileSystem, str]:
        """For `pyarrow`: a file system, and what *name* is called there."""
        return self._files, self._at(name)

    def remove(self, name: str) -> None:
        """Take a file away, and here the folder that it leaves empty; it may be gone already."""
        try:
            self._files.delete_file(self._at(name))
        except FileNotFoundError:
            return
        folder = Path(self._at(name)).parent
        if self._local and folder != Path(self._root) and not any(folder.iterdir()):
            folder.rmdir()

    def remove_folder(self, name: str) -> None:
        """Take a folder away with everything in it; it may be gone already."""
        if self._files.get_file_info(self._at(name)).type is fs.FileType.Directory:
            self._files.delete_dir(self._at(name))

    def listing(self, folder: str) -> list[fs.FileInfo]:
        """All files under *folder*; `named` says what they are called."""
        selector = fs.FileSelector(self._at(folder), allow_not_found=True, recursive=True)
        return [info for info in self._files.get_file_info(selector) if info.type is fs.FileType.File]

    def named(self, info: fs.FileInfo) -> str:
        """What a listed file is called within the lake."""
        return str(info.path)[len(self._root) :].lstrip("/")

    def modified(self, name: str) -> datetime:
        """When a file was written, by the clock of whoever keeps it."""
        found: datetime = self._files.get_file_info(self._at(name)).mtime
        return found

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"


def _folder(address: str) -> Path:
    if "://" not in address:
        return Path(address).expanduser().absolute()
    parts = urlsplit(address)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path:
        raise ConfigError(f"{address}: not a folder of this machine", "write file:///folder, or the path alone")
    return Path(unquote(parts.path))


def _bucket(address: str) -> tuple[fs.FileSystem, str]:
    """The store of objects, and bucket and prefix; who we are says the environment alone."""
    parts = urlsplit(address)
    if "@" in parts.netloc or parts.query or not parts.netloc or ":" in parts.netloc:
        raise ConfigError(
            "s3: the address must be s3://bucket/prefix and nothing else",
            "all else belongs into the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_S3",
        )
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    scheme, _, host = endpoint.rpartition("://")
    files = fs.S3FileSystem(
        region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        scheme=scheme or "https",
        endpoint_override=host.rstrip("/") or None,
        connect_timeout=_CONNECT,
        request_timeout=_ANSWER,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
    )
    return files, f"{parts.netloc}/{parts.path.strip('/')}".rstrip("/")


def _sync(path: Path) -> None:
    """Have it on the disk, not only on its way there."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
