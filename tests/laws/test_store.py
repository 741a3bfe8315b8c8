"""The store against the plain model: cuts, restarts, both ways of remembering, and every past offset."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citystream.catalog.dataset import Dataset
from citystream.detect.threshold import Threshold
from citystream.store.database import Database
from citystream.store.duckdb import DatasetStore
from citystream.store.views import statements
from tests.laws.logs import OVER, SIZE, conformed, dataset, logs
from tests.laws.model import Model, Record

CUTS = st.lists(st.integers(0, 60), max_size=8)


@contextmanager
def database() -> Iterator[Database]:
    folder = Path(tempfile.mkdtemp())
    try:
        with Database(folder) as opened:
            yield opened
    finally:
        shutil.rmtree(folder)


def store_of(opened: Database, about: Dataset, **options: int) -> DatasetStore:
    opened.require(about)
    assert about.windows.sliding
    return DatasetStore(opened.connection, about, [Threshold(about.windows.sliding, OVER)], **options)


def model_of(log: list[Record], about: Dataset) -> Model:
    model = Model(SIZE, OVER, about.version is not None)
    for record in log:
        model.take(record)
    return model


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> Counter[tuple[object, ...]]:
    return Counter(connection.execute(sql).fetchall())


def assert_equal(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Every public table is what the model says."""
    versions = model.current.values()
    assert rows(
        connection,
        "SELECT event_id, occurred_local, occurred_at, type, district, domestic, log_offset, first_seen_at, "
        "changed_at FROM events",
    ) == Counter(
        (
            v.record.id,
            v.record.local,
            v.record.at,
            v.record.type,
            v.record.district,
            v.record.domestic,
            v.off,
            v.first_seen,
            v.record.fetched,
        )
        for v in versions
    )
    assert rows(connection, "SELECT event_id, ward FROM testville_crimes") == Counter(
        (v.record.id, v.record.ward) for v in versions
    )
    assert rows(connection, "SELECT event_id, log_offset, vanished_at FROM vanished") == Counter(
        (v.record.id, v.off, at) for v, at in model.gone.values()
    )
    assert rows(connection, "SELECT event_id, log_offset, known_from, known_until FROM revisions") == Counter(
        (v.record.id, v.off, v.record.fetched, v.known_until) for v in model.history
    )
    assert rows(connection, "SELECT log_offset FROM rejects") == Counter((off,) for off in model.rejects)
    daily = model.daily()
    domestic = model.domestic()
    assert rows(connection, "SELECT district, day, total, domestic FROM daily") == Counter(
        (*key, n, domestic.get(key, 0)) for key, n in daily.items()
    )
    assert rows(
        connection,
        "SELECT type, district, window_start, total FROM sliding WHERE window_end - window_start = INTERVAL 2 HOURS",
    ) == Counter((*key, n) for key, n in model.sliding().items())
    assert rows(
        connection,
        "SELECT type, district, window_start, observed, status, raised_at_offset, withdrawn_at_offset FROM alerts",
    ) == Counter(model.alerts())
    names = ("received", "inserted", "revised", "unchanged", "rejected", "vanished", "returned")
    if model.off:
        assert rows(connection, f"SELECT {', '.join(names)} FROM ledger") == Counter(
            [tuple(model.ledger[name] for name in names)]
        )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    log=logs(),
    cuts=CUTS,
    versioned=st.booleans(),
    restart=st.booleans(),
    fold=st.sampled_from([1, 3, 1000]),
    small=st.sampled_from([0, 1000]),
)
def test_any_cut_restart_and_memory_gives_the_model(
    log: list[Record], cuts: list[int], versioned: bool, restart: bool, fold: int, small: int
) -> None:
    """Laws 1, 2 and 3: wherever the log is cut, whether the process starts anew at each cut, whether everything is
    remembered or only what a batch needs, the tables are those of the plain model."""
    about = dataset(versioned=versioned)
    edges = sorted({min(c, len(log)) for c in cuts} | {0, len(log)})
    with database() as opened:
        options = {"fold_after": fold, "load_all_below": small, "load_after": 3}
        store = store_of(opened, about, **options)
        for start, end in pairwise(edges):
            if restart:
                store = store_of(opened, about, **options)
            ledger = store.apply(conformed(log[start:end], start, about))
            assert ledger.balances()
        assert_equal(opened.connection, model_of(log, about))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=logs(), cuts=CUTS, at=st.lists(st.integers(-1, 60), min_size=1, max_size=3), versioned=st.booleans())
def test_as_of_any_offset_is_a_store_that_stopped_there(
    log: list[Record], cuts: list[int], at: list[int], versioned: bool
) -> None:
    """Law 8, also for offsets inside a batch, with closings folded and not."""
    about = dataset(versioned=versioned)
    edges = sorted({min(c, len(log)) for c in cuts} | {0, len(log)})
    with database() as opened:
        store = store_of(opened, about, fold_after=5)
        for start, end in pairwise(edges):
            store.apply(conformed(log[start:end], start, about))
        for offset in at:
            cut = min(offset, len(log) - 1)
            for view in statements({about.name: about}, {about.name: cut}):
                opened.connection.execute(view)
            assert_equal(opened.connection, model_of(log[: cut + 1], about))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=logs(30))
def test_applying_a_batch_again_changes_nothing(log: list[Record]) -> None:
    """A batch that was committed, and is handed over once more after a restart, is no new batch."""
    about = dataset()
    with database() as opened:
        store = store_of(opened, about)
        store.apply(conformed(log, 0, about))
        store_of(opened, about).apply(conformed(log, 0, about))
        assert_equal(opened.connection, model_of(log, about))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=logs())
def test_alerts_of_a_series_depend_on_no_other_series(log: list[Record]) -> None:
    """Law 5: whatever the records of other types and districts say, the alerts of one series are the same."""
    about = dataset()
    others_silenced = [
        record if (record.type, record.district) == ("A", "1") else replace(record, type="Z", district="9", ward=0)
        for record in log
    ]
    seen = []
    for made in (log, others_silenced):
        with database() as opened:
            store_of(opened, about).apply(conformed(made, 0, about))
            sql = (
                "SELECT window_start, observed, status, raised_at_offset, withdrawn_at_offset FROM alerts "
                "WHERE type = 'A' AND district = '1'"
            )
            seen.append(rows(opened.connection, sql))
    assert seen[0] == seen[1]
