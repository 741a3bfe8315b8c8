"""What every sink keeps: inherit `SinkContract` and say how one is opened and what it holds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from citystream.catalog.dataset import Dataset
from citystream.ports import DELIVERED_TABLES, Delivered, Delta, Partition, Sink
from citystream.publish import publish, verify
from citystream.store.deltas import Deltas
from citystream.store.reader import Reader
from tests.laws.logs import dataset, logs
from tests.laws.model import Record
from tests.laws.test_deltas import apply

Row = dict[str, object]
Opened = Callable[[], AbstractContextManager[Sink]]
Held = Callable[[Dataset, str], list[Row]]

ABOUT = dataset()
OTHER = ABOUT.model_copy(update={"name": "testville/calls", "kind": "call"})
NOON = datetime(2025, 1, 31, 12)

EVENTS = pa.schema(
    {
        "row_key": pa.string(),
        "dataset": pa.string(),
        "kind": pa.string(),
        "event_id": pa.string(),
        "occurred_local": pa.timestamp("us"),
        "occurred_at": pa.timestamp("us"),
        "type": pa.string(),
        "district": pa.string(),
        "lat": pa.float64(),
        "lon": pa.float64(),
        "domestic": pa.bool_(),
        "log_offset": pa.int64(),
        "ward": pa.int64(),
        "reviewed": pa.date32(),
        "row_digest": pa.int32(),
    }
)
DAILY = pa.schema(
    {
        "row_key": pa.string(),
        "dataset": pa.string(),
        "kind": pa.string(),
        "district": pa.string(),
        "day": pa.date32(),
        "window_start": pa.timestamp("us"),
        "window_end": pa.timestamp("us"),
        "total": pa.int64(),
        "domestic": pa.int64(),
        "row_digest": pa.int32(),
    }
)
ALERTS = pa.schema(
    {
        "row_key": pa.string(),
        "alert_id": pa.string(),
        "dataset": pa.string(),
        "detector": pa.string(),
        "type": pa.string(),
        "district": pa.string(),
        "window_start": pa.timestamp("us"),
        "window_end": pa.timestamp("us"),
        "observed": pa.int64(),
        "expected": pa.float64(),
        "status": pa.string(),
        "kind": pa.string(),
        "row_digest": pa.int32(),
    }
)
SCHEMAS = {"events": EVENTS, "daily": DAILY, "alerts": ALERTS}


def delta(table: str, rows: Sequence[Row] = (), gone: Sequence[str] = (), *, batch: int = 2) -> Delta:
    """What `publish` would hand over, in batches of a few rows."""
    schema = SCHEMAS[table]
    whole = pa.Table.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema)
    return Delta(table, pa.array(gone, pa.string()), schema, iter(whole.to_batches(batch)))


def deltas(rows: Sequence[Row] = (), gone: Sequence[str] = ()) -> list[Delta]:
    """Changes of events alone."""
    return [delta("events", rows, gone), delta("daily"), delta("alerts")]


def event(key: str, digest: int = 1, *, about: Dataset = ABOUT, **values: object) -> Row:
    """An event, as small as can be."""
    common: Row = {"row_key": key, "dataset": about.name, "kind": about.kind, "event_id": key, "row_digest": digest}
    return common | {"occurred_local": NOON, "occurred_at": NOON} | values


def day(about: Dataset, district: str | None, total: int, digest: int = 1) -> Row:
    """A row of `daily`."""
    key = f"{about.name}|2025-01-31|{district or ''}"
    common: Row = {"row_key": key, "dataset": about.name, "kind": about.kind, "row_digest": digest}
    window: Row = {"window_start": datetime(2025, 1, 31, 6), "window_end": datetime(2025, 2, 1, 6)}
    return common | window | {"district": district, "day": date(2025, 1, 31), "total": total, "domestic": 0}


def alert(about: Dataset, key: str, status: str = "active", digest: int = 1) -> Row:
    """A row of `alerts`."""
    common: Row = {"row_key": key, "alert_id": key, "dataset": about.name, "kind": about.kind, "row_digest": digest}
    window: Row = {"window_start": NOON, "window_end": NOON.replace(hour=17)}
    return common | window | {"detector": "threshold", "type": "A", "district": "1", "observed": 15, "status": status}


def at(position: int, fingerprint: str = "f") -> Delivered:
    """The same definition, a position."""
    return Delivered(position, fingerprint)


class Died(Exception):
    """Stands for whatever ends a delivery in the middle."""


def dying(made: Delta) -> Delta:
    """*made*, until its last row was read."""

    def rows() -> Iterator[pa.RecordBatch]:
        yield from made.rows
        raise Died

    return replace(made, rows=rows())


#: Texts that some way of writing them spoils.
TEXTS = [
    "",
    " ",
    "plain",
    "NULL",
    "null",
    "\\N",
    "\\.",
    "\\",
    "ends in \\",
    "a\\tb",
    "tab\there",
    "two\nlines\r\nand a return\r",
    "\n",
    "quote ' and \" and ` and ''",
    "comma, semicolon; percent %s %",
    '{"json": [1, null]}',
    "'); DROP TABLE events; --",
    "Zürich, Ñuñoa, 東京, עברית",
    "emoji \U0001f6a8\U0001f468\u200d\U0001f692",
    "nul \0 inside",
    "\x01\x1a\x7f\u2028\ufeff",
    "é and e\u0301",
    " blank before and after ",
    "x" * 70_000,
]
NUMBERS = [0.0, -0.0, 0.1, 1 / 3, 41.123456789012345, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1e22]
INTEGERS = [0, -1, 2**63 - 1, -(2**63), 2**53 + 1]
TIMES = [
    datetime(1, 1, 1),
    datetime(1582, 10, 10),
    datetime(1969, 12, 31, 23, 59, 59, 999_999),
    datetime(2024, 2, 29, 0, 0, 0, 1),
    datetime(2024, 3, 10, 2, 30),
    datetime(2038, 1, 19, 3, 14, 8),
    datetime(9999, 12, 31, 23, 59, 59, 999_999),
]


class SinkContract:
    """The contract. A subclass has the fixtures `opened`, which opens a sink on the same place again and again, empty
    at first, and `held`, which reads a table back as rows without the sink.

    Values in rows are those of `pyarrow`'s `to_pylist`: times without a zone, UTC where they are instants.
    """

    @pytest.fixture
    def opened(self) -> Iterator[Opened]:
        raise NotImplementedError

    @pytest.fixture
    def held(self) -> Iterator[Held]:
        raise NotImplementedError

    @staticmethod
    def kept(text: str) -> str:
        """What the place holds of *text*: itself, unless its documents say that it cannot."""
        return text

    @staticmethod
    def holds(held: Held, table: str, rows: Sequence[Row], about: Dataset = ABOUT) -> None:
        """Check that it has *rows* and no others."""
        schema = SCHEMAS[table]
        found = {row["row_key"]: {name: row[name] for name in schema.names} for row in held(about, table)}
        assert found == {row["row_key"]: dict.fromkeys(schema.names) | row for row in rows}

    def test_an_empty_place(self, opened: Opened) -> None:
        with opened() as sink:
            assert sink.delivered(ABOUT) is None
            assert [sink.partitions(ABOUT, table) for table in DELIVERED_TABLES] == [[], [], []]
            sink.clear(ABOUT)
            assert sink.delivered(ABOUT) is None

    def test_a_first_load(self, opened: Opened, held: Held) -> None:
        rows = [event(str(number), number) for number in range(1, 6)]
        days, alerts = [day(ABOUT, "1", 5), day(ABOUT, None, 2)], [alert(ABOUT, "a")]
        with opened() as sink:
            sink.write(ABOUT, [delta("events", rows), delta("daily", days), delta("alerts", alerts)], at(7))
        with opened() as sink:
            assert sink.delivered(ABOUT) == at(7)
            assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 5, 15)]
            assert sink.partitions(ABOUT, "daily") == [Partition("2025-01", 2, 2)]
            assert sink.partitions(ABOUT, "alerts") == [Partition("2025-01", 1, 1)]
        self.holds(held, "events", rows)
        self.holds(held, "daily", days)
        self.holds(held, "alerts", alerts)

    def test_nothing_is_delivered_too(self, opened: Opened) -> None:
        with opened() as sink:
            sink.write(ABOUT, deltas(), at(0))
            assert sink.delivered(ABOUT) == at(0)
            assert sink.partitions(ABOUT, "events") == []

    def test_changes_are_written_by_key(self, opened: Opened, held: Held) -> None:
        with opened() as sink:
            sink.write(ABOUT, deltas([event("1"), event("2"), event("3", 3)]), at(3))
            changed = [event("2", 9, type="B"), event("4", 4, occurred_local=None)]
            sink.write(ABOUT, deltas(changed, ["1", "never there"]), at(6))
            assert sink.delivered(ABOUT) == at(6)
            assert sink.partitions(ABOUT, "events") == [Partition("", 1, 4), Partition("2025-01", 2, 12)]
        self.holds(held, "events", [*changed, event("3", 3)])

    def test_days_and_alerts_change_and_go(self, opened: Opened, held: Held) -> None:
        first, second = day(ABOUT, "1", 5), day(ABOUT, None, 2)
        with opened() as sink:
            sink.write(
                ABOUT, [delta("events"), delta("daily", [first, second]), delta("alerts", [alert(ABOUT, "a")])], at(1)
            )
            more, withdrawn = day(ABOUT, None, 3, 8), alert(ABOUT, "a", "withdrawn", 8)
            gone = [str(first["row_key"])]
            sink.write(ABOUT, [delta("events"), delta("daily", [more], gone), delta("alerts", [withdrawn])], at(2))
        self.holds(held, "daily", [more])
        self.holds(held, "alerts", [withdrawn])

    def test_a_record_that_returns_is_taken_away_first(self, opened: Opened, held: Held) -> None:
        with opened() as sink:
            sink.write(ABOUT, deltas([event("1")]), at(1))
            sink.write(ABOUT, deltas([event("1", 2)], ["1"]), at(3))
        self.holds(held, "events", [event("1", 2)])

    def test_the_same_twice_is_once(self, opened: Opened, held: Held) -> None:
        rows = [event("1"), event("2", 2)]
        for _ in range(2):
            with opened() as sink:
                sink.write(ABOUT, deltas(rows, ["x"]), at(2))
                assert sink.delivered(ABOUT) == at(2)
                assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 2, 3)]
        self.holds(held, "events", rows)

    @pytest.mark.parametrize("table", DELIVERED_TABLES)
    def test_a_death_in_a_first_load_leaves_nothing_that_counts(self, opened: Opened, held: Held, table: str) -> None:
        rows = [event("1"), event("2"), event("3")]
        with opened() as sink:
            with pytest.raises(Died):
                sink.write(ABOUT, [dying(each) if each.table == table else each for each in deltas(rows)], at(3))
            assert sink.delivered(ABOUT) is None
        with opened() as sink:
            sink.write(ABOUT, deltas(rows[:2]), at(3))
            assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 2, 2)]
        self.holds(held, "events", rows[:2])

    @pytest.mark.parametrize("table", DELIVERED_TABLES)
    def test_after_a_death_the_same_delivery_makes_it_whole(self, opened: Opened, held: Held, table: str) -> None:
        before, after = [event("1"), event("2")], [event("2", 5), event("3")]
        with opened() as sink:
            sink.write(ABOUT, deltas(before), at(2))
        with opened() as sink:
            with pytest.raises(Died):
                sink.write(
                    ABOUT, [dying(each) if each.table == table else each for each in deltas(after, ["1"])], at(4)
                )
            assert sink.delivered(ABOUT) == at(2)
        with opened() as sink:
            sink.write(ABOUT, deltas(after, ["1"]), at(4))
            assert sink.delivered(ABOUT) == at(4)
            assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 2, 6)]
        self.holds(held, "events", after)

    def test_clear_takes_one_dataset_away(self, opened: Opened, held: Held) -> None:
        with opened() as sink:
            for about in (ABOUT, OTHER):
                tables = [delta("events", [event("1", about=about)]), delta("daily", [day(about, "1", 1)])]
                sink.write(about, [*tables, delta("alerts", [alert(about, about.name)])], at(4))
            sink.clear(ABOUT)
            assert sink.delivered(ABOUT) is None
            assert [sink.partitions(ABOUT, table) for table in DELIVERED_TABLES] == [[], [], []]
        with opened() as sink:
            assert sink.delivered(OTHER) == at(4)
            assert [len(sink.partitions(OTHER, table)) for table in DELIVERED_TABLES] == [1, 1, 1]
        self.holds(held, "events", [event("1", about=OTHER)], OTHER)
        self.holds(held, "daily", [day(OTHER, "1", 1)], OTHER)

    def test_after_clear_columns_may_be_others(self, opened: Opened) -> None:
        wider = pa.schema([*EVENTS, pa.field("status", pa.string())])
        rows = pa.Table.from_pylist([event("1") | {"status": "closed"}], wider)
        with opened() as sink:
            sink.write(ABOUT, deltas([event("1"), event("2")]), at(2))
            sink.clear(ABOUT)
            changed = Delta("events", pa.array([], pa.string()), wider, iter(rows.to_batches()))
            sink.write(ABOUT, [changed, delta("daily"), delta("alerts")], at(2, "another"))
            assert sink.delivered(ABOUT) == at(2, "another")
            assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 1, 1)]

    def test_datasets_with_the_same_keys_do_not_mix(self, opened: Opened, held: Held) -> None:
        with opened() as sink:
            sink.write(ABOUT, deltas([event("1", 1), event("2", 2)]), at(2))
            sink.write(OTHER, deltas([event("1", 10, about=OTHER)]), at(9))
            sink.write(OTHER, deltas([], ["2"]), at(10))
            assert (sink.delivered(ABOUT), sink.delivered(OTHER)) == (at(2), at(10))
        self.holds(held, "events", [event("1", 1), event("2", 2)])
        self.holds(held, "events", [event("1", 10, about=OTHER)], OTHER)

    def test_texts_come_back_as_they_were(self, opened: Opened, held: Held) -> None:
        rows = [event(str(number), type=text) for number, text in enumerate(TEXTS)]
        with opened() as sink:
            sink.write(ABOUT, deltas(rows), at(1))
            kept = [row | {"type": self.kept(str(row["type"]))} for row in rows]
            self.holds(held, "events", kept)
            swapped = [row | {"type": text, "row_digest": 2} for row, text in zip(rows, reversed(TEXTS), strict=True)]
            sink.write(ABOUT, deltas(swapped), at(2))
        self.holds(held, "events", [row | {"type": self.kept(str(row["type"]))} for row in swapped])

    def test_keys_are_told_apart_exactly(self, opened: Opened, held: Held) -> None:
        keys = [text for text in TEXTS if len(text) < 100 and "\0" not in text and text]
        keys += [
            "PLAIN",
            "plain ",
            "Plain",
            "zürich",
            "Zurich",
            "1",
            "01",
            "1.0",
            "../x",
            "a/b",
            "a b",
            "a%20b",
            "*",
            "?",
        ]
        rows = [event(key, number) for number, key in enumerate(keys)]
        with opened() as sink:
            sink.write(ABOUT, deltas(rows), at(1))
            self.holds(held, "events", rows)
            sink.write(ABOUT, deltas([event("plain", 99)], keys[::2]), at(2))
        kept = {row["row_key"]: row for row in rows[1::2]} | {"plain": event("plain", 99)}
        self.holds(held, "events", list(kept.values()))

    def test_numbers_and_times_come_back_as_they_were(self, opened: Opened, held: Held) -> None:
        rows = [event(f"n{number}", lat=value) for number, value in enumerate(NUMBERS)]
        rows += [event(f"i{number}", ward=value, log_offset=value) for number, value in enumerate(INTEGERS)]
        rows += [event(f"t{number}", occurred_at=value, reviewed=value.date()) for number, value in enumerate(TIMES)]
        rows += [event(f"b{number}", domestic=value) for number, value in enumerate([True, False, None])]
        with opened() as sink:
            sink.write(ABOUT, deltas(rows), at(1))
        self.holds(held, "events", rows)

    def test_values_that_no_calendar_has_do_not_stop_a_delivery(self, opened: Opened) -> None:
        years = pa.array([253_402_300_800_000_000, -(2**56), 2**62], pa.int64()).cast(pa.timestamp("us"))
        rows = pa.Table.from_pylist(
            [event(str(n), lat=value) for n, value in enumerate([float("nan"), float("inf"), -float("inf")])], EVENTS
        )
        rows = rows.set_column(EVENTS.get_field_index("occurred_at"), EVENTS.field("occurred_at"), years)
        with opened() as sink:
            changed = Delta("events", pa.array([], pa.string()), EVENTS, iter(rows.to_batches()))
            sink.write(ABOUT, [changed, delta("daily"), delta("alerts")], at(1))
            assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 3, 3)]

    def test_months_are_those_of_the_city_or_of_the_window(self, opened: Opened) -> None:
        last, first = datetime(2024, 12, 31, 23, 59, 59, 999_999), datetime(2025, 1, 1)
        rows = [
            event("1", 1, occurred_local=last, occurred_at=first),
            event("2", 2, occurred_local=first),
            event("3", 4, occurred_local=None),
        ]
        with opened() as sink:
            sink.write(
                ABOUT,
                [delta("events", rows), delta("daily"), delta("alerts", [alert(ABOUT, "a") | {"window_start": last}])],
                at(1),
            )
            assert sink.partitions(ABOUT, "events") == [
                Partition("", 1, 4),
                Partition("2024-12", 1, 1),
                Partition("2025-01", 1, 2),
            ]
            assert sink.partitions(ABOUT, "alerts") == [Partition("2024-12", 1, 1)]

    def test_sums_of_digests_are_exact(self, opened: Opened) -> None:
        rows = [event(str(number), 2**31 - 1) for number in range(300)]
        with opened() as sink:
            sink.write(ABOUT, [delta("events", rows, batch=1000), delta("daily"), delta("alerts")], at(1))
            assert sink.partitions(ABOUT, "events") == [Partition("2025-01", 300, 300 * (2**31 - 1))]

    @given(logs(30), st.lists(st.integers(0, 30), max_size=2))
    @settings(
        max_examples=4,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each step opens a store: shrinking would take minutes
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    def test_following_gives_the_store(self, opened: Opened, held: Held, log: list[Record], cuts: list[int]) -> None:
        """Whatever the log, wherever it is cut, and whenever the sink looks."""
        folder = Path(tempfile.mkdtemp())

        @contextmanager
        def deliveries() -> Iterator[Deltas]:
            with Reader(folder) as reader:
                yield Deltas(reader, ABOUT)

        try:
            with opened() as sink:
                sink.clear(ABOUT)
                done = 0
                for cut in [*sorted(cuts), len(log)]:
                    apply(folder, log, done, min(cut, len(log)), 1)
                    done = min(cut, len(log))
                    publish(ABOUT, deliveries, sink, _read)
                    with deliveries() as state:
                        assert sink.delivered(ABOUT) == state.delivered
                        assert verify(ABOUT, state, sink) == []
            with deliveries() as state:
                for table in DELIVERED_TABLES:
                    _same(state.of(table, 0), held(ABOUT, table))
        finally:
            shutil.rmtree(folder)


def _read(delta: Delta) -> Delta:
    return replace(delta, rows=iter(list(delta.rows)))


def _same(stored: Delta, held: list[Row]) -> None:
    rows = [row for batch in stored.rows for row in batch.to_pylist()]
    names = stored.schema.names
    assert {row["row_key"]: {name: row[name] for name in names} for row in held} == {
        row["row_key"]: row for row in rows
    }
    assert len(held) == len(rows)
