"""JSON files as rows of text: an array of objects, one object per line, or GeoJSON features.

All three are read object by object from a window of the file. Columns are the keys in order of appearance; a
key that first appears later adds a column to the pages from there on. A line that is not an object is a row of
``$unreadable``; an array or a GeoJSON that is damaged or cut off is refused, since nobody can tell where its
next row begins.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final

import pyarrow as pa

from citystream.errors import FileRefused
from citystream.portals.columns import repeated, shown
from citystream.portals.csv_text import with_unreadable
from citystream.portals.json_values import DECODER, Row, compact, decode, names_of, table_of
from citystream.portals.text_bytes import BLOCK, TextBytes

#: Fewer than of CSV: as Python objects they are larger.
PAGE_ROWS: Final = 25_000

#: A single object longer than this is taken for damage.
LONGEST: Final = 1 << 26
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_FEATURES: Final = re.compile(r'"features"\s*:\s*\[')


class JsonRows:
    """The objects of a JSON file of a *kind* (json, jsonl, geojson); *columns*: the keys of its first page."""

    def __init__(self, source: TextBytes, kind: str, *, page_rows: int = PAGE_ROWS) -> None:
        self._source, self._page_rows = source, page_rows
        items = _lines(source) if kind == "jsonl" else _elements(source, kind)
        self._items = iter(items)
        self._first = list(islice(self._items, page_rows))
        self.columns = dict.fromkeys(names_of(row for row in self._first if isinstance(row, dict)), "text")
        if twice := repeated(self.columns):
            raise FileRefused(
                f"{source.path}: keys differ in nothing but case: {shown(twice)}",
                "rename one of them: which is meant cannot be known",
            )

    def tables(self) -> Iterator[pa.Table]:
        """Tables of at most `PAGE_ROWS` rows in file order; unreadable rows stand at the end of theirs."""
        names: dict[str, None] = dict.fromkeys(self.columns)
        page, self._first = self._first, []
        while page:
            rows = [row for row in page if isinstance(row, dict)]
            names |= dict.fromkeys(names_of(rows))
            yield with_unreadable(table_of(rows, names), [text for text in page if isinstance(text, str)])
            page = list(islice(self._items, self._page_rows))


def _flat(item: Any) -> Any:
    """A GeoJSON feature as a row: its properties, and the geometry as JSON text. Anything else as it is."""
    if not (isinstance(item, dict) and item.get("type") == "Feature" and "geometry" in item):
        return item
    geometry = item["geometry"]
    return {**(item.get("properties") or {}), "geometry": None if geometry is None else compact(geometry)}


def _texts(source: TextBytes) -> Iterator[str]:
    """The text in blocks."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for block in iter(lambda: source.read(BLOCK), b""):
        yield decoder.decode(block)


def _lines(source: TextBytes) -> Iterator[Row | str]:
    """One object per line that is not blank, or the line itself if it is none."""
    rest = ""
    for text in chain(_texts(source), ("\n",)):
        *lines, rest = (rest + text).split("\n")
        yield from _objects([line for each in lines if (line := each.strip())])


def _objects(lines: list[str]) -> Iterable[Row | str]:
    """All lines decoded at once, which shares their keys and is faster; one by one if any is damaged."""
    try:
        items = [_flat(item) for item in decode("[" + ",".join(lines) + "]")]
    except (ValueError, RecursionError):
        items = []
    if len(items) == len(lines) and all(isinstance(item, dict) for item in items):
        return items
    return map(_object, lines)


def _object(line: str) -> Row | str:
    try:
        item = _flat(decode(line))
    except (ValueError, RecursionError):
        return line
    return item if isinstance(item, dict) else line


def _elements(source: TextBytes, kind: str) -> Iterator[Row]:
    """The objects of an array, or of a GeoJSON's ``features``."""
    window = _Window(source)
    window.open_features() if kind == "geojson" else window.open_array()
    while items := window.many() or window.one():
        yield from map(_flat, items)
    window.close()


class _Window:
    """A part of a JSON text that moves forward, from object to object."""

    def __init__(self, source: TextBytes) -> None:
        self._source = source
        self._texts = _texts(source)
        self._text, self._at = next(self._texts, ""), 0
        self._count = 0
        self._before = ""
        self._between = ""

    def open_array(self) -> None:
        self._at = self._text.index("[") + 1

    def open_features(self) -> None:
        found = _FEATURES.search(self._text)
        if not found:
            raise self._damaged("its features do not begin")
        self._before, self._at = self._text[: found.end()], found.end()

    def many(self) -> list[Row]:
        """The objects that are whole in the window, decoded at once; none if they cannot be told apart.

        Two objects are taken to meet as the first two did. Where that is found inside an object, what is cut
        there is no JSON.
        """
        start = self._start()
        cut = self._text.rfind(self._between, start) if self._between else -1
        if cut < start:
            return []
        try:
            items = decode(f"[{self._text[start : cut + 1]}]")
        except (ValueError, RecursionError):
            self._between = ""
            return []
        self._at = cut + 1
        return [self._checked(item) for item in items]

    def one(self) -> list[Row]:
        """The next object, none at the end of the array."""
        while True:
            start = self._start()
            try:
                item, end = DECODER.raw_decode(self._text, start)
            except (json.JSONDecodeError, RecursionError) as fault:
                if self._text[start : start + 1] == "]":
                    self._at = start
                    return []
                if not self._more():
                    raise self._damaged(str(fault)) from fault
                continue
            if self._count == 1 and self._at:
                self._between = self._text[self._at - 1 : start + 1]
            self._at = end
            return [self._checked(item)]

    def close(self) -> None:
        """Make sure that what follows the array is what must follow it."""
        while self._more():
            pass
        rest = self._text[self._at :]
        whole = self._before + rest if self._before else "[" + rest
        try:
            decode(whole.strip())
        except ValueError as fault:
            raise self._damaged("it is cut off or goes on after its last row") from fault

    def _start(self) -> int:
        """Where the next object begins, behind the comma that must stand before it unless it is the first."""
        at = self._after_blanks(self._at)
        if not self._count or self._text[at : at + 1] in ("", "]"):
            return at
        if self._text[at] != ",":
            raise self._damaged("a comma is missing")
        behind = self._after_blanks(at + 1)
        return at if self._text[behind : behind + 1] == "]" else behind

    def _after_blanks(self, at: int) -> int:
        blanks = _BLANK.match(self._text, at)
        return blanks.end() if blanks else at

    def _more(self) -> bool:
        if len(self._text) - self._at > LONGEST:
            return False
        text = next(self._texts, "")
        self._text, self._at = self._text[self._at :] + text, 0
        return bool(text)

    def _checked(self, item: Any) -> Row:
        self._count += 1
        if not isinstance(item, dict):
            raise self._damaged(f"{compact(item)[:40]} is not an object")
        return item

    def _damaged(self, what: str) -> FileRefused:
        return FileRefused(
            f"{self._source.path}: the JSON is damaged or cut off after {self._count} rows: {what}",
            "download the file again",
        )
