"""Where a reader of a Socrata table stands, and the SoQL that asks for what comes next.

A table is read in the order of a key that cannot tie (``:id``, or the cursor column and ``:id``), each page asked
for by the last key of the one before it. A deep ``$offset`` is slow and skips rows when the table changes; this
does neither. SoQL: https://dev.socrata.com/docs/queries/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from citystream.errors import PortalError

#: The types of ``/api/views`` whose literals are written without quotation marks.
NUMBERS = frozenset({"number", "double", "money", "percent"})


@dataclass(frozen=True, slots=True)
class Position:
    """How far a table was read.

    *mode* ``full``: in the order of ``:id``, up to *row*; *at* is the newest value of the cursor column *by* from
    before the listing, from which an incremental visit goes on once the listing is read. *mode* ``incremental``:
    in the order of (*by*, ``:id``), up to (*at*, *row*); without *row*, up to all of *at*.
    """

    mode: Literal["full", "incremental"] = "full"
    by: str = ""
    at: str = ""
    row: str = ""

    @property
    def unfinished(self) -> bool:
        """Whether a listing was begun and not read to its end."""
        return self.mode == "full" and self.row != ""

    def finished(self) -> Position:
        """Where the next visit begins, once this one was read to its end."""
        if self.mode == "incremental":
            return self
        return replace(self, mode="incremental", row="") if self.at else Position(by=self.by)

    def text(self) -> str:
        """As compact JSON, for `Page.cursor`."""
        return json.dumps(asdict(self), separators=(",", ":"))


def parse(cursor: str, by: str) -> Position:
    """The position in *cursor*; the beginning for '' and for a cursor by another column than *by*.

    Raises `PortalError` for what is no cursor of a Socrata table.
    """
    try:
        position = Position(**json.loads(cursor)) if cursor else Position(by=by)
        well = all(isinstance(value, str) for value in asdict(position).values())
    except (ValueError, TypeError) as fault:
        raise _unknown(cursor) from fault
    if not well or position.mode not in ("full", "incremental"):
        raise _unknown(cursor)
    return position if position.by == by else Position(by=by)


def _unknown(cursor: str) -> PortalError:
    return PortalError(
        f"the stored cursor is not that of a Socrata table: {cursor[:80]}", "begin anew with a full listing"
    )


def behind(position: Position, overlap: timedelta) -> Position:
    """*position*, moved *overlap* back; unchanged if its value is not a time."""
    fixed = position.at.endswith("Z")
    try:
        then = datetime.fromisoformat(position.at.removesuffix("Z")) - overlap
    except (ValueError, OverflowError):
        return position
    return replace(position, row="", at=then.isoformat(timespec="milliseconds") + ("Z" if fixed else ""))


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a listing by *column* (a cursor column and its *type*), or by ``:id`` alone without one."""

    column: str = ""
    type: str = ""

    @property
    def soql(self) -> str:
        """For ``$order``."""
        return f"{self.column},:id" if self.column else ":id"

    @property
    def select(self) -> str:
        """For ``$select``: everything published, and what the position is made of."""
        return f":id,{self.column},*" if self.column.startswith(":") else ":id,*"

    def after(self, position: Position) -> str:
        """For ``$where``: the rows that come after *position*; '' = all."""
        row = f":id > {_quoted(position.row)}" if position.row else ""
        if not self.column:
            return row
        at = self._literal(position.at)
        newer = f"{self.column} > {at}"
        return f"{newer} or ({self.column} = {at} and {row})" if row else newer

    def _literal(self, value: str) -> str:
        """A floating timestamp carries no zone (a ``Z`` is refused), the system's fixed ones keep theirs."""
        if self.type in NUMBERS:
            return value
        return _quoted(value.removesuffix("Z") if self.type == "calendar_date" else value)


def statement(asked: Mapping[str, str]) -> str:
    """The parameters of SODA 2 (``$select``, ``$where``, ``$order``) as one statement, which SODA 3 wants."""
    clauses = {"SELECT": "$select", "WHERE": "$where", "ORDER BY": "$order"}
    return " ".join(f"{word} {asked[name]}" for word, name in clauses.items() if name in asked)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
