"""Disks that are full, read-only or damaged, and processes that get in each other's way: nothing good is lost."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from citystream.app import App, Watch
from citystream.config import load
from citystream.errors import CitystreamError, LogDamaged, StorageError, StoreBusy
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.export import export
from citystream.simulate.faults import Slow
from citystream.simulate.portal import SimulatedPortal
from tests.integration.test_kill import OFFSETS, WHEN_READ, assert_ledger_balances, tables

ROOT = Path(__file__).parents[2]
DATASET = "chicago/crimes"
COMMAND = [sys.executable, "-m", "citystream.cli"]
#: What depends on when something was fetched, and how often.
READ_AGAIN = (*WHEN_READ, *OFFSETS)
FETCHED_AGAIN = ("first_seen_at", "changed_at", "known_from", "known_until", "vanished_at")
#: When the late export was made, and files are taken in: detectors that learn go through every day until then.
LATE = datetime(2025, 2, 1, tzinfo=UTC)


def app(data: Path, **flags: object) -> App:
    return App(load({"data": str(data), **flags}, {}), clock=lambda: LATE)


@pytest.fixture(scope="module")
def history():
    return generate(DATASET, start=date(2024, 9, 1), end=date(2024, 9, 20), seed=5, scale=0.03)


@pytest.fixture(scope="module")
def published(history, tmp_path_factory) -> tuple[Path, Path]:
    """An early and a late export."""
    folder = tmp_path_factory.mktemp("published")
    export(history, folder / "early.csv", at=datetime(2024, 9, 25, tzinfo=UTC))
    export(history, folder / "late.csv", at=LATE)
    return folder / "early.csv", folder / "late.csv"


@pytest.fixture(scope="module")
def undisturbed(published, tmp_path_factory) -> Path:
    """A data folder in which nothing went wrong."""
    data = tmp_path_factory.mktemp("undisturbed")
    for path in published:
        app(data).import_files(DATASET, [path])
    return data


@pytest.fixture
def begun(published, tmp_path) -> Path:
    """A data folder with the early export."""
    app(tmp_path / "data").import_files(DATASET, [published[0]])
    return tmp_path / "data"


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A file system of its own, of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode and not (os.environ.get("CI") and os.geteuid() == 0):
        pytest.skip(f"a file system cannot be mounted here: {made.stderr.decode().strip()}")
    assert made.returncode == 0, made.stderr.decode()
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def full(folder: Path, *, but: int = 0) -> Iterator[None]:
    """Fill the file system of *folder*, *but* for some bytes."""
    filling = folder / "filling"
    with filling.open("wb", buffering=0) as file:
        while free := max(0, shutil.disk_usage(folder).free - but):
            file.write(bytes(min(free, 1 << 20)))
    yield
    filling.unlink()


def same(data: Path, other: Path, without: tuple[str, ...] = READ_AGAIN) -> bool:
    return tables(data, without=without) == tables(other, without=without)


def refusal(data: Path, *paths: Path) -> CitystreamError:
    """What an import says that must fail."""
    with pytest.raises(CitystreamError) as caught:
        app(data).import_files(DATASET, list(paths))
    assert caught.value.exit_code == 4
    assert caught.value.hint
    return caught.value


def segments(data: Path) -> list[Path]:
    return sorted((data / "log" / "chicago_crimes").glob("*.parquet"))


def in_pieces(data: Path, published: tuple[Path, Path], many: int = 4) -> list[Path]:
    """Import as several segments, by the layout that a portal visit leaves."""
    for place in range(many):
        app(data).import_files(DATASET, [published[place % 2]])
    return segments(data)


# full


def test_the_disk_of_the_log_is_full(disk, begun, published, undisturbed):
    """Nothing of the file is kept, everything from before is there, and the next import takes it in."""
    shutil.move(begun / "log", disk / "log")
    (begun / "log").symlink_to(disk / "log")
    before = tables(begun)
    with full(disk, but=4096):
        assert isinstance(refusal(begun, published[1]), StorageError)
        assert tables(begun) == before
        assert len(segments(begun)) == 1
        assert app(begun).status()[0].state == "refused"
        assert "cannot be written" in app(begun).status()[0].detail
    app(begun).import_files(DATASET, [published[1]])
    assert same(begun, undisturbed)
    assert_ledger_balances(begun)


@pytest.mark.parametrize("but", [0, 40_000])
def test_the_disk_of_the_store_is_full(disk, published, undisturbed, tmp_path, but):
    """The file is in the log and the tables are those of before; without a file, the next import goes on."""
    data, log = disk / "data", tmp_path / "log"
    data.mkdir()
    log.mkdir()
    (data / "log").symlink_to(log)
    app(data).import_files(DATASET, [published[0]])
    before = tables(data)
    with full(disk, but=but):
        assert "free some space" in refusal(data, published[1]).hint
        assert tables(data) == before
    done = app(data).import_files(DATASET, [])
    assert (done.pending, done.after.balances()) == (0, True)
    app(data).import_files(DATASET, [published[1]])
    assert same(data, undisturbed)
    assert_ledger_balances(data)


def test_the_whole_disk_is_full(disk, published, undisturbed):
    """Log and store on one full disk: the first fault is what is said."""
    data = disk / "data"
    app(data).import_files(DATASET, [published[0]])
    before = tables(data)
    with full(disk):
        assert "log cannot be written" in refusal(data, published[1]).message
        assert tables(data) == before
    app(data).import_files(DATASET, [published[1]])
    assert same(data, undisturbed)


def test_a_full_disk_from_the_beginning(disk, published, undisturbed):
    data = disk / "data"
    with full(disk):
        refusal(data, published[0])
    for path in published:
        app(data).import_files(DATASET, [path])
    assert same(data, undisturbed)


@pytest.mark.parametrize("most", [1_000, 100_000])
def test_files_may_not_grow(published, undisturbed, tmp_path, most):
    """A limit of the system on file sizes is a full disk that needs no root: exit code 4, or all is there."""
    data = tmp_path / "data"

    def import_(*paths: Path, limit: int) -> subprocess.CompletedProcess[bytes]:
        def limited() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        words = [*COMMAND, "--data", str(data), "import", DATASET, *map(str, paths)]
        alone = os.environ | {"CITYSTREAM_LEARN": "false"}
        return subprocess.run(words, cwd=ROOT, env=alone, capture_output=True, preexec_fn=limited, check=False)

    ended = import_(*published, limit=most)
    assert b"Traceback" not in ended.stderr
    assert b"hint:" in ended.stderr or ended.returncode == 0
    assert ended.returncode == 4 or same(data, undisturbed), ended.stderr.decode()
    ended = import_(*published, limit=resource.RLIM_INFINITY)
    assert ended.returncode == 0, ended.stderr.decode()
    assert same(data, undisturbed)
    assert_ledger_balances(data)


# read-only, or not what it should be


def test_a_read_only_disk(disk, published):
    """It can be read, and not written."""
    data = disk / "data"
    app(data).import_files(DATASET, [published[0]])
    before = tables(data)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    assert "grant write access" in refusal(data, published[1]).hint
    assert tables(data) == before
    assert app(data).status()[0].pending == 0


@pytest.mark.parametrize("where", ["", "log", "log/chicago_crimes"])
def test_a_file_in_the_place_of_a_folder(published, tmp_path, where):
    data = tmp_path / "data"
    (data / where).parent.mkdir(parents=True, exist_ok=True)
    (data / where).write_text("a file")
    refusal(data, published[0])
    assert (data / where).read_text() == "a file"


def test_a_folder_in_the_place_of_the_store(published, tmp_path):
    (tmp_path / "citystream.duckdb").mkdir()
    refusal(tmp_path, published[0])
    with pytest.raises(StorageError):
        app(tmp_path).reader(patience=0)


# several processes


def test_a_second_writer_is_turned_away(history, published, tmp_path):
    """The second process says so and ends with 4; the first does not notice."""
    data = tmp_path / "data"
    slow = Slow(having={"$order": ":id"}, seconds=2)
    with SimulatedPortal({RESOURCES[DATASET]: history.table}, faults=[slow]) as portal:
        words = [sys.executable, "-m", "tests.integration.taking_in", str(data), "run", portal.url]
        first = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE)
        while not any("$order" in each.params for each in portal.requests):
            assert first.poll() is None
        first.send_signal(signal.SIGSTOP)  # in the middle of its visit, however long the second takes to begin
        second = subprocess.run(
            [*COMMAND, "--data", str(data), "--json", "import", DATASET, str(published[0])],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate()
    assert first.returncode == 0, said.decode()
    assert second.returncode == 4, second.stderr.decode()
    assert b"another citystream is writing" in second.stderr
    assert_ledger_balances(data)
    assert app(data).status()[0].events == len(history.at(datetime(2030, 1, 1)))


HOLDS = """
import sys
from pathlib import Path
from citystream.store.{module} import {name}
with {name}(Path(sys.argv[1])) as opened:
    print("open", flush=True)
    for line in sys.stdin:
        opened.connection.execute(line)
        print("done", flush=True)
