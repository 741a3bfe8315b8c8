"""Tables for people, as wide as the terminal allows; nothing is cut when the reader is a file or a program."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from citystream.cli.shown import NULL, count, for_person

#: As wide as any line can get where nobody measures.
_ENDLESS = 100_000
#: How wide a column counts when room is short, and below what width its words are broken.
_WIDEST, _NARROWEST = 60, 16
_GAP = 2


@dataclass(frozen=True, slots=True)
class Grid:
    """*rows* under *columns*.

    *fits*: columns that a narrow terminal has no room for are left out and counted; else words wrap, and where even
    that is too narrow each row becomes a list of its own. *thousands*: whole numbers are written 1,000.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str = ""
    fits: bool = False
    thousands: bool = True

    def show(self) -> int:
        """Print to stdout; returns how many columns were left out."""
        console = console_of(sys.stdout)
        kept = self.room(console.width) if self.fits else len(self.columns)
        with console.capture() as drawn:
            console.print(self.drawn(console.width, kept))
        print("\n".join(line.rstrip() for line in drawn.get().strip("\n").splitlines() if line.strip()))
        return len(self.columns) - kept

    def drawn(self, width: int, kept: int) -> RenderableType:
        """What rich draws: the first *kept* columns side by side, or below each other."""
        least = sum(self._least(place) + _GAP for place in range(kept)) - _GAP
        return self._table(kept) if least <= width or kept == 1 else self._lists()

    def room(self, width: int) -> int:
        """How many columns fit side by side into *width*; at least one."""
        used, texts = 0, self._texts
        for place, name in enumerate(self.columns):
            used += min(_WIDEST, max([len(name), *(len(row[place]) for row in texts)])) + _GAP
            if used > width + _GAP and place:
                return place
        return len(self.columns)

    def _table(self, kept: int) -> Table:
        named = any(self.columns)
        table = Table(box=SIMPLE_HEAD if named else None, show_header=named, padding=(0, 1, 0, 0), pad_edge=False)
        table.title, table.title_justify = self.title or None, "left"
        for place, name in enumerate(self.columns[:kept]):
            side = "right" if self._numeric(place) else "left"
            table.add_column(Text(name), justify=side, overflow="fold", min_width=self._least(place))  # type: ignore[arg-type]
        for row in self._texts:
            table.add_row(*(_cell(text) for text in row[:kept]))
        return table

    def _lists(self) -> Table:
        """Each row under the name of its first column."""
        table = Table.grid(padding=(0, _GAP, 0, 0))
        for first, *others in self._texts:
            table.add_row(_cell(first), "")
            for name, text in zip(self.columns[1:], others, strict=True):
                table.add_row(Text(f"  {name}"), _cell(text))
        return table

    def _least(self, place: int) -> int:
        """Numbers and the first column stay whole; of text, the longest word up to a limit."""
        texts = [row[place] for row in self._texts]
        if place == 0 or self._numeric(place):
            return min(_WIDEST, max([*map(len, texts), len(self.columns[place])], default=0))
        words = [len(word) for text in [*texts, self.columns[place]] for word in text.split()]
        return min(_NARROWEST, max(words, default=0))

    @property
    def _texts(self) -> list[list[str]]:
        return [[self._text(value) for value in row] for row in self.rows]

    def _text(self, value: Any) -> str:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return count(value) if self.thousands and whole else for_person(value)

    def _numeric(self, place: int) -> bool:
        known = [row[place] for row in self.rows if row[place] is not None]
        return bool(known) and all(_number(value) for value in known)


def _cell(text: str) -> Text:
    return Text(text, "dim" if text == NULL else "")


def _number(value: Any) -> bool:
    return type(value).__name__ in ("int", "float", "Decimal")


def console_of(stream: Any) -> Console:
    """A rich console on *stream* that changes nothing in the words."""
    width = None if stream.isatty() else _ENDLESS
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
