"""What a file is, judged by how it begins; and a clear no to what cannot be rows.

The name of a file is not asked: exports are renamed, and an error page is often saved as ``Crimes.csv``.
"""

from __future__ import annotations

import codecs
import html
import re
from pathlib import Path
from typing import Final, Literal

from citystream.errors import FileRefused

Kind = Literal["csv", "json", "geojson", "jsonl", "parquet"]

UTF16_BOMS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

#: As much of a file as is looked at.
HEAD: Final = 1 << 20

_MAGIC: Final = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"II*\x00", "an image (TIFF)"),
    (b"MM\x00*", "an image (TIFF)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (xls)"),
    (b"SQLite format 3", "an SQLite database"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ", "packed with xz"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1f\x8b", "packed twice with gzip"),
    (b"\x28\xb5\x2f\xfd", "packed twice with zstd"),
    (b"ARROW1", "an Arrow file"),
)
_FEATURES: Final = re.compile(rb'"features"\s*:\s*\[')
_COLLECTION: Final = re.compile(rb'"type"\s*:\s*"FeatureCollection"')
_TITLE: Final = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HTML: Final = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


def refuse_binary(path: Path, head: bytes, encoding: str) -> None:
    """Raise `FileRefused` if *head* (unpacked) is of a known binary kind, or has bytes that no text has."""
    what = _zip(head) or next((words for magic, words in _MAGIC if head.startswith(magic)), "")
    wide = encoding.lower().startswith(("utf-16", "utf-32", "utf_16", "utf_32", "utf16", "utf32"))
    if not what and not wide and b"\0" in head and not head.startswith(UTF16_BOMS):
        what = "binary data, not text"
    if what:
        raise FileRefused(f"{path}: is {what}", "export it as CSV, JSON, GeoJSON or Parquet")


def _zip(head: bytes) -> str:
    if not head.startswith(b"PK\x03\x04"):
        return ""
    return "an Excel workbook (xlsx)" if b"[Content_Types].xml" in head or b"xl/" in head else "a ZIP archive"


def kind_of(path: Path, head: bytes) -> Kind:
    """The format of a text (*head*: its first bytes, UTF-8); raises `FileRefused` for what holds no rows."""
    start = head.lstrip()
    if not start:
        raise FileRefused(f"{path}: has nothing but blanks in it", "download it again")
    if start.startswith(b"<"):
        _refuse_markup(path, start)
    if start.startswith(b"["):
        return "json"
    return _object_kind(path, start) if start.startswith(b"{") else "csv"


def _object_kind(path: Path, start: bytes) -> Kind:
    if _COLLECTION.search(start) or _FEATURES.match(start.removeprefix(b"{").lstrip()):
        return "geojson"
    lines = start.split(b"\n", 2)
    if lines[0].rstrip().endswith(b"}") or (len(lines) > 1 and lines[1].startswith(b"{")):
        return "jsonl"
    begin = " ".join(start[:120].decode(errors="replace").split())
    raise FileRefused(
        f"{path}: is one JSON object, not a list of rows: {begin}...",
        "export a JSON array, JSON lines or GeoJSON; an error message of the portal looks like this, too",
    )


def _refuse_markup(path: Path, start: bytes) -> None:
    if start.startswith(b"<<<<<<<"):
        raise FileRefused(f"{path}: begins with a merge conflict marker", "take the publisher's file again")
    title = _TITLE.search(start)
    if title or _HTML.match(start):
        words = " ".join(html.unescape(title[1].decode(errors="replace")).split()) if title else "no title"
        raise FileRefused(
            f"{path}: is a web page ('{words}'), not data",
            "the portal answered with a page: download it again",
        )
    raise FileRefused(f"{path}: is XML, not CSV or JSON", "export it as CSV, JSON, GeoJSON or Parquet")
