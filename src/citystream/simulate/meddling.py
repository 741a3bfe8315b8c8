"""Changes to a served table that its history does not foresee: what a reader sees who pages while it changes."""

from __future__ import annotations

import duckdb

from citystream.simulate.published import PublishedTable
from citystream.simulate.versions import FOREVER
from citystream.simulate.zones import moment


def meddle(
    cursor: duckdb.DuckDBPyConnection,
    table: PublishedTable,
    now: int,
    *,
    insert: int,
    revise: int,
    remove: int,
) -> None:
    """At *now* (microseconds) revise, take away and add rows of ``rows``; which is arbitrary, always the same."""
    standing = f"select key from rows where published < {now} and {now} < ended order by scatter, key"
    keys = [row[0] for row in cursor.execute(f"{standing} limit {insert + revise + remove}").fetchall()]
    revised, removed, copied = keys[:revise], keys[revise : revise + remove], keys[revise + remove :]
    _copy(cursor, revised, now, _edits(table, now))
    _end(cursor, revised + removed, now)
    _copy(cursor, copied, now, _renewals(table, now))


def touch(cursor: duckdb.DuckDBPyConnection, table: PublishedTable, now: int, rows: int) -> None:
    """At *now* stamp so many *rows* anew and change nothing else in them; which is arbitrary, always the same."""
    if rows:
        standing = f"select key from rows where published < {now} and {now} < ended order by scatter, key"
        keys = [row[0] for row in cursor.execute(f"{standing} limit {rows}").fetchall()]
        _copy(cursor, keys, now, _stamp(table, now))
        _end(cursor, keys, now)


def _copy(cursor: duckdb.DuckDBPyConnection, keys: list[int], now: int, edits: dict[str, str]) -> None:
    columns = {"published": str(now), "ended": str(FOREVER), **edits}
    replaced = ", ".join(f"{sql} as {column}" for column, sql in columns.items())
    which = f"key in (select unnest(?::bigint[])) and published < {now} and {now} < ended"
    cursor.execute(f"insert into rows by name select * replace ({replaced}) from rows where {which}", [keys])


def _end(cursor: duckdb.DuckDBPyConnection, keys: list[int], now: int) -> None:
    which = f"key in (select unnest(?::bigint[])) and published < {now} and {now} < ended"
    cursor.execute(f"update rows set ended = {now} where {which}", [keys])


def _edits(table: PublishedTable, now: int) -> dict[str, str]:
    """A revision: the first yes or no turns round; without one, the last text gets a word more."""
    kinds = list(table.types.values())
    if "checkbox" in kinds:
        i = kinds.index("checkbox")
        return {f"t{i}": f"(not v{i})::varchar", f"v{i}": f"not v{i}", **_stamp(table, now)}
    names = [n for n, kind in table.types.items() if kind == "text" and n != table.row_identifier]
    if not names:
        return _stamp(table, now)
    i = list(table.types).index(names[-1])
    return {f"t{i}": f"concat(t{i}, ' REVISED')", **_stamp(table, now)}


def _renewals(table: PublishedTable, now: int) -> dict[str, str]:
    """Another record: a new key and a new identifier."""
    new = {
        "key": f"key + {2**40} + {now} % {2**30}",
        "sid": "sid || '~new'",
        "created": str(now),
        **_stamp(table, now),
    }
    if table.row_identifier:
        i = list(table.types).index(table.row_identifier)
        number = table.types[table.row_identifier] == "number"
        new[f"t{i}"] = f"('9' || lpad(t{i}, 9, '0'))" if number else f"('NEW-' || t{i})"
        if number:
            new[f"v{i}"] = f"(9000000000 + v{i})"
    return new


def _stamp(table: PublishedTable, now: int) -> dict[str, str]:
    """The publisher's own stamp moves too, where there is one."""
    if "updated_on" not in table.types:
        return {}
    i = list(table.types).index("updated_on")
    iso = moment(now).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return {f"t{i}": f"'{iso}'", f"v{i}": f"timestamp '{iso}'"}
