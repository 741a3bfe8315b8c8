"""Records sent again: every one of them, in the order of their occurrence, and as unclean as was asked for."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from citystream.app import App
from citystream.catalog.dataset import Dataset
from citystream.catalog.library import load_library
from citystream.config import load
from citystream.errors import ConfigError
from citystream.log.segments import SegmentLog
from citystream.simulate.city import generate
from citystream.simulate.export import export
from citystream.simulate.replay import LATE, REPEATED, REVISED, Course, Kind, Records, Sent, Shares, check, course, send
from citystream.simulate.replay_forms import Messages
from citystream.simulate.replay_log import LogTarget
from citystream.simulate.replay_records import of_files, of_log
from citystream.simulate.replay_revision import MARK

DATASET = "chicago/crimes"
SHARES = Shares(0.2, 0.1, 0.1)


class Kept:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.rows: list[pa.Table] = []
        self.numbers: list[int] = []
        self.flushed = False

    def send(self, rows: pa.Table, ids: pa.Array, number: int) -> None:
        assert len(ids) == rows.num_rows
        self.rows.append(rows.append_column("$id", ids))
        self.numbers.append(number)

    def flush(self) -> None:
        self.flushed = True

    @property
    def sent(self) -> list[dict[str, Any]]:
        return pa.concat_tables(self.rows).to_pylist() if self.rows else []


class Clock:
    """Goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += max(seconds, 1e-6)


@pytest.fixture(scope="module")
def chicago() -> Dataset:
    return load_library().get(DATASET)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    history = generate(DATASET, start=date(2024, 3, 1), end=date(2024, 3, 31), seed=3, scale=0.1)
    path = tmp_path_factory.mktemp("replay") / "crimes.csv"
    export(history, path, at=datetime(2024, 6, 1, tzinfo=UTC), duplicates=False)
    return path


@pytest.fixture(scope="module")
def records(file: Path, chicago: Dataset) -> Records:
    found, left_out = of_files([file], chicago)
    assert left_out == 0
    return found


def replayed(records: Records, messages: Course, dataset: Dataset, target: Kept, speed: float = 0.0) -> Sent:
    clock = Clock()
    return send(records, messages, dataset, target, speed=speed, clock=clock, sleep=clock.sleep, stopping=lambda: False)


def test_what_was_sent_is_what_was_said(records: Records, chicago: Dataset) -> None:
    target, messages = Kept(), course(records, SHARES, 1)
    sent = replayed(records, messages, chicago, target)
    n = records.rows.num_rows
    assert target.flushed
    assert (sent.messages, sent.records, sent.left) == (len(target.sent), n, 0)
    assert sent.messages == n + sent.repeated + sent.revised
    for count, share in ((sent.late, 0.2), (sent.repeated, 0.1), (sent.revised, 0.1)):
        assert abs(count - share * n) < 5 * np.sqrt(share * n)
    times = Counter(row["$id"] for row in target.sent)
    assert set(times) == set(records.ids.to_pylist())
    assert sum(1 for count in times.values() if count == 2) == sent.repeated + sent.revised
    assert max(times.values()) == 2


def test_repeated_is_the_same_and_revised_differs_in_two_columns(records: Records, chicago: Dataset) -> None:
    target, messages = Kept(), course(records, SHARES, 1)
    replayed(records, messages, chicago, target)
    first: dict[str, dict[str, Any]] = {}
    for row, kind in zip(target.sent, messages.kind.tolist(), strict=True):
        if kind == Kind.first:
            assert row["$id"] not in first
            first[row["$id"]] = row
            continue
        before = first[row["$id"]]
        changed = {name for name in row if row[name] != before[name]}
        assert changed == (set() if kind == Kind.repeated else {"Location Description", "Updated On"})
        if kind == Kind.revised:
            assert row["Location Description"] == (before["Location Description"] or "") + MARK
            old, new = (datetime.strptime(each["Updated On"], "%m/%d/%Y %I:%M:%S %p") for each in (before, row))
            assert (new - old).total_seconds() == 86_400


def test_the_order_is_that_of_the_occurrences(records: Records) -> None:
    plain = course(records, Shares(), 1)
    assert not plain.late.any()
    assert (np.diff(records.at[plain.place]) >= 0).all()
    unclean = course(records, SHARES, 1)
    assert (np.diff(unclean.at) >= 0).all()
    delay = unclean.at - records.at[unclean.place]
    first = unclean.kind == Kind.first
    assert (delay[first & ~unclean.late] == 0).all()
    spans = {"late": (first & unclean.late, LATE), "repeated": (unclean.kind == Kind.repeated, REPEATED)}
    for which, (low, high) in spans.values():
        assert delay[which].min() >= low.total_seconds() * 1e6
        assert delay[which].max() <= (high + LATE[1]).total_seconds() * 1e6
    assert delay[unclean.kind == Kind.revised].max() <= (REVISED[1] + LATE[1]).total_seconds() * 1e6


def test_the_seed_decides_and_a_limit_is_a_beginning(records: Records) -> None:
    one, same, other = course(records, SHARES, 1), course(records, SHARES, 1), course(records, SHARES, 2)
    assert np.array_equal(one.place, same.place)
    assert np.array_equal(one.kind, same.kind)
    assert not np.array_equal(one.place, other.place)
    few = course(records, SHARES, 1, limit=50)
    assert np.array_equal(few.place, one.place[:50])
    assert few.sent(50).left == 0


