"""A look at a file: its header and a few rows, and of a large one no more than its beginning is fetched."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from citystream.catalog.look import Look
from citystream.errors import FileRefused
from citystream.portals.content import kind_of
from citystream.portals.files import beginning
from citystream.portals.http import HttpClient
from citystream.portals.looking import sampled
from citystream.portals.web_file import moment, refused

#: So much of a file on a web server is fetched, if its first bytes are enough to read its first rows.
ENOUGH: Final = 1 << 20
#: What a file is read as, one after the other, until its letters are letters.
ENCODINGS: Final = ("utf-8", "windows-1252")


def look_at_file(path: Path, rows: int, home: str = "") -> Look:
    """The file at *path*, which people know as *home*. Raises `FileRefused`."""
    for encoding in ENCODINGS:
        try:
            columns, first = beginning(path, rows, encoding=encoding)
        except FileRefused:
            if encoding == ENCODINGS[-1]:
                raise
            continue
        said = () if encoding == ENCODINGS[0] else (f"it is not UTF-8: import it with --encoding {encoding}",)
        title = Path(home or path.name).stem.split(".")[0]
        return Look(home or str(path), columns, title, sample=sampled(first), remarks=said)
    raise AssertionError("the last encoding returns or raises")


def look_at_web_file(client: HttpClient, url: str, rows: int) -> Look:
    """The file at *url*. Raises `PortalError`, also for a web page in its place."""
    with tempfile.TemporaryDirectory(prefix="citystream-") as folder:
        path = Path(folder) / (url.rpartition("/")[2].partition("?")[0] or "file")
        _fetch(client, url, path)
        try:
            found = look_at_file(path, rows, url)
        except FileRefused as refusal:
            raise refused(refusal, url, path) from refusal
    told = client.head(url)
    return Look(
        found.home,
        found.columns,
        found.title,
        updated_at=moment(told.get("Last-Modified", "")),
        moved_to=client.moved.get(url, ""),
        sample=found.sample,
        remarks=found.remarks,
    )


def _fetch(client: HttpClient, url: str, path: Path) -> None:
    """Its whole lines that come first, where lines are enough; else all of it."""
    head, whole = client.get_beginning(url, ENOUGH)
    if not whole and not _of_lines(path, head):
        client.download(url, path)
        return
    path.write_bytes(head if whole else head[: head.rfind(b"\n") + 1])


def _of_lines(path: Path, head: bytes) -> bool:
    """Whether the beginning of a file can be read without its end."""
    packed = head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"))
    if packed or b"\0" in head:
        return False
    try:
        return kind_of(path, head) in ("csv", "jsonl")
    except FileRefused:
        return False
