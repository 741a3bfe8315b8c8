"""The portals that are read page by page, and those that are files, keep the contract of visits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date

import pyarrow as pa
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from citystream.catalog.dataset import Source
from citystream.portals.arcgis import ArcgisPortal
from citystream.portals.ckan import CkanPortal
from citystream.portals.http import HttpClient, Patience
from citystream.portals.paged import Progress
from citystream.portals.web_files import FilePortal
from citystream.ports import Visit
from citystream.simulate.listener import Listener
from tests.contracts.portal_contract import DATASET, VisitContract
from tests.unit.paged_servers import Arcgis, Ckan


class TestCkan(VisitContract):
    def visit(self, rows: pa.Table, *, complete: bool = True) -> Visit:
        client = Ckan(rows.to_pylist())
        cursor = "" if complete else Progress("r1 2024-01-01T12:00:00.5", 1).text()
        source = Source(portal="ckan", host="data.springfield.gov", resource="crimes")
        return CkanPortal(client, page_size=10).visit(DATASET, source, cursor, full=False, overlap=False)


class TestArcgis(VisitContract):
    paged = True
    flag = True

    def visit(self, rows: pa.Table, *, complete: bool = True) -> Visit:
        client = Arcgis(rows.to_pylist(), paged=self.paged, flag=self.flag)
        cursor = "" if complete else Progress("1700000000000", 1).text()
        source = Source(portal="arcgis", host="gis.springfield.gov", resource="rest/FeatureServer/0")
        return ArcgisPortal(client).visit(DATASET, source, cursor, full=False, overlap=False)


class TestArcgisWithoutOffset(TestArcgis):
    paged = False


class TestArcgisThatDoesNotSayThatMoreFollows(TestArcgis):
    flag = False


class TestFiles(VisitContract):
    blank = ""

    @pytest.fixture(autouse=True)
    def _closing(self) -> Iterator[None]:
        with ExitStack() as self.open:
            yield

    def visit(self, rows: pa.Table, *, complete: bool = True) -> Visit:
        text = io.StringIO()
        out = csv.writer(text)
        out.writerow(rows.column_names)
        out.writerows(row.values() for row in rows.to_pylist())

        async def answer(_request: object) -> Response:
            return Response(text.getvalue().encode(), headers={"Date": "Mon, 01 Jul 2024 12:00:00 GMT"})

        listener = Listener(Starlette(routes=[Route("/crimes-2024.csv", answer)]), 0)
        listener.start()
        self.open.callback(listener.stop)
        client = self.open.enter_context(HttpClient(Patience(interval=0)))
        source = Source(portal="files", url=f"{listener.url}/crimes-{{year}}.csv", covers_from=date(2024, 1, 1))
        cursor = "" if complete else '{"files":{"2024":["x",""]},"columns":[],"open":false,"checked":"2024-07-01"}'
        return FilePortal(client).visit(DATASET, source, cursor, full=False, overlap=False)
