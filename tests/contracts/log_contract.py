"""What every log keeps, whatever it is made of: inherit `LogContract` and say how one is opened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import ClassVar

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citystream import schema
from citystream.ports import Log, Visited

AT = datetime(2025, 1, 1)
Row = dict[str, str | None]

NAMES = st.sampled_from(["id", "_id", ":id", "ID", "größe", "a b", "", "offset", "cursor", "$ paid", "x" * 300])
VALUES = st.one_of(
    st.none(), st.sampled_from(["", " ", "NULL", "0710", "1.30E+07", "Zoë\r\n\t\0", "犯罪", "🚲"]), st.text(max_size=5)
)


def records(rows: list[Row], *, cursor: str | None = None, op: str = schema.SEEN, at: datetime = AT) -> pa.Table:
    """Log records of published *rows* that all have the same columns."""
    n = len(rows)
    published = {name: pa.array([row[name] for row in rows], pa.string()) for name in (rows[0] if rows else [])}
    fixed = {
        schema.RECORD_ID: pa.array([row.get("id") for row in rows], pa.string()),
        schema.OP: pa.array([op] * n, pa.string()),
        schema.CURSOR: pa.array([cursor] * n, pa.string()),
        schema.FETCHED_AT: pa.array([at] * n, pa.timestamp("us")),
    }
    return pa.table(published | fixed)


def numbered(first: int, count: int, **more: str) -> list[Row]:
    return [{"id": str(number), **more} for number in range(first, first + count)]


def published(tables: Iterable[pa.Table]) -> list[Row]:
    """The published columns of what was read, row by row."""
    rows = [row for table in tables for row in _plain(table).to_pylist()]
    return [{name: value for name, value in row.items() if name not in schema.LOG_RECORD.names} for row in rows]


def _as_text(row: Row) -> str:
    return repr(sorted(row.items()))


def _plain(table: pa.Table) -> pa.Table:
    """Without dictionaries, which are a log's own affair."""
    kinds = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in table.schema]
    return table.cast(pa.schema(kinds))


def offsets(log: Log, first: int = 0, limit: int = 1000) -> list[int]:
    return [off for table in log.read(first, limit) for off in table[schema.OFFSET].to_pylist()]


#: How a log of one dataset is opened; a second one sees what the first one wrote.
Opened = Callable[[], Log]


