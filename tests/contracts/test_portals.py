"""Every portal of this package, and files, keep the contract of visits."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citystream.catalog.dataset import Source
from citystream.portals.files import open_export
from citystream.portals.http import HttpClient, Patience
from citystream.portals.socrata import SocrataPortal
from citystream.portals.soda import Position
from citystream.ports import Visit
from citystream.simulate.portal import SimulatedPortal
from citystream.simulate.published import PublishedTable
from tests.contracts.portal_contract import DATASET, VisitContract


class TestSocrata(VisitContract):
    """A portal that answers SoQL, in pages of ten."""

    @pytest.fixture(autouse=True)
    def _closing(self) -> Iterator[None]:
        with ExitStack() as self.open:
            yield

    def visit(self, rows: pa.Table, *, complete: bool = True) -> Visit:
        table = PublishedTable.from_arrow(rows, types={"id": "number", "date": "calendar_date"})
        portal = self.open.enter_context(SimulatedPortal({"abcd-1234": table}))
        client = self.open.enter_context(HttpClient(Patience(interval=0)))
        source = Source(portal="socrata", host=portal.url, resource="abcd-1234", cursor="date")
        cursor = "" if complete else Position("incremental", "date", "2000-01-01T00:00:00.000").text()
        return SocrataPortal(client, page_size=10).visit(DATASET, source, cursor, full=False, overlap=False)


class FileContract(VisitContract):
    """A file that is written and opened."""

    name = ""

    @pytest.fixture(autouse=True)
    def _placed(self, tmp_path: Path) -> None:
        self.path = tmp_path / self.name

    def write(self, rows: pa.Table) -> None:
        raise NotImplementedError

    def visit(self, rows: pa.Table, *, complete: bool = True) -> Visit:
        self.write(rows)
        return open_export(self.path, DATASET, complete=complete)


class TestCsv(FileContract):
    name = "crimes.csv"
    blank = ""

    def write(self, rows: pa.Table) -> None:
        with self.path.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(rows.column_names)
            out.writerows(row.values() for row in rows.to_pylist())


class TestParquet(FileContract):
    name = "crimes.parquet"

    def write(self, rows: pa.Table) -> None:
        pq.write_table(rows, self.path)
