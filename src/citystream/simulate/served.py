"""A published table in an engine that answers SoQL: which rows stand now, which of them are asked for, as text."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha1
from typing import Any, Literal, TypeVar

import duckdb
import numpy as np
import pyarrow as pa

from citystream.simulate import meddling, render, statement
from citystream.simulate.draws import scattered
from citystream.simulate.published import LONG_AGO, PublishedTable
from citystream.simulate.soql import tree
from citystream.simulate.soql.failure import SoqlError
from citystream.simulate.soql.sql import Field
from citystream.simulate.zones import microseconds, moment

Form = Literal["json", "csv"]

_TYPED = {
    "number": "try_cast({} as double)",
    "calendar_date": "try_cast({} as timestamp)",
    "checkbox": "try_cast({} as boolean)",
}
#: What `ServedTable.listing` has beside the published columns.
KEY, SINCE = "$key", "$since"

Kept = TypeVar("Kept")
_MOST_KEPT = 16

_STANDS = "published <= {now} and {now} < ended"


@dataclass(frozen=True, slots=True)
class View:
    """How the portal shows the table just now: at which time, columns under other names, only some of the rows."""

    now: datetime
    renamed: tuple[tuple[str, str], ...] = ()
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: field names and types, and the rows as text of the form asked for."""

    types: dict[str, str]
    body: bytes


