"""The tables of windows and alerts against the statements that define them, in three zones and many shapes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from citystream.catalog.crosswalk import Crosswalk
from citystream.catalog.dataset import Dataset
from citystream.detect.threshold import Threshold
from citystream.store.duckdb import DatasetStore
from citystream.store.views import statements
from tests.laws.logs import conformed, logs
from tests.laws.model import UTC, Record
from tests.laws.test_store import database

OVER = 1
CHICAGO, KATHMANDU, LORD_HOWE = "America/Chicago", "Asia/Kathmandu", "Australia/Lord_Howe"
#: Days on which the clock of the zone was changed, a day before 1970, and the last day that is taken for a date.
DAYS = {
    CHICAGO: [datetime(2024, 3, 10), datetime(2024, 11, 3), datetime(1969, 12, 31), datetime(2099, 12, 31)],
    KATHMANDU: [datetime(2024, 3, 10), datetime(1986, 1, 1), datetime(1985, 12, 31), datetime(2099, 12, 31)],
    LORD_HOWE: [datetime(2024, 4, 7), datetime(2024, 10, 6), datetime(1969, 12, 31), datetime(2099, 12, 31)],
}


@dataclass(frozen=True)
class Placed(Record):
    """A record of a city in *zone*."""

    zone: str = CHICAGO

    @property
    def at(self) -> datetime | None:
        if self.local is None:
            return None
        return self.local.replace(tzinfo=ZoneInfo(self.zone), fold=0).astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Shape:
    """Windows, in minutes."""

    zone: str
    pane: int
    slide: int
    size: int

    def dataset(self) -> Dataset:
        return Dataset.model_validate(
            {
                "name": "testville/crimes",
                "city": {"city": "T", "country": "US", "timezone": self.zone, "bbox": (-88, 41, -87, 43)},
                "crosswalk": Crosswalk(),
                "title": "Crimes",
                "kind": "incident",
                "columns": {"event_id": ["id"], "occurred": ["date"], "type": ["type"]},
                "attributes": {"ward": {"column": ["ward"], "type": "integer"}},
                "windows": {
                    "sliding": {
                        "pane": timedelta(minutes=self.pane),
                        "slide": timedelta(minutes=self.slide),
                        "size": timedelta(minutes=self.size),
                    }
                },
                "detectors": [{"name": "threshold", "over": OVER}],
            }
        )


SHAPES = [
    Shape(CHICAGO, 30, 30, 120),
    Shape(CHICAGO, 30, 60, 120),
    Shape(CHICAGO, 30, 90, 90),
    Shape(CHICAGO, 15, 30, 60),
    Shape(CHICAGO, 5, 15, 45),
    Shape(CHICAGO, 1, 10, 20),
    Shape(KATHMANDU, 15, 15, 45),
    Shape(KATHMANDU, 15, 45, 90),
    Shape(LORD_HOWE, 30, 30, 90),
    Shape(LORD_HOWE, 15, 60, 180),
    Shape(LORD_HOWE, 10, 30, 30),
]


def moved(log: list[Record], shape: Shape) -> list[Record]:
    """The log in another city: its days become those of the zone."""
    days = dict(zip([10, 3, 31], DAYS[shape.zone], strict=False))
    made: list[Record] = []
    for record in log:
        local = record.local
        if local is not None and not isinstance(record, Placed):
            day = days.get(local.day, DAYS[shape.zone][-1])
            # wards and versions are drawn at random: some of them make the day a far one
            day = DAYS[shape.zone][-1] if record.ward and record.version == 3 else day
            local = day + timedelta(hours=local.hour, minutes=local.minute)
        made.append(Placed(**(record.__dict__ | {"local": local, "zone": shape.zone})))
    return made


def defining(name: str, package: str = "windows") -> str:
    return files(f"citystream.{package}").joinpath(f"{name}.sql").read_text("utf-8")


def rows(connection: duckdb.DuckDBPyConnection, sql: str, **values: object) -> Counter[tuple[object, ...]]:
    return Counter(connection.execute(sql, values).fetchall())


def assert_as_defined(connection: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    """`daily`, `sliding` and active `alerts` are what one statement each says over `events`."""
    name = "testville/crimes"
    shown = "SELECT dataset, kind, district, day, total, domestic FROM daily"
    assert rows(connection, shown) == rows(connection, defining("daily"))
    shown = "SELECT dataset, kind, type, district, window_start, window_end, total FROM sliding"
    widths = {"dataset": name, "size": shape.size, "slide": shape.slide}
    assert rows(connection, shown) == rows(connection, defining("sliding"), **widths)
    shown = "SELECT dataset, type, district, window_start, window_end, observed FROM alerts WHERE status = 'active'"
    rule = defining("threshold", "detect")
    assert rows(connection, shown) == rows(connection, rule, dataset=name, over=OVER)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    log=logs(40),
    cuts=st.lists(st.integers(0, 40), max_size=5),
    shape=st.sampled_from(SHAPES),
    small=st.sampled_from([0, 1000]),
)
@example(log=[Placed(id=i, local=datetime(2099, 12, 31, 23, 30)) for i in "1234"], cuts=[1], shape=SHAPES[0], small=0)
@example(log=[Placed(id=i, local=datetime(2024, 3, 10, 2, 30)) for i in "1234"], cuts=[1], shape=SHAPES[4], small=1000)
def test_windows_are_what_their_statements_say(log: list[Record], cuts: list[int], shape: Shape, small: int) -> None:
    """Law 3, in every zone: panes that never cross midnight, slides wider than a pane, windows before 1970, in
    the far future, over clock changes; and the same as of an earlier offset."""
    log = moved(log, shape)
    about = shape.dataset()
    windows = about.windows.sliding
    assert windows
    edges = sorted({min(c, len(log)) for c in cuts} | {0, len(log)})
    with database() as opened:
        opened.require(about)

        def opening() -> DatasetStore:
            detectors = [Threshold(windows, OVER)]
            return DatasetStore(opened.connection, about, detectors, fold_after=7, load_all_below=small)

        store = opening()
        for number, (start, end) in enumerate(pairwise(edges)):
            store.apply(conformed(log[start:end], start, about))
            if number % 2:
                store = opening()
        assert_as_defined(opened.connection, shape)
        if log:
            for view in statements({about.name: about}, {about.name: len(log) // 2}):
                opened.connection.execute(view)
            assert_as_defined(opened.connection, shape)
