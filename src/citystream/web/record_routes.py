"""Routes of single records: pages of them, one with its history, measurements, and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import quote

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from citystream.disclosure import notices
from citystream.errors import QueryError
from citystream.store.reader import Reader
from citystream.web import alerts, export, readings, rows
from citystream.web.asked import After, DatasetName, filters_of, iso
from citystream.web.filters import Filters
from citystream.web.selection import values_of
from citystream.web.site import Site


def routes(site: Site) -> APIRouter:
    """The routes of this module."""
    router = APIRouter()

    @router.get("/api/rows")
    async def records(
        request: Request,
        dataset: DatasetName,
        *,
        limit: Annotated[int, Query(ge=1, le=rows.MOST_ROWS)] = 100,
        after: After = "",
        order: rows.Order = "occurred",
        offset: Annotated[list[int] | None, Query(description="only these records", max_length=rows.MOST_ROWS)] = None,
    ) -> dict[str, Any]:
        """The records behind a number, newest first."""
        site.board.counted(dataset)
        page = rows.Page(order, rows.Cursor.read(after), limit)

        def made(reader: Reader) -> dict[str, Any]:
            held, filters = filters_of(site, request, dataset)
            with held.asking() as asked:
                total = len(offset) if offset else int(asked.marks(filters).sum())
                found = rows.listed(offset) if offset else rows.chosen(asked, filters, page)
                version = asked.state.version
            shown, following = rows.read(reader, held.engine.dataset, found, page)
            return {"dataset": dataset, "version": version, "total": total, "next": following, "rows": shown}

        return await site.read(made)

    @router.get("/api/incident/{event_id:path}")
    async def incident(event_id: str, dataset: DatasetName) -> dict[str, Any]:
        """One record with everything that is known about it."""
        site.board.counted(dataset)
        return await site.read(lambda reader: rows.incident(reader, reader.datasets[dataset], event_id))

    @router.get("/api/readings")
    async def measured(
        dataset: DatasetName, measure: str = "", station: Annotated[list[str] | None, Query()] = None, t: str = ".."
    ) -> dict[str, Any]:
        """What stations measured."""
        known = site.board.dataset(dataset)
        first, dots, last = t.partition("..")
        if not dots:
            raise QueryError(f"t={t} is no period", "write t=2026-01-01..2026-01-14")
        days = (iso(alerts.day(first)) or "", iso(alerts.day(last)) or "")
        return await site.read(lambda reader: readings.readings(reader, known, measure, station or (), days))

    @router.get("/api/export.notice")
    async def notice(dataset: DatasetName) -> Response:
        """The publisher's notice, which goes wherever the data goes."""
        return Response("\n\n".join(notices([site.board.dataset(dataset)])) + "\n", media_type="text/plain")

    @router.get("/api/export.{form}")
    async def exported(request: Request, form: Literal["csv", "parquet", "geojson"], dataset: DatasetName) -> Response:
        """The filtered rows as a file."""
        filters_of(site, request, dataset)

        def work(out: Any, begin: Callable[[int], None]) -> None:
            with site.board.reader() as reader:
                held, filters = filters_of(site, request, dataset)
                with held.asking() as asked:
                    selection = filters.selection(held.engine)
                    unfiltered = filters == Filters()
                    found = None if unfiltered else values_of(asked.state.columns, selection, [])["off"]
                    begin(asked.state.columns.total if found is None else len(found))
                export.write(reader, held.engine.dataset, found, form, out)

        folder = site.board.app.config.data
        count, blocks = await anyio.to_thread.run_sync(export.streamed, work, folder, limiter=site.reading)
        name = f"{dataset.replace('/', '_')}.{form}"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Rows": str(count),
            "X-Notice": quote("\n\n".join(notices([site.board.dataset(dataset)])))[:4_000],
            "Cache-Control": "no-store",
        }
        return StreamingResponse(blocks, 200, headers, export.TYPES[form])

    return router