"""


@contextmanager
def held(data: Path, module: str, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the store open until its input ends."""
    code = HOLDS.format(module=module, name=name)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(data)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin and process.stdout
    assert process.stdout.readline() == b"open\n"
    try:
        yield process
    finally:
        process.stdin.close()
        assert process.wait() == 0
        process.stdout.close()


def test_a_reader_waits_for_a_writer(begun):
    with held(begun, "database", "Database") as writer:
        with pytest.raises(StoreBusy, match=f"process {writer.pid}"):
            app(begun).reader(patience=0.3)
        threading.Timer(0.5, writer.stdin.close).start()
        with app(begun).reader(patience=60) as reader:
            assert reader.query("SELECT count(*) AS n FROM events").to_pylist()[0]["n"] > 0


def test_a_writer_waits_for_a_reader(begun, published, undisturbed):
    """Someone who asks a question while a file is taken in does not make the taking in fail."""
    with held(begun, "reader", "Reader") as reader:
        threading.Timer(1, reader.stdin.close).start()
        app(begun).import_files(DATASET, [published[1]])
    assert same(begun, undisturbed)


def test_a_writer_does_not_wait_for_ever(begun, published):
    with held(begun, "reader", "Reader") as reader, pytest.raises(StoreBusy, match=f"process {reader.pid}"):
        App(load({"data": str(begun), "learn": False}, {}), lock_patience=0.3).import_files(DATASET, [published[1]])