class LogContract:
    """The contract. A subclass has a fixture `opened`, and `opened_anew` for laws that need many empty logs.

    *keeps_order*: the records of one append keep their order, all of them. A log of several parts keeps that of the
    records of one id, and of what was appended one after the other.
    """

    keeps_order: ClassVar[bool] = True

    def opened_anew(self) -> Opened:
        """How an empty log is opened, a new one for each call."""
        raise NotImplementedError

    @pytest.fixture
    def opened(self) -> Opened:
        return self.opened_anew()

    def as_read(self, log: Log, *appends: list[Row]) -> list[Row]:
        """The rows of *appends* in the order in which *log* must give them."""
        if self.keeps_order:
            return [row for rows in appends for row in rows]
        read = published(log.read(0, 100_000))
        start = 0
        for rows in appends:
            part = read[start : start + len(rows)]
            assert sorted(part, key=_as_text) == sorted(rows, key=_as_text)
            for ident in {row.get("id") for row in rows}:
                assert [r for r in part if r.get("id") == ident] == [r for r in rows if r.get("id") == ident]
            start += len(rows)
        return read

    def test_an_empty_log(self, opened: Opened) -> None:
        log = opened()
        assert (log.end(), log.cursor(), list(log.read(0, 10))) == (0, "", [])

    def test_offsets_are_dense_from_zero(self, opened: Opened) -> None:
        log = opened()
        assert log.append([records(numbered(0, 3)), records(numbered(3, 4))]) == 7
        assert log.append([records(numbered(7, 2))]) == 9
        assert log.end() == opened().end() == 9
        assert offsets(log) == list(range(9))
        assert published(log.read(0, 100)) == self.as_read(log, numbered(0, 7), numbered(7, 2))

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 100])
    def test_any_range_in_batches_of_any_size(self, opened: Opened, limit: int) -> None:
        log = opened()
        for first in range(0, 12, 4):
            log.append([records(numbered(first, 4))])
        everything = self.as_read(log, *(numbered(first, 4) for first in range(0, 12, 4)))
        for first in range(14):
            read = list(log.read(first, limit))
            assert all(0 < len(table) <= limit for table in read)
            assert published(read) == everything[first:]
            assert offsets(log, first, limit) == list(range(first, 12))

    def test_every_record_says_what_the_log_says_of_it(self, opened: Opened) -> None:
        log = opened()
        log.append([records([{"id": "1"}], cursor="c1")])
        log.append([records([{"id": None}], op=schema.GONE, at=datetime(2025, 2, 1))])
        rows = [row for table in log.read(0, 10) for row in _plain(table).to_pylist()]
        assert [row[schema.OFFSET] for row in rows] == [0, 1]
        assert [row[schema.RECORD_ID] for row in rows] == ["1", None]
        assert [row[schema.OP] for row in rows] == [schema.SEEN, schema.GONE]
        assert [row[schema.CURSOR] for row in rows] == ["c1", None]
        assert [row[schema.FETCHED_AT] for row in rows] == [AT, datetime(2025, 2, 1)]
        assert [row[schema.UNREADABLE] for row in rows] == [None, None]

    def test_columns_that_change_between_appends(self, opened: Opened) -> None:
        """Each batch has the columns that its records were published with, in their order."""
        log = opened()
        stretches: list[list[Row]] = [
            [{"id": "1", "ward": "5"}],
            [{"id": "2", "ward_2026": "5"}],
            [{"ward_2026": "6", "id": "3"}],
            [{"id": "4", "ward": None}],
        ]
        for rows in stretches:
            log.append([records(rows)])
        read = list(log.read(0, 100))
        assert published(read) == [row for rows in stretches for row in rows]
        names = [[n for n in t.column_names if n not in schema.LOG_RECORD.names] for t in read]
        assert names == [list(rows[0]) for rows in stretches]

    def test_columns_that_change_within_an_append(self, opened: Opened) -> None:
        log = opened()
        rows: list[Row] = [{"id": "1"}, {"id": "2", "x": "y"}, {"id": "3"}]
        assert log.append([records([row]) for row in rows]) == 3
        assert published(log.read(0, 100)) == self.as_read(log, rows)

    def test_an_append_that_breaks_off_adds_nothing(self, opened: Opened) -> None:
        log = opened()
        log.append([records(numbered(0, 2))])

        def broken() -> Iterable[pa.Table]:
            yield records(numbered(2, 2))
            yield records(numbered(4, 2, more="columns"))
            raise RuntimeError("the file was damaged")

        with pytest.raises(RuntimeError, match="damaged"):
            log.append(broken())
        assert opened().end() == 2
        assert log.append([records(numbered(2, 1))]) == 3
        assert published(log.read(0, 100)) == self.as_read(log, numbered(0, 2), numbered(2, 1))

    def test_appends_of_nothing(self, opened: Opened) -> None:
        log = opened()
        nothing = records([{"id": "1"}]).slice(0, 0)
        assert (log.append([]), log.append([nothing]), log.append([nothing, nothing])) == (0, 0, 0)
        assert log.append([nothing, records(numbered(0, 1)), nothing]) == 1
        assert log.append([nothing]) == log.end() == 1
        assert published(log.read(0, 100)) == numbered(0, 1)

    def test_the_newest_cursor(self, opened: Opened) -> None:
        log = opened()
        log.append([records(numbered(0, 2), cursor="one"), records(numbered(2, 2), cursor="two")])
        assert log.cursor() == "two"
        log.append([records(numbered(4, 2))])
        assert opened().cursor() == "two"
        log.append([records(numbered(6, 1), cursor="three 🚲"), records(numbered(7, 1, other="columns"))])
        assert log.cursor() == "three 🚲"

    def test_the_newest_cursor_with_a_mark(self, opened: Opened) -> None:
        log = opened()
        log.append([records(numbered(0, 2), cursor="a 1"), records(numbered(2, 2), cursor="b 9")])
        log.append([records(numbered(4, 1), cursor="b 10")])
        assert [log.cursor(mark) for mark in ("a ", "b ", "c ", "")] == ["a 1", "b 10", "", "b 10"]

    def test_visits_come_back_in_the_order_in_which_they_were_noted(self, opened: Opened) -> None:
        """Whatever they say: also of the same moment, and of an earlier one, as after a clock was set back."""
        log = opened()
        assert log.visits(0) == []
        noted = [
            Visited(0, AT, whole=False),
            Visited(7, AT + timedelta(seconds=1), whole=True),
            Visited(7, AT + timedelta(seconds=1), whole=True),
            Visited((1 << 40) - 1, AT - timedelta(days=9000), whole=False),
        ]
        for place, visited in enumerate(noted):
            log.note_visit(visited)
            assert log.visits(place) == opened().visits(place) == [visited]
        another = opened()
        another.recover()
        for first in range(len(noted) + 3):
            assert another.visits(first) == log.visits(first) == noted[first:]
        another.note_visit(noted[0])
        assert opened().visits(2) == [*noted[2:], noted[0]]

    def test_visits_are_no_records(self, opened: Opened) -> None:
        log = opened()
        log.append([records(numbered(0, 2), cursor="c")])
        log.note_visit(Visited(2, AT, whole=True))
        assert log.append([records(numbered(2, 1))]) == 3
        log.note_visit(Visited(3, AT, whole=False))
        again = opened()
        again.recover()
        assert (again.end(), again.cursor(), offsets(again)) == (3, "c", [0, 1, 2])
        assert published(again.read(0, 9)) == self.as_read(again, numbered(0, 2), numbered(2, 1))
        assert [visited.off for visited in again.visits(0)] == [2, 3]

    def test_who_reads_visits_beside_a_writer_reads_a_beginning(self, opened: Opened) -> None:
        log, read, done = opened(), list[list[int]](), threading.Event()

        def watch() -> None:
            while not done.is_set():
                read.append([visited.off for visited in opened().visits(0)])

        watcher = threading.Thread(target=watch)
        watcher.start()
        for off in range(30):
            log.note_visit(Visited(off, AT, whole=False))
        done.set()
        watcher.join()
        assert read
        assert all(each == list(range(len(each))) for each in read)
        assert len(opened().visits(0)) == 30

    def test_a_reader_beside_a_writer(self, opened: Opened) -> None:
        """While records are added, what is read is always a beginning of what is there."""
        log, failures, done = opened(), [], threading.Event()

        def watch() -> None:
            try:
                while not done.is_set():
                    end = opened().end()
                    read = offsets(opened(), 0, 7)
                    if read != list(range(len(read))) or len(read) < end:
                        failures.append((end, read))
            except BaseException as error:
                failures.append(error)

        watchers = [threading.Thread(target=watch) for _ in range(2)]
        for watcher in watchers:
            watcher.start()
        for first in range(0, 60, 2):
            log.append([records(numbered(first, 1)), records(numbered(first + 1, 1, other="columns"))])
        done.set()
        for watcher in watchers:
            watcher.join()
        assert failures == []
        assert offsets(log) == list(range(60))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_whatever_is_published_comes_back(self, data: st.DataObject) -> None:
        self.whatever_is_published_comes_back(data)

    def whatever_is_published_comes_back(self, data: st.DataObject) -> None:
        """Any columns, any text, any cuts: the records that went in, in their order."""
        opened = self.opened_anew()
        log, appends = opened(), list[list[Row]]()
        for _ in range(data.draw(st.integers(1, 4))):
            names = data.draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
            rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, VALUES)), max_size=5))
            if rows:
                log.append([records(rows)])
            appends.append(rows)
        assert log.end() == sum(map(len, appends))
        expected = self.as_read(log, *appends)
        first = data.draw(st.integers(0, len(expected)))
        assert published(opened().read(first, data.draw(st.integers(1, 9)))) == expected[first:]
