"""The application: its routes, its errors, and what stands before them. `docs/http.md` says what comes back."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from citystream.errors import CitystreamError
from citystream.web import count_routes, known_routes, meta, record_routes, watch_routes
from citystream.web.failures import failed, failure
from citystream.web.security import Guard
from citystream.web.site import Site
from citystream.web.static import static

_LOG: Final = logging.getLogger("citystream.web")


def create(site: Site, *, token: str = "", local: bool = True) -> ASGIApp:
    """The application; *token* and *local* as in `Guard`."""
    app = FastAPI(
        title="citystream",
        version=meta.PRODUCT["version"],
        description="Everything is read-only. One question is about one dataset, hence of one kind.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_closing(site),
    )
    app.add_exception_handler(CitystreamError, _failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)
    for part in (known_routes, count_routes, record_routes, watch_routes):
        app.include_router(part.routes(site))
    app.mount("/", static())
    return Guard(app, token, local)


def _closing(site: Site) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        site.close()

    return lifespan


async def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CitystreamError)
    return failed(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
    return failure(400, "bad_request", said, "docs/http.md lists the parameters")


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return failure(error.status_code, "unknown_name" if error.status_code == 404 else "bad_request", str(error.detail))


async def _broken(request: Request, error: Exception) -> Response:
    """A fault of ours: said in full where the server runs, and in one line to who asked."""
    _LOG.error("%s %s failed", request.method, request.url, exc_info=error)
    return failure(500, "failed", f"the server failed: {type(error).__name__}", "what it was is where the server runs")
