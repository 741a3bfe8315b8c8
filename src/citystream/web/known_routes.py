"""Routes of what a page must know before it asks."""

from __future__ import annotations

from typing import Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from citystream.web import meta
from citystream.web import sql as questions
from citystream.web.asked import DatasetName, tag, tagged
from citystream.web.site import Site


def routes(site: Site) -> APIRouter:
    """The routes of this module."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, Any]:
        """Whether all is read in; needs no token."""
        names, held = site.board.counted_names(), site.board.loaded()
        datasets = {
            name: {"position": held[name].engine.state.columns.position if name in held else 0, "loaded": name in held}
            for name in names
        }
        ready = all(each["loaded"] for each in datasets.values()) and (site.board.looked or not site.board.stored())
        return {"status": "ok" if ready else "loading", "version": meta.PRODUCT["version"], "datasets": datasets}

    @router.get("/api/meta")
    async def what_is_known(request: Request) -> Response:
        """Cities, datasets, dimensions and their values."""

        def made() -> dict[str, Any]:
            allowed = {
                "tables": questions.names(site.board.datasets),
                "rows": questions.MOST_ROWS,
                "seconds": questions.SECONDS,
            }
            return meta.versioned(site.board, allowed, site.board.app.clock())

        told = await anyio.to_thread.run_sync(made, limiter=site.counting)
        etag = tag({name: value for name, value in told.items() if name != "now"})
        return tagged(request, etag, lambda: bytes(JSONResponse(told).body), "application/json")

    @router.get("/api/outlines/{city}/{scheme}")
    async def outlines(request: Request, city: str, scheme: str) -> Response:
        """The outlines of areas as GeoJSON."""
        body = meta.outlines(city, scheme, site.board.datasets.values())
        return tagged(request, tag(city, scheme, len(body)), lambda: body, "application/geo+json")

    @router.get("/api/cells")
    async def cells(request: Request, dataset: DatasetName, size: Literal["coarse", "fine"] = "coarse") -> Response:
        """The hexagons of the map."""
        held = site.board.counted(dataset)
        etag = tag(dataset, size, len(held.engine.coder.cells), held.engine.made_by)
        return tagged(
            request, etag, lambda: bytes(JSONResponse(meta.cells(held.engine, size)).body), "application/json"
        )

    return router
