"""The folder of segments: names, what is set aside, what is refused. The rest is in `tests/contracts`."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from citystream import schema
from citystream.errors import LogDamaged, StorageError
from citystream.log.segments import SegmentLog
from tests.contracts.log_contract import numbered, published, records


@pytest.fixture
def log(tmp_path) -> SegmentLog:
    log = SegmentLog(tmp_path / "log")
    for first in (0, 2, 4):
        log.append([records(numbered(first, 2))])
    return log


def files(log: SegmentLog) -> list[Path]:
    return sorted(log.folder.iterdir())


def test_names_say_the_offsets(log) -> None:
    assert [path.name for path in files(log)] == [f"{first:019d}-{first + 2:019d}.parquet" for first in (0, 2, 4)]


def test_a_segment_is_a_parquet_file_like_any_other(log) -> None:
    table = pq.read_table(files(log)[1])
    assert table[schema.OFFSET].to_pylist() == [2, 3]
    assert table["id"].to_pylist() == ["2", "3"]


def test_other_files_are_left_alone(log) -> None:
    names = ["notes.txt", "1-2.parquet", f"{9:019d}-{10:019d}.parquet.bak", ".DS_Store"]
    for name in names:
        (log.folder / name).write_text("mine")
    log.recover()
    assert log.end() == 6
    assert all((log.folder / name).read_text() == "mine" for name in names)


def test_leftovers_are_removed(log) -> None:
    (log.folder / ".writing-abc").write_bytes(b"half")
    log.recover()
    assert [path.suffix for path in files(log)] == [".parquet"] * 3


@pytest.mark.parametrize("size", [0, 10, 0.5, -1])
def test_a_torn_last_segment_is_set_aside(log, size) -> None:
    last = files(log)[-1]
    whole = last.stat().st_size
    os.truncate(last, int(size * whole) if isinstance(size, float) else size if size >= 0 else whole + size)
    log.recover()
    assert last.with_suffix(".torn").exists()
    assert (log.end(), published(log.read(0, 9))) == (4, numbered(0, 4))
    assert log.append([records(numbered(4, 1))]) == 5


def test_a_segment_with_other_rows_than_its_name_says(log) -> None:
    last = files(log)[-1]
    last.rename(last.with_name(f"{4:019d}-{9:019d}.parquet"))
    log.recover()
    assert log.end() == 4


@pytest.mark.parametrize("place", [0, 1])
def test_a_missing_segment(log, place) -> None:
    files(log)[place].unlink()
    for ask in (log.end, log.cursor, log.recover, lambda: list(log.read(0, 9)), lambda: log.append([])):
        with pytest.raises(LogDamaged) as caught:
            ask()
        assert caught.value.hint
        assert caught.value.exit_code == 4


def test_overlapping_segments(log) -> None:
    first = files(log)[0]
    (log.folder / f"{1:019d}-{3:019d}.parquet").write_bytes(first.read_bytes())
    with pytest.raises(LogDamaged):
        log.end()


def test_a_segment_that_became_unreadable(log) -> None:
    """Only the last one is set aside; one in the middle is damage, and what lies before it can be read."""
    middle = files(log)[1]
    os.truncate(middle, 20)
    log.recover()
    read = log.read(0, 2)
    assert published([next(read)]) == numbered(0, 2)
    with pytest.raises(LogDamaged, match="cannot be read"):
        list(read)


def test_a_single_changed_byte_is_noticed(log) -> None:
    """Each page has a checksum: what a disk made of a record is not taken for what was published."""
    path = files(log)[0]
    content = path.read_bytes()
    at = content.index(b"Zo") if b"Zo" in content else 60
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with pytest.raises(LogDamaged):
        list(log.read(0, 9))


def test_two_writers_at_once_do_not_overwrite_each_other(log, monkeypatch) -> None:
    other = SegmentLog(log.folder)

    def interrupting():
        yield records(numbered(6, 1))
        other.append([records(numbered(6, 1, by="the other"))])

    with pytest.raises(StorageError, match="another process"):
        log.append(interrupting())
    assert published(log.read(6, 9)) == numbered(6, 1, by="the other")
    assert all(path.suffix == ".parquet" for path in files(log))


def test_all_parts_of_an_append_or_none(log, tmp_path) -> None:
    """The second part cannot be put in place: the first one is taken back."""
    in_the_way = log.folder / f"{7:019d}-{8:019d}.parquet"

    def with_an_obstacle():
        yield records(numbered(6, 1))
        yield records(numbered(7, 1, other="columns"))
        in_the_way.write_bytes(b"")

    with pytest.raises(StorageError):
        log.append(with_an_obstacle())
    in_the_way.unlink()
    assert (log.end(), len(files(log))) == (6, 3)


def test_a_folder_that_cannot_be_made(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written") as caught:
        SegmentLog(tmp_path / "file" / "log").append([records(numbered(0, 1))])
    assert "grant write access" in caught.value.hint