class ServedTable:
    """One table, loaded once; safe to ask from several threads."""

    def __init__(self, table: PublishedTable) -> None:
        self.table = table
        self.changes = self.reloads = 0
        self._rewritten: list[datetime] = []
        self._keeping = threading.RLock()
        self._kept: dict[tuple[object, ...], Any] = {}
        self._connection = duckdb.connect(config={"threads": 2})
        self._moments = table.moments()
        self._load(table)

    def close(self) -> None:
        """Free the memory."""
        self._connection.close()

    def _load(self, table: PublishedTable) -> None:
        text = table.rows.select(list(table.types)).rename_columns([f"t{i}" for i in range(len(table.types))])
        times = {
            "key": table.key,
            "published": table.published_at,
            "ended": table.ended_at,
            "created": table.created_at,
        }
        source = pa.table(
            {
                **dict(zip(text.column_names, text.columns, strict=True)),
                **times,
                "scatter": scattered(table.key, 77),
            }
        )
        typed = [
            f"{_TYPED[kind].format(f't{i}')} as v{i}" for i, kind in enumerate(table.types.values()) if kind in _TYPED
        ]
        self._connection.register("source", source)
        identity = "'row-' || substr(md5(key::varchar), 1, 4) || '-' || substr(md5(key::varchar), 5, 4) as sid"
        self._connection.execute(f"create table rows as select *, {', '.join([identity, *typed])} from source")
        self._connection.unregister("source")

    def fields(self, view: View) -> dict[str, Field]:
        """Columns by the names they have in *view*, and the system fields."""
        names = dict(view.renamed)
        found = {
            ":id": Field("sid", "sid", "text"),
            ":created_at": render.computed("make_timestamp(created)", "fixed_timestamp"),
            ":updated_at": render.computed("make_timestamp(published)", "fixed_timestamp"),
        }
        for i, (name, kind) in enumerate(self.table.types.items()):
            found[names.get(name, name)] = Field(f"v{i}" if kind in _TYPED else f"t{i}", f"t{i}", kind)
        return found

    def version(self, now: datetime) -> int:
        """A number that is another one whenever the listing is another one."""
        return int(np.searchsorted(self._moments, microseconds(now), side="right")) * 1000 + self.changes

    def last_change(self, now: datetime) -> datetime:
        """When the listing last changed, by *now*."""
        number = int(np.searchsorted(self._moments, microseconds(now), side="right"))
        foreseen = moment(int(self._moments[max(0, number - 1)])) if len(self._moments) else LONG_AGO
        return max(foreseen, *(at for at in self._rewritten if at <= now), LONG_AGO)

    def edited(self, view: View) -> datetime:
        """When the listing last changed, reloads and what happened behind the reader's back included."""
        return self.last_change(view.now) + timedelta(milliseconds=self.changes)

    def etag(self, view: View, question: str) -> str:
        """A short text that changes with the listing, the view and the question."""
        seen = f"{self.version(view.now)} {view.renamed} {view.at_most} {question}"
        return sha1(seen.encode(), usedforsecurity=False).hexdigest()

    def answer(self, query: tree.Query, view: View, form: Form) -> Answer:
        """The rows asked for. Raises `SoqlError` if the query cannot be answered."""
        fields = self.fields(view)
        shown = statement.shown(query, fields)
        row = render.json_row(shown) if form == "json" else render.csv_row(shown)
        separator = "E'\\n,'" if form == "json" else "E'\\n'"
        sql, parameters = statement.build(query, _visible(view), fields, f"{separator} || {row}")
        body = self._text(sql, parameters)
        types = {name: field.kind for name, field in shown.items()}
        if form == "json":
            return Answer(types, b"[" + body[2:] + b"]\n")
        return Answer(types, ",".join(f'"{name}"' for name in types).encode() + body + b"\n")

    def _text(self, sql: str, parameters: list[Any]) -> bytes:
        """The lines that *sql* gives, one after the other: they lie like that in memory already."""
        cursor = self._connection.cursor()
        try:
            lines = cursor.sql(sql, params=parameters).to_arrow_table()["line"]
        except (duckdb.BinderException, duckdb.ConversionException) as error:
            raise SoqlError("query.soql.invalid", f"Query coordinator error: {error}") from error
        finally:
            cursor.close()
        return b"".join(_bytes(chunk) for chunk in lines.cast(pa.large_string()).chunks)

    def kept(self, view: View, what: str, make: Callable[[], Kept]) -> Kept:
        """What *make* gives for the listing in *view*; made again only when the listing or the view is another one."""
        seen = (what, self.version(view.now), view.renamed, view.at_most)
        with self._keeping:
            if seen not in self._kept:
                self._kept = {**dict(list(self._kept.items())[1 - _MOST_KEPT :]), seen: make()}
            found: Kept = self._kept[seen]
            return found

    def listing(self, view: View) -> pa.Table:
        """All rows in *view* in the order they were published, as text under their own names; `KEY` tells records,
        `SINCE` (microseconds) when each was published as it is.
        """
        texts = [f't{i} as "{name}"' for i, name in enumerate(self.table.types)]
        columns = ", ".join([*texts, f'key as "{KEY}"', f'published as "{SINCE}"'])
        cursor = self._connection.cursor()
        try:
            return cursor.sql(f"select {columns} from ({_visible(view)}) order by published, key").to_arrow_table()
        finally:
            cursor.close()

    def reload(self) -> None:
        """Load the same rows again: only their numbers change."""
        self.changes += 1
        self.reloads += 1

    def rewrite(self, now: datetime, *, insert: int = 0, revise: int = 0, remove: int = 0, touch: int = 0) -> None:
        """Change the listing behind the reader's back, at *now*: some rows revised, published, taken away, and some
        stamped anew with nothing changed in them.
        """
        cursor = self._connection.cursor()
        meddling.meddle(cursor, self.table, microseconds(now), insert=insert, revise=revise, remove=remove)
        meddling.touch(cursor, self.table, microseconds(now), touch)
        cursor.close()
        self._rewritten.append(now)
        self.changes += 1


def _visible(view: View) -> str:
    stands = _STANDS.format(now=microseconds(view.now))
    source = f"select *, rowid as r from rows where {stands}"
    return source if view.at_most is None else f"{source} order by key limit {view.at_most}"


def _bytes(lines: pa.LargeStringArray) -> memoryview | bytes:
    if not len(lines):
        return b""
    offsets = np.frombuffer(lines.buffers()[1], dtype=np.int64)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(lines.buffers()[2])[int(offsets[0]) : int(offsets[-1])]
