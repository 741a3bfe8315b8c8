"""Tables for people, as wide as the terminal allows; nothing is cut when the reader is a file or a program."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from citystream.cli.shown import NULL, count, for_person

#: As wide as any line can get where nobody measures.
_ENDLESS = 100_000
_WIDEST = 60
_GAP = 3


@dataclass(frozen=True, slots=True)
class Grid:
    """*rows* under *columns*; *fits*: columns that a narrow terminal has no room for are left out and counted."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str = ""
    fits: bool = False
    thousands: bool = True

    def show(self) -> int:
        """Print to stdout; returns how many columns were left out."""
        console = console_of(sys.stdout)
        texts = [[self._cell(value) for value in row] for row in self.rows]
        kept = self._room(texts, console.width) if self.fits else len(self.columns)
        with console.capture() as drawn:
            console.print(self.table(texts, kept))
        print("\n".join(line.rstrip() for line in drawn.get().strip("\n").splitlines() if line.strip()))
        return len(self.columns) - kept

    def table(self, texts: Sequence[Sequence[str]] | None = None, kept: int | None = None) -> Table:
        """What rich draws."""
        texts = texts if texts is not None else [[self._cell(value) for value in row] for row in self.rows]
        kept = len(self.columns) if kept is None else kept
        named = any(self.columns)
        table = Table(box=SIMPLE_HEAD if named else None, show_header=named, pad_edge=False)
        table.title, table.title_justify = self.title or None, "left"
        for place, name in enumerate(self.columns[:kept]):
            table.add_column(Text(name), justify="right" if self._numeric(place) else "left", overflow="fold")
        for row in texts:
            table.add_row(*(Text(cell, "dim" if cell == NULL else "") for cell in row[:kept]))
        return table

    def _cell(self, value: Any) -> str:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return count(value) if self.thousands and whole else for_person(value)

    def _numeric(self, place: int) -> bool:
        known = [row[place] for row in self.rows if row[place] is not None]
        return bool(known) and all(_number(value) for value in known)

    def _room(self, texts: Sequence[Sequence[str]], width: int) -> int:
        """How many columns fit side by side into *width*; at least one."""
        used = 0
        for place, name in enumerate(self.columns):
            used += min(_WIDEST, max([len(name), *(len(row[place]) for row in texts)])) + _GAP
            if used > width + _GAP and place:
                return place
        return len(self.columns)


def _number(value: Any) -> bool:
    return type(value).__name__ in ("int", "float", "Decimal")


def console_of(stream: Any) -> Console:
    """A rich console on *stream* that changes nothing in the words."""
    width = None if stream.isatty() else _ENDLESS
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
