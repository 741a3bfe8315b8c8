"""Single records, as they may leave: pages of those that filters leave, and one with all that is known about it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.disclosure import notices
from citystream.errors import QueryError, UnknownName
from citystream.store.leaving import impersonal, without_places
from citystream.store.reader import Reader
from citystream.store.views import quoted
from citystream.values import for_json
from citystream.web.alerts import same_series
from citystream.web.filters import Filters
from citystream.web.query import Query
from citystream.web.selection import values_of
from citystream.web.words import Codes

Order = Literal["occurred", "arrived"]
Row = dict[str, Any]

#: Rows of one page, at most.
MOST_ROWS: Final = 500
#: Days that are looked at first for a page, and how many times more each time that they hold too few.
_FIRST_LOOK, _GROWTH = 7, 6
_CURSOR: Final = re.compile(r"(-?\d{1,20})\.(\d{1,15})")
#: What a row of one version says about us and not about the event.
_OURS: Final = ("dataset", "city", "kind", "log_offset", "first_seen_at", "changed_at", "known_from", "known_until")


@dataclass(frozen=True, slots=True)
class Cursor:
    """After which row a page goes on: microseconds of its local time (of an undated one the least), and its offset."""

    us: int
    offset: int

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """From an address; raises `QueryError`."""
        if not text:
            return None
        found = _CURSOR.fullmatch(text)
        if not found:
            raise QueryError(f"after={text} is no place to go on from", "take `next` of the answer before")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.us}.{self.offset}"


_UNDATED: Final = -(2**62)
_DAY: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """At most *limit* records in an *order*, newest first, after *cursor* (None: from the beginning)."""

    order: Order = "occurred"
    cursor: Cursor | None = None
    limit: int = 100


def chosen(query: Query, filters: Filters, page: Page) -> Codes:
    """The offsets of records among which those of *page* are."""
    return (_newest if page.order == "occurred" else _last)(query, filters, page)


def listed(offsets: Sequence[int]) -> Codes:
    """The records at *offsets*."""
    return np.array([offset for offset in offsets if 0 <= offset < 2**32], np.uint32)


def read(reader: Reader, dataset: Dataset, offsets: Codes, page: Page) -> tuple[list[Row], str | None]:
    """Those of the records at *offsets* that are on *page*, and where to go on, None at the end."""
    if not len(offsets):
        return [], None
    cursor, occurred = page.cursor, page.order == "occurred"
    rule = ""
    if cursor is not None:
        mark = f"(us, log_offset) < ({cursor.us}, {cursor.offset})"
        rule = f"WHERE {mark if occurred else f'log_offset < {cursor.offset}'}"
    sql = f"SELECT *, coalesce(epoch_us(occurred_local), {_UNDATED}) AS us FROM ({leaving(reader, dataset, offsets)})"
    by = "us DESC, log_offset DESC" if occurred else "log_offset DESC"
    found = reader.query(f"SELECT * FROM ({sql}) {rule} ORDER BY {by} LIMIT {page.limit + 1}").to_pylist()
    shown = found[: page.limit]
    following = str(Cursor(shown[-1]["us"], shown[-1]["log_offset"])) if len(found) > page.limit else None
    return [for_json({name: value for name, value in row.items() if name != "us"}) for row in shown], following


def leaving(reader: Reader, dataset: Dataset, offsets: Codes | None = None) -> str:
    """SQL of the dataset's rows as they may leave; of the records at *offsets* alone, if they are given."""
    source = f"SELECT * FROM {impersonal(dataset.table, [dataset])}"
    columns = reader.query(f"{source} LIMIT 0").column_names
    if offsets is not None:
        reader.lend("chosen", pa.table({"off": np.asarray(offsets, np.int64)}))
        low, high = (int(offsets.min()), int(offsets.max())) if len(offsets) else (0, -1)
        # the bounds let the engine skip what is older, which the list alone does not
        source += f" WHERE log_offset BETWEEN {low} AND {high} AND log_offset IN (SELECT off FROM chosen)"
    return without_places(reader, source, columns)


def incident(reader: Reader, dataset: Dataset, event_id: str) -> dict[str, object]:
    """Everything about one record; raises `UnknownName`."""
    own = f"dataset = {quoted(dataset.name)} AND event_id = {quoted(event_id)}"
    source = f"SELECT * FROM {impersonal(dataset.table, [dataset])} WHERE event_id = {quoted(event_id)}"
    now = _leaving_rows(reader, source)
    gone = _leaving_rows(reader, f"SELECT * FROM vanished WHERE {own}") if not now else []
    if not now and not gone:
        raise UnknownName(f"{dataset.name} has no record '{event_id}'", "it may have had another number")
    row = (now or gone)[0]
    older = _leaving_rows(reader, f"SELECT * FROM revisions WHERE {own} ORDER BY log_offset DESC")
    return {
        "incident": {name: value for name, value in row.items() if name != "vanished_at"},
        "vanished_at": row.get("vanished_at"),
        "revisions": _revisions(row, older),
        "siblings": _siblings(reader, dataset, row),
        "counterparts": _counterparts(reader, own),
        "alerts": _alerts(reader, dataset, row),
        "notice": notices([dataset])[0],
    }


