"""Routes of counts: everything that is answered from memory."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from citystream.web import alerts, brush, comparison, meta, news, points, pulse, series
from citystream.web.asked import Cells, DatasetName, filters_of, iso, named, numbers, same, tag, view_of, views_of
from citystream.web.filters import own_of
from citystream.web.overview import Overview
from citystream.web.parts import Answer, View
from citystream.web.periods import How
from citystream.web.query import Query as Counting
from citystream.web.site import Site


def routes(site: Site) -> APIRouter:
    """The routes of this module."""
    router = APIRouter()

    @router.get("/api/query")
    async def query(
        request: Request,
        dataset: DatasetName,
        *,
        views: str = "",
        compare: How = "none",
        cells: Cells = "coarse",
        names: bool = False,
    ) -> Response:
        """All views under all filters."""
        held, filters = filters_of(site, request, dataset)
        wanted = views_of(held, views)
        version = meta.meta_version(site.board)
        asked_for = (filters, filters.dropped, wanted, compare, cells, names, request.headers.get("accept"))
        etag = tag(held.engine.state.version, held.fetched_at, version, asked_for)
        if same(request, etag):
            return Response(status_code=304, headers={"ETag": etag, "Vary": "Accept"})

        def made(asked: Counting) -> Response:
            answer = Overview(asked, filters, wanted, compare, cells, held.fetched_at).answer(version)
            return numbers(request, named(held, answer) if names else answer, etag)

        return await site.count(held, request.headers.get("x-client", ""), made)

    @router.get("/api/index")
    async def index(request: Request, dataset: DatasetName, *, views: str = "", cells: Cells = "coarse") -> Response:
        """Running sums by month of each view, for dragging a period."""
        held, filters = filters_of(site, request, dataset)
        wanted = [*views_of(held, views, days=False), *([cells] if cells != "none" else [])]
        filters = filters.without(["t"])
        version = meta.meta_version(site.board)
        etag = tag("index", held.engine.state.version, version, filters, wanted, request.headers.get("accept"))
        if same(request, etag):
            return Response(status_code=304, headers={"ETag": etag, "Vary": "Accept"})

        def made(asked: Counting) -> Response:
            months, sums = brush.index(asked, filters, wanted)
            shown = {
                "cells" if name in ("coarse", "fine") else name: View(
                    ("box", "cell") if name in ("coarse", "fine") else own_of(held.engine.dims, name), counts
                )
                for name, counts in sums.items()
            }
            head: dict[str, object] = {
                "dataset": dataset,
                "version": asked.state.version,
                "meta": version,
                "months": months,
            }
            return numbers(request, Answer(head, shown), etag)

        return await site.count(held, "", made)

    @router.get("/api/points")
    async def shown_points(
        request: Request, dataset: DatasetName, *, limit: Annotated[int, Query(ge=1, le=points.MOST_POINTS)] = 5_000
    ) -> dict[str, Any]:
        """Positions of single events."""
        held, filters = filters_of(site, request, dataset)
        page = request.headers.get("x-client", "")
        return await site.count(
            held, f"{page} points" if page else "", lambda asked: points.points(asked, filters, limit)
        )

    @router.get("/api/series")
    async def over_time(
        request: Request,
        dataset: DatasetName,
        *,
        by: str = "",
        grain: series.Grain = "month",
        top: Annotated[int, Query(ge=1, le=series.MOST_SERIES)] = 12,
    ) -> dict[str, Any]:
        """Counts over time, for each value of a dimension."""
        held, filters = filters_of(site, request, dataset)
        by = view_of(held, by) if by else ""
        made = await site.count(held, "", lambda asked: series.series(asked, filters, by, grain))
        raised = await site.read(lambda reader: alerts.by_day(reader, held.engine.dataset))
        return {
            "dataset": dataset,
            "by": by,
            "grain": grain,
            **made.told(top),
            "complete_until": iso(news.complete_days(site.board).get(dataset)),
            "breaks": meta.breaks(held.engine.dataset),
            "alerts": raised,
        }

    @router.get("/api/comparison")
    async def compared(
        request: Request, dataset: DatasetName, *, by: str = "district", until: str = ""
    ) -> dict[str, Any]:
        """28 days and the year to date beside what came before."""
        held, filters = filters_of(site, request, dataset)
        by = view_of(held, by)
        last = alerts.day(until)
        return await site.count(
            held, "", lambda asked: comparison.comparison(asked, filters, by, last, held.fetched_at)
        )

    @router.get("/api/now")
    async def just_now(
        request: Request, dataset: DatasetName, *, hours: Annotated[int, Query(ge=1, le=pulse.MOST_HOURS)] = 48
    ) -> dict[str, Any]:
        """Every district beside its usual hour."""
        held, filters = filters_of(site, request, dataset)
        return await site.count(held, "", lambda asked: pulse.pulse(asked, filters, hours, held.fetched_at))

    return router