def test_a_reader_within_the_same_process(begun, published):
    """A question asked in the middle of a visit, from the process that writes, is answered or waits; never a mix."""
    asked: list[int] = []

    def ask(what: str, done: int, total: int) -> None:
        if what == "receiving":
            with app(begun).reader() as reader:
                asked.extend(reader.query("SELECT count(*) AS n FROM events")["n"].to_pylist())

    watched = App(load({"data": str(begun)}, {}), clock=lambda: LATE, watch=Watch(progress=ask))
    watched.import_files(DATASET, [published[1]])
    assert asked


# damage


def test_a_torn_last_segment_the_store_has_not_seen(published, undisturbed, tmp_path):
    """It is set aside, the log ends before it, and reading the file again completes the tables."""
    shutil.copytree(undisturbed / "log", tmp_path / "log")
    newest = segments(tmp_path)[-1]
    os.truncate(newest, newest.stat().st_size // 2)
    done = app(tmp_path).import_files(DATASET, [])
    assert done.pending == 0
    assert newest.with_suffix(".torn").exists()
    assert len(segments(tmp_path)) == 1
    app(tmp_path).import_files(DATASET, [published[1]])
    assert same(tmp_path, undisturbed)


def test_a_torn_last_segment_the_store_has_seen(begun, published):
    """The store knows more than the log: that is said, nothing is written, and questions are answered."""
    app(begun).import_files(DATASET, [published[1]])
    before = tables(begun)
    newest = segments(begun)[-1]
    os.truncate(newest, newest.stat().st_size // 2)
    for _ in range(2):
        damage = refusal(begun, published[1])
        assert isinstance(damage, LogDamaged)
        assert "stands at offset" in damage.message
    assert newest.with_suffix(".torn").exists()
    assert tables(begun) == before
    assert len(segments(begun)) == 1


def test_after_damage_a_replay_makes_log_and_store_agree(begun, published, undisturbed):
    """Who has no backup gives up what the log lost, and reads the file again."""
    app(begun).import_files(DATASET, [published[1]])
    segments(begun)[-1].unlink()
    assert "citystream replay" in refusal(begun).hint
    replayed = app(begun).replay(DATASET)
    assert not replayed.same
    assert_ledger_balances(begun)
    app(begun).import_files(DATASET, [published[1]])
    assert same(begun, undisturbed)


def test_a_segment_in_the_middle_is_missing(tmp_path, published):
    kept = in_pieces(tmp_path, published)
    before = tables(tmp_path)
    kept[1].rename(tmp_path / "elsewhere")
    damage = refusal(tmp_path, published[1])
    assert isinstance(damage, LogDamaged)
    with pytest.raises(LogDamaged):
        app(tmp_path).replay(DATASET)
    assert tables(tmp_path) == before
    (tmp_path / "elsewhere").rename(kept[1])
    assert app(tmp_path).replay(DATASET).same


@pytest.mark.parametrize("where", [0.2, 0.5, 0.9])
def test_bytes_changed_inside_a_segment(published, tmp_path, where):
    """What can be read is not taken for the truth where a page is damaged: the replay stops, the tables stay."""
    kept = in_pieces(tmp_path, published, 2)
    before = tables(tmp_path)
    content = bytearray(kept[0].read_bytes())
    at = int(len(content) * where)
    content[at : at + 64] = bytes(64 * [0xFF])
    kept[0].write_bytes(content)
    with pytest.raises(LogDamaged, match="cannot be read"):
        app(tmp_path).replay(DATASET)
    assert tables(tmp_path) == before
    assert_ledger_balances(tmp_path)


def test_what_an_interrupted_append_left_is_removed(begun, published, undisturbed):
    left = segments(begun)[0].parent / ".writing-0123"
    left.write_bytes(b"PAR1 half")
    app(begun).import_files(DATASET, [published[1]])
    assert not left.exists()
    assert same(begun, undisturbed)


@pytest.mark.parametrize("content", [b"", b"garbage " * 4096, b"\0" * 65_536])
def test_a_store_file_that_is_none(undisturbed, tmp_path, content):
    """It is said, with the way out: set it aside, for all of it can be made again from the log."""
    shutil.copytree(undisturbed / "log", tmp_path / "log")
    store = tmp_path / "citystream.duckdb"
    store.write_bytes(content)
    if content:  # an empty file is what a crash leaves of a new one
        assert "made anew from the log" in refusal(tmp_path).hint
        with pytest.raises(StorageError):
            app(tmp_path).reader()
        assert store.read_bytes() == content
        store.unlink()
    app(tmp_path).import_files(DATASET, [])
    assert same(tmp_path, undisturbed, ())


def test_a_database_of_something_else(undisturbed, tmp_path):
    import duckdb

    duckdb.connect(str(tmp_path / "citystream.duckdb")).execute("CREATE TABLE mine(x INT)").close()
    with pytest.raises(StorageError, match="is not a store"):
        app(tmp_path).reader()


@pytest.mark.parametrize("journal", [False, True])
def test_the_store_was_deleted(undisturbed, tmp_path, journal):
    """The next command makes all tables again from the log, offsets and times included."""
    shutil.copytree(undisturbed, tmp_path / "data")
    if journal:
        with held(tmp_path / "data", "database", "Database") as writer:
            writer.stdin.write(b"CREATE TABLE core.left(x INT); INSERT INTO core.left VALUES (1)\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == b"done\n"
            shutil.copy(tmp_path / "data" / "citystream.duckdb.wal", tmp_path / "journal")
        shutil.copy(tmp_path / "journal", tmp_path / "data" / "citystream.duckdb.wal")
    (tmp_path / "data" / "citystream.duckdb").unlink()
    done = app(tmp_path / "data").import_files(DATASET, [])
    assert done.after.balances()
    assert same(tmp_path / "data", undisturbed, ())


def test_the_log_was_deleted(begun, published):
    before = tables(begun)
    shutil.rmtree(begun / "log")
    assert isinstance(refusal(begun, published[1]), LogDamaged)
    assert tables(begun) == before
