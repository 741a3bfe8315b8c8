"""A simulated portal, its clock, and what a visit or a whole run brings: shared by the tests of the other portals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from citystream.app import App, Outcome
from citystream.catalog.dataset import Source
from citystream.config import load
from citystream.portals.http import HttpClient, Patience
from citystream.ports import Page, Visit
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.forms import LAYER
from citystream.simulate.portal import SimulatedPortal
from citystream.simulate.published import PublishedTable
from tests.sources import with_source

TORONTO, SAN_DIEGO = "toronto/bicycle-thefts", "san-diego/calls"
YEAR_FILES = "/police_calls_for_service/pd_calls_for_service_{year}_datasd.csv"
SPRING = datetime(2024, 3, 20, tzinfo=UTC)
QUICK = Patience(interval=0, first_wait=0.01, longest_wait=0.02, budget=5, connect=5, read=5)


def drawn(dataset: str, **span: object) -> PublishedTable:
    return generate(dataset, **({"start": date(2023, 11, 1), "end": date(2024, 5, 31)} | span)).table


class PortalTown:
    """A portal that has one dataset; *at* is the time there and here."""

    def __init__(self, dataset: str, table: PublishedTable, at: datetime = SPRING) -> None:
        self.dataset, self.table, self.at = dataset, table, at
        self.portal = SimulatedPortal({RESOURCES[dataset]: table}, clock=lambda: self.at)
        self.client = HttpClient(QUICK)

    def __enter__(self) -> PortalTown:
        self.portal.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.portal.close()

    def renewed(self) -> PortalTown:
        """As on the first day: its time, no faults, nothing asked, no row changed behind the history's back."""
        self.at = SPRING
        self.portal.faults.clear()
        self.portal.requests.clear()
        for served in self.portal._served.values():
            served.close()
        self.portal._served.clear()
        return self

    def later(self, **time: float) -> None:
        self.at += timedelta(**time)

    def source(self, portal: str, **changes: object) -> Source:
        here = {"portal": portal, "host": self.portal.url} | changes
        places = {"arcgis": LAYER.strip("/"), "ckan": "bicycle-thefts"}
        if portal == "files":
            here = {"portal": portal, "url": self.portal.url + YEAR_FILES} | changes
        return Source(**({"resource": places.get(portal, "")} | here))

    def published(self, column: str) -> list[str]:
        """The values of *column* that are published now, sorted."""
        return sorted(self.table.at(self.at)[column].to_pylist())

    def asked(self, path: str = "") -> list[str]:
        """The paths asked for since the last time that this was asked."""
        paths = [f"{r.method} {r.path.rpartition('/')[2]}" for r in self.portal.requests if path in r.path]
        self.portal.requests.clear()
        return paths

    def run(self, data: Path, source: Source, *, full: bool = False, **settings: object) -> Outcome:
        return self.app(data, source, **settings).run(self.dataset, full=full)

    def app(self, data: Path, source: Source, **settings: object) -> App:
        values = {"data": str(data), "pause": 0, "patience": 0.1, "page_rows": 200, "threads": 1, "learn": False}
        app = App(load({**values, **settings}, {}), clock=lambda: self.at)
        with_source(app, self.dataset, **source.model_dump())
        return app


def column(pages: list[Page], name: str) -> list[str]:
    """The values of a column, whatever its case, over all pages."""
    return [v for p in pages for v in p.rows[next(c for c in p.rows.column_names if c.lower() == name)].to_pylist()]


def read(visit: Visit) -> list[Page]:
    """All pages of a visit that agrees with its portal."""
    pages = list(visit.pages())
    assert visit.verify(sum(page.rows.num_rows for page in pages)) == ""
    return pages


def ids(app: App, table: str = "events") -> set[str]:
    with app.reader() as reader:
        return set(reader.query(f"SELECT event_id FROM {table}")["event_id"].to_pylist())


def fetches(app: App) -> list[dict[str, object]]:
    with app.reader() as reader:
        return reader.query("SELECT * FROM fetches ORDER BY finished_at, started_at").to_pylist()
