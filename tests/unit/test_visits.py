"""Visits in the log: the file of lines beside segments, what is noted at all, and how they come into the tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citystream.detect.pulses import Pulses
from citystream.errors import LogDamaged, StorageError
from citystream.ingest import note_visit
from citystream.log.segments import VISITS, SegmentLog
from citystream.log.visits import VisitFile
from citystream.ports import Conformed, Visited
from citystream.process import process
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from tests.contracts.log_contract import numbered, records
from tests.laws.logs import conformed, dataset
from tests.laws.model import Record

AT = datetime(2025, 1, 1, 12, 10)
THREE = [Visited(off, AT + timedelta(hours=off), whole=off == 1) for off in range(3)]
OF = dataset()


@pytest.fixture
def file(tmp_path: Path) -> VisitFile:
    made = VisitFile(tmp_path / "log" / VISITS)
    for visited in THREE:
        made.note(visited)
    return made


class TestFile:
    def test_lines_can_be_read_by_anybody(self, file: VisitFile) -> None:
        said = [line.split()[:3] for line in file.path.read_text("ascii").splitlines()]
        assert [(int(off), at, whole) for off, at, whole in said] == [
            (0, "2025-01-01T12:10:00", "0"),
            (1, "2025-01-01T13:10:00", "1"),
            (2, "2025-01-01T14:10:00", "0"),
        ]

    @pytest.mark.parametrize("left", range(52))
    def test_a_torn_last_line_never_counted(self, file: VisitFile, left: int) -> None:
        """Wherever it is torn: it is not read, is cut off, and the next one takes its number."""
        whole = file.path.read_bytes()
        length = len(whole) // len(THREE)
        file.path.write_bytes(whole[: 2 * length + left])
        kept = THREE if left == length else THREE[:2]
        assert file.read(0) == kept
        file.recover()
        assert file.path.read_bytes() == whole[: len(kept) * length]
        file.note(THREE[2])
        assert file.read(0) == [*kept, THREE[2]]

    @pytest.mark.parametrize("rest", [b"\0", b"\0" * 51, b"\n", b"x" * 51])
    def test_what_a_dying_disk_wrote_in_place_of_a_line(self, file: VisitFile, rest: bytes) -> None:
        with file.path.open("ab") as opened:
            opened.write(rest)
        assert file.read(0) == THREE
        file.recover()
        file.note(THREE[0])
        assert file.read(0) == [*THREE, THREE[0]]

    @pytest.mark.parametrize("place", [0, 18, 20, 25, 40, 45, 50])
    def test_a_single_changed_byte_is_noticed(self, file: VisitFile, place: int) -> None:
        """A line before the last one was promised."""
        content = bytearray(file.path.read_bytes())
        content[place] ^= 1
        file.path.write_bytes(content)
        file.recover()
        with pytest.raises(LogDamaged, match="line 1 cannot be read"):
            file.read(0)
        assert file.read(1) == THREE[1:]

    def test_what_cannot_be_written_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError, match="cannot be written"):
            SegmentLog(tmp_path / "file" / "log").note_visit(THREE[0])

    def test_a_folder_without_visits(self, tmp_path: Path) -> None:
        log = SegmentLog(tmp_path / "log")
        log.recover()
        assert log.visits(0) == []
        assert not (tmp_path / "log").exists()


class TestNoting:
    @pytest.mark.parametrize(
        ("later", "off", "whole", "many"),
        [
            (timedelta(minutes=19), 5, False, 1),
            (timedelta(minutes=20), 5, False, 2),
            (timedelta(0), 6, False, 2),
            (timedelta(0), 5, True, 2),
            (timedelta(minutes=-10), 5, False, 1),
            (timedelta(minutes=-11), 5, False, 2),
        ],
    )
    def test_what_the_newest_visit_says_is_not_said_again(
        self, tmp_path: Path, later: timedelta, off: int, whole: bool, many: int
    ) -> None:
        log = SegmentLog(tmp_path)
        note_visit(log, Visited(5, AT, whole=False), 0)
        note_visit(log, Visited(off, AT + later, whole=whole), 1)
        assert len(log.visits(0)) == many

    def test_a_look_every_second_of_a_day(self, tmp_path: Path) -> None:
        log, known = SegmentLog(tmp_path), 0
        for minute in range(24 * 60):
            note_visit(log, Visited(5, AT + timedelta(minutes=minute), whole=False), known)
            known = len(log.visits(0))
        assert known == 49

    def test_before_the_first_record_nothing_is_noted(self, tmp_path: Path) -> None:
        note_visit(SegmentLog(tmp_path), Visited(0, AT, whole=True), 0)
        assert SegmentLog(tmp_path).visits(0) == []

    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        events=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 10, 29, 31, 95]), st.booleans())),
        ends_slot=st.booleans(),
    )
    def test_what_is_not_noted_moves_no_clock(self, tmp_path_factory, events, ends_slot) -> None:
        log, plain, off, at = SegmentLog(tmp_path_factory.mktemp("log")), list[Visited](), 1, AT
        for more, minutes, whole in events:
            off, at = off + more, at + timedelta(minutes=minutes)
            plain.append(Visited(off, at, whole))
            note_visit(log, plain[-1], len(log.visits(0)))
        found = [Pulses.none().going_on(_moments(each), ends_slot=ends_slot) for each in (plain, log.visits(0))]
        for name in ("first", "slot", "at"):
            assert getattr(found[0], name).tolist() == getattr(found[1], name).tolist()


def _moments(visits: list[Visited]) -> pa.Table:
    rows = [{"off": each.off, "at": each.finished_at, "visit": True, "whole": each.whole} for each in visits]
    kinds = {"off": pa.int64(), "at": pa.timestamp("us"), "visit": pa.bool_(), "whole": pa.bool_()}
    return pa.Table.from_pylist(rows, pa.schema(kinds))


class TestTables:
    """From the log into the store."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[DatasetStore]:
        with Database(tmp_path / "data") as opened:
            opened.require(OF)
            yield DatasetStore(opened.connection, OF, [])

    @pytest.fixture
    def log(self, tmp_path: Path) -> SegmentLog:
        made = SegmentLog(tmp_path / "log")
        made.append([records(numbered(0, 3))])
        for visited in (Visited(3, AT, whole=True), Visited(3, AT - timedelta(hours=1), whole=False)):
            made.note_visit(visited)
        return made

    def test_they_come_in_the_order_of_the_log(self, log: SegmentLog, store: DatasetStore) -> None:
        process(log, store, conform)
        process(log, store, conform)
        assert store.visits() == 2
        moments = store.history().moments(0).to_pylist()
        assert [(each["off"], each["visit"], each["at"]) for each in moments] == [
            (0, False, RECORD.fetched),
            (3, True, AT),
            (3, True, AT - timedelta(hours=1)),
        ]

    def test_those_behind_the_position_do_not_count_yet(self, log: SegmentLog, store: DatasetStore) -> None:
        log.append([records(numbered(3, 3, other="columns"))])
        log.note_visit(Visited(6, AT, whole=True))
        batches = iter([False, True])
        process(log, store, conform, stopping=lambda: next(batches))
        assert (store.position(), store.visits()) == (3, 3)
        assert [each["off"] for each in store.history().moments(0).to_pylist()] == [0, 3, 3]
        process(log, store, conform)
        assert [each["off"] for each in store.history().moments(0).to_pylist()] == [0, 3, 3, 3, 6]

    def test_a_log_that_knows_fewer_is_damaged(self, log: SegmentLog, store: DatasetStore) -> None:
        process(log, store, conform)
        (log.folder / VISITS).unlink()
        with pytest.raises(LogDamaged, match="knows 2 visits"):
            process(log, store, conform)


RECORD = Record(id="1", local=datetime(2024, 1, 1))


def conform(table: pa.Table) -> Conformed:
    return conformed([RECORD] * len(table), table["$offset"][0].as_py(), OF)
