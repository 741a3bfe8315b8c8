"""The header of a CSV file: which character separates its cells, and what its columns are called."""

from __future__ import annotations

import csv
import io
from typing import Final

from citystream.errors import FileRefused
from citystream.portals.columns import repeated, shown
from citystream.portals.content import HEAD
from citystream.portals.text_bytes import TextBytes

DELIMITERS: Final = ",;\t"


def header(source: TextBytes) -> tuple[str, list[str]]:
    """The delimiter and the names; *source* goes on behind the header. Raises `FileRefused`.

    The delimiter is the one that gives most columns. Blanks around names are taken off; a name that is nothing
    else is called by its place (``column 14``).
    """
    text = source.peek(HEAD).decode(errors="ignore")
    parsed = {delimiter: _first_record(text, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda each: len(parsed[each][0]))
    cells, length = parsed[delimiter]
    source.skip(length)
    names = [cell.strip() or f"column {place}" for place, cell in enumerate(cells, 1)]
    _check(source, names)
    return delimiter, names


def _first_record(text: str, delimiter: str) -> tuple[list[str], int]:
    """The cells of the first record that is not an empty line, and the bytes up to its end."""
    lines = io.StringIO(text, newline="")
    try:
        cells = next((row for row in csv.reader(lines, delimiter=delimiter) if row), [])
    except csv.Error:
        return [], 0
    return cells, len(text[: lines.tell()].encode())


def _check(source: TextBytes, names: list[str]) -> None:
    if not names:
        raise FileRefused(f"{source.path}: has no header line", "take the publisher's file again")
    if len(names) == 1 and any(delimiter in names[0] for delimiter in DELIMITERS):
        raise FileRefused(
            f"{source.path}: every row is quoted as one cell: {names[0][:80]}",
            "a tool quoted whole lines: take the publisher's file, or unquote them",
        )
    if twice := repeated(names):
        raise FileRefused(
            f"{source.path}: columns occur twice in the header: {shown(twice)}",
            "rename or remove them: which of them is meant cannot be known",
        )
