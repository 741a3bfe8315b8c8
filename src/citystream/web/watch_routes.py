"""Routes of what goes on: alerts, how the datasets stand, the live stream, and questions in SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response, StreamingResponse

from citystream.errors import QueryError
from citystream.web import alert_detail, alerts, meta, news, standing
from citystream.web import sql as questions
from citystream.web.asked import DatasetName
from citystream.web.board import Held
from citystream.web.failures import failed, failure
from citystream.web.live import Event, event, resync, sent
from citystream.web.site import Site


class Statement(BaseModel):
    """A question in SQL."""

    sql: str = Field(max_length=20_000)
    as_of: str | int | None = None
    limit: Annotated[int, Field(ge=1, le=questions.MOST_ROWS)] = 1_000


def routes(site: Site) -> APIRouter:
    """The routes of this module."""
    router = APIRouter()

    @router.get("/api/alerts")
    async def all_alerts(
        *,
        dataset: str = "",
        status: Literal["active", "withdrawn", ""] = "",
        detector: str = "",
        type: str = "",  # noqa: A002 -- as the address has it
        district: str = "",
        since: Annotated[str, Query(alias="from")] = "",
        limit: Annotated[int, Query(ge=1, le=alerts.MOST_ALERTS)] = 200,
        after: Annotated[int, Query(ge=0)] = 0,
    ) -> dict[str, Any]:
        """Alerts, the newest window first."""
        if dataset:
            site.board.dataset(dataset)
        wanted = alerts.Wanted(dataset, status, detector, type, district, alerts.day(since), limit, after)
        return await site.read(lambda reader: alerts.alerts(reader, wanted, news.complete_days(site.board)))

    @router.get("/api/alerts/{alert_id}")
    async def one_alert(alert_id: str) -> dict[str, Any]:
        """One alert with the records behind it."""
        return await site.read(lambda reader: alert_detail.alert(reader, alert_id, news.complete_days(site.board)))

    @router.get("/api/status")
    async def how_it_stands(dataset: str = "") -> dict[str, Any]:
        """Freshness, ledger, rejects, visits, sinks, and what this process does."""
        if dataset:
            site.board.dataset(dataset)
        stored = site.standings.remembered(dataset)
        if stored is None:
            stored = await site.read(lambda reader: site.standings.read(reader, dataset))
        return await site.aside(lambda: standing.standing(site.board.app, stored, site.pipeline, dataset))

    @router.get("/api/rejects")
    async def rejected(
        dataset: DatasetName,
        reason: str = "",
        limit: Annotated[int, Query(ge=1, le=standing.MOST_REJECTS)] = 100,
        after: int = -1,
    ) -> dict[str, Any]:
        """Rejected rows, without what was published."""
        site.board.dataset(dataset)
        return await site.read(lambda reader: standing.rejects(reader, dataset, reason, limit, after))

    @router.get("/api/live")
    async def live(request: Request, dataset: DatasetName, after: int | None = None) -> Response:
        """What changes, as it changes (server-sent events)."""
        held = site.board.counted(dataset)
        last = request.headers.get("last-event-id", "")
        since = int(last) if last.isascii() and last.isdecimal() and len(last) < 19 else after
        first = await _first_events(site, held, since)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(first, 200, headers, "text/event-stream")

    @router.post("/api/sql")
    async def ask(request: Request, statement: Statement) -> Response:
        """One SELECT over the public tables as they may leave."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return failure(415, "not_json", "send JSON", "Content-Type: application/json")
        try:
            found = await site.read(
                lambda reader: questions.ask(reader, statement.sql, statement.as_of, statement.limit)
            )
        except QueryError as error:
            slow = isinstance(error, questions.TooSlow)
            return failed(error) if slow else failure(400, "bad_query", error.message, error.hint)
        return JSONResponse(found.told())

    return router


async def _first_events(site: Site, held: Held, since: int | None) -> AsyncIterator[bytes]:
    """The stream of a page: where things stand, what it missed, and what comes."""
    name = held.engine.dataset.name
    hub, position = site.hub(name), held.engine.state.columns.position
    line, missed = hub.line(since, position)
    if missed is None and since is not None:
        missed = await site.read(lambda reader: news.missed(site.board, reader, site.board.counted(name), since))
    if missed is None:
        missed = [resync(position, "too much changed in the meantime")]
    data = {
        "dataset": name,
        "position": position,
        "version": str(position),
        "meta": meta.meta_version(site.board),
        "now": site.board.app.clock().replace(tzinfo=None, microsecond=0).isoformat(),
    }
    at = position if since is None or not missed else since
    hello: Event = event("hello", data, at, at)
    return sent(hub, line, [hello, *missed])