def _revisions(now: Row, older: Sequence[Row]) -> list[dict[str, object]]:
    """Versions, newest first, each with what it changed in the one before."""
    found: list[dict[str, object]] = []
    later = now
    for row in older:
        if row["log_offset"] != later["log_offset"]:
            found.append(_told(later, row))
        later = row
    found.append(_told(later, None))
    return found


def _told(row: Row, before: Row | None) -> dict[str, object]:
    changed = {
        name: [before.get(name), value]
        for name, value in row.items()
        if before is not None and name in before and name not in _OURS and before[name] != value
    }
    return {
        "known_from": row.get("known_from") or row["changed_at"],
        "known_until": row.get("known_until"),
        "log_offset": row["log_offset"],
        "changed": changed,
    }


def _siblings(reader: Reader, dataset: Dataset, row: Row) -> list[str]:
    if row.get("incident_id") is None:
        return []
    rule = f"incident_id = {quoted(row['incident_id'])} AND event_id <> {quoted(row['event_id'])}"
    found = reader.query(f'SELECT event_id FROM "{dataset.table}" WHERE {rule} ORDER BY 1 LIMIT 100')
    return [str(each) for each in found["event_id"].to_pylist()]


def _counterparts(reader: Reader, own: str) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = reader.query(
        f"SELECT other_dataset AS dataset, other_event_id AS event_id FROM counterparts WHERE {own} LIMIT 20"
    ).to_pylist()
    return found


def _alerts(reader: Reader, dataset: Dataset, row: Row) -> list[Row]:
    """The alerts of windows that the event is in."""
    if row.get("occurred_at") is None:
        return []
    at = f"TIMESTAMP {quoted(row['occurred_at'])}"
    found = reader.query(
        f"SELECT * FROM alerts WHERE dataset = {quoted(dataset.name)} AND {same_series(row)} "
        f"AND window_start <= {at} AND window_end > {at} ORDER BY window_start"
    )
    return [for_json(each) for each in found.to_pylist()]


def _leaving_rows(reader: Reader, source: str) -> list[Row]:
    columns = reader.query(f"SELECT * FROM ({source}) LIMIT 0").column_names
    return [for_json(row) for row in reader.query(without_places(reader, source, columns)).to_pylist()]


def _newest(query: Query, filters: Filters, page: Page) -> Codes:
    """By day, from the newest backwards: the whole days that hold enough."""
    columns = query.state.columns
    low, high = filters.period or (0, 65_535)
    start = _day_number(query, page.cursor) if page.cursor else 65_535
    high = min(high, start)
    edge, look, found = min(high, columns.last), _FIRST_LOOK, []
    while high >= max(low, 1):
        since = max(edge - look + 1, low, 1)
        if since <= columns.first:
            since = max(low, 1)
        rows = values_of(
            columns, replace(filters.selection(query.engine), days=(since, high)), ["day"], query.cancelled
        )
        found.append(rows)
        beside = sum(int(np.count_nonzero(each["day"] != start)) for each in found)
        if beside > page.limit:
            return _enough(found, start, page.limit)
        high, edge, look = since - 1, since - 1, look * _GROWTH
    if filters.period is None:
        undated = replace(filters.selection(query.engine), days=(0, 0))
        found.append(values_of(columns, undated, ["day"], query.cancelled))
    return np.concatenate([each["off"] for each in found]) if found else np.zeros(0, np.uint32)


def _enough(found: Sequence[Mapping[str, Codes]], start: int, limit: int) -> Codes:
    """Whole days, the newest first, until there are more than *limit* rows beside those of the day *start*."""
    days = np.concatenate([each["day"] for each in found])
    offsets: Codes = np.concatenate([each["off"] for each in found])
    beside = np.sort(days[days != start])[::-1]
    enough: Codes = offsets[days >= beside[limit]]
    return enough


def _day_number(query: Query, cursor: Cursor) -> int:
    return 0 if cursor.us == _UNDATED else int(min(max(cursor.us // _DAY - query.engine.coder.epoch + 1, 1), 65_535))


def _last(query: Query, filters: Filters, page: Page) -> Codes:
    """By offset, from the last backwards."""
    offsets: Codes = values_of(query.state.columns, filters.selection(query.engine), [], query.cancelled)["off"]
    if page.cursor is not None:
        offsets = offsets[offsets < page.cursor.offset]
    least = len(offsets) - page.limit - 1
    return offsets if least <= 0 else np.partition(offsets, least)[least:]