def test_speed_is_event_time_per_second(records: Records, chicago: Dataset) -> None:
    messages, clock, seen = course(records, Shares(), 1), Clock(), list[tuple[float, int]]()

    class Timed(Kept):
        def send(self, rows: pa.Table, ids: pa.Array, number: int) -> None:
            seen.append((clock.now, number + rows.num_rows))

    done = send(
        records, messages, chicago, Timed(), speed=86_400.0, clock=clock, sleep=clock.sleep, stopping=lambda: False
    )
    assert done.left == 0
    for now, upto in seen:
        due = (messages.at[upto - 1] - messages.at[0]) / 1e6 / 86_400
        assert due - 1e-3 <= now <= due + 0.2
    assert 30 < clock.now < 32


def test_who_says_stop_hears_how_far_it_came(records: Records, chicago: Dataset) -> None:
    target, messages, clock = Kept(), course(records, SHARES, 1), Clock()
    sent = send(
        records,
        messages,
        chicago,
        target,
        speed=3600.0,
        clock=clock,
        sleep=clock.sleep,
        stopping=lambda: clock.now > 100,
    )
    assert 0 < sent.messages == len(target.sent)
    assert sent.left == len(messages) - sent.messages > 0
    assert target.flushed


def test_what_would_be_rejected_is_sent_once(tmp_path: Path, chicago: Dataset) -> None:
    path = tmp_path / "c.csv"
    lines = ["ID,Date,Primary Type,IUCR,Location Description", ",,THEFT,0820,", "1,03/05/2024 01:00:00 PM,THEFT,0820,"]
    path.write_text("\n".join([*lines, "2,nonsense,THEFT,0820,STREET", "3,03/04/2024 01:00:00 PM,THEFT,0820,", ""]))
    found, left_out = of_files([path], chicago)
    assert (found.usable.tolist(), left_out) == ([False, True, False, True], 0)
    messages = course(found, Shares(0, 0, 1), 1)
    assert messages.sent(len(messages)) == Sent(6, 4, 0, 0, 2, 0)


def test_a_log_is_replayed_into_a_log(tmp_path: Path, file: Path, chicago: Dataset) -> None:
    """Nothing lost, nothing double: the other store counts exactly what was sent."""
    app = App(load({"data": str(tmp_path / "one"), "threads": 1}, {}))
    inserted = app.import_files(DATASET, [file]).after.inserted
    found, _ = of_log(app.log(chicago), chicago)
    assert found.rows.num_rows == inserted
    other = App(load({"data": str(tmp_path / "two"), "threads": 1}, {}))
    target = LogTarget(SegmentLog(tmp_path / "two" / "log" / chicago.table), chicago, other.clock)
    messages = course(found, SHARES, 5)
    clock = Clock()
    sent = send(found, messages, chicago, target, speed=0.0, clock=clock, sleep=clock.sleep, stopping=lambda: False)
    after = other.import_files(DATASET, []).after
    assert (after.received, after.inserted, after.unchanged, after.revised) == (
        sent.messages,
        sent.records,
        sent.repeated,
        sent.revised,
    )
    days = [each.reader().query("SELECT * FROM daily ORDER BY ALL").to_pylist() for each in (app, other)]
    assert days[0] == days[1]


def test_forms_of_a_message(records: Records, chicago: Dataset) -> None:
    rows, ids = records.rows.slice(0, 3), records.ids.slice(0, 3)
    plain, reference = Messages(chicago, "published"), Messages(chicago, "reference")
    keys, values = plain.of(rows, ids, 0)
    assert [json.loads(value) for value in values] == rows.to_pylist()
    assert keys == [str(each).encode() for each in ids.to_pylist()]
    keys, values = reference.of(rows, ids, 40)
    assert keys == [b"41", b"42", b"43"]
    for value, row in zip(values, rows.to_pylist(), strict=True):
        said = json.loads(value)
        assert len(said) == 22
        assert said["ID"] == int(row["ID"])
        assert said["Date"] == datetime.strptime(row["Date"], "%m/%d/%Y %I:%M:%S %p").isoformat()
        assert said["Arrest"] is (row["Arrest"] == "true")
        assert said["Year"] == 2024
        assert said["Latitude"] == (float(row["Latitude"]) if row["Latitude"] else None)
    plain.close()
    reference.close()


def test_what_cannot_be_replayed_says_why(tmp_path: Path, chicago: Dataset, records: Records) -> None:
    for shares in ((-0.1, 0, 0), (0, 0.6, 0.6), (1.1, 0, 0)):
        with pytest.raises(ConfigError, match="shares"):
            Shares(*shares)
    toronto = load_library().get("toronto/bicycle-thefts")
    with pytest.raises(ConfigError, match="different things"):
        check(toronto, Shares(repeated=0.1))
    with pytest.raises(ConfigError, match="nothing to replay"):
        of_log(SegmentLog(tmp_path / "none"), chicago)
    bare = chicago.model_copy(update={"attributes": {}, "version": None})
    with pytest.raises(ConfigError, match="no attribute"):
        replayed(records, course(records, SHARES, 1), bare, Kept())
    form = Messages(toronto, "reference")
    with pytest.raises(ConfigError, match="no columns like"):
        form.of(pa.table({"a": ["1"]}), pa.array(["1"]), 0)
    form.close()
