"""HTTP answers in the portal's form: headers, compression, errors, and bodies that break off."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from email.utils import format_datetime

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from citystream.simulate.faults import (
    CutConnection,
    ErrorAsSuccess,
    Fault,
    Moved,
    ServerError,
    StillRunning,
    TooManyRequests,
    TruncatedBody,
)
from citystream.simulate.served import Answer
from citystream.simulate.soql.failure import SoqlError

_MEDIA = {"json": "application/json;charset=utf-8", "csv": "text/csv;charset=utf-8"}
_WORTH_COMPRESSING = 500
_PAGE = "<html><body><h1>Something went wrong</h1></body></html>"

#: A number like an HTTP status and a message -> the body of an error.
ErrorForm = Callable[[int, str], dict[str, object]]


def soda_headers(answer: Answer, changed: datetime, etag: str, *, stale: bool) -> dict[str, str]:
    """What the portal tells about the rows beside them."""
    modified = format_datetime(changed, usegmt=True)
    return {
        "X-SODA2-Fields": json.dumps(list(answer.types)),
        "X-SODA2-Types": json.dumps([_public(kind) for kind in answer.types.values()]),
        "X-SODA2-Truth-Last-Modified": modified,
        "Last-Modified": modified,
        "ETag": f'W/"{etag}"',
        "X-SODA2-Data-Out-Of-Date": "true" if stale else "false",
    }


def _public(kind: str) -> str:
    return {"calendar_date": "floating_timestamp", "checkbox": "boolean"}.get(kind, kind)


def rows(body: bytes, form: str, headers: dict[str, str], faults: Iterable[Fault], *, zipped: bool) -> Response:
    """The answer with its *body*, spoilt as *faults* say."""
    headers = {**headers, "Content-Type": _MEDIA[form], "Vary": "Accept-Encoding"}
    for fault in faults:
        if isinstance(fault, TruncatedBody):
            body = body[: int(len(body) * fault.share)]
    if zipped and len(body) > _WORTH_COMPRESSING:
        body = gzip.compress(body, 1, mtime=0)
        headers["Content-Encoding"] = "gzip"
    cut = next((fault for fault in faults if isinstance(fault, CutConnection)), None)
    if cut is None:
        return Response(body, headers=headers)
    headers["Content-Length"] = str(len(body))
    return StreamingResponse(_part(body[: int(len(body) * cut.share)]), headers=headers)


async def _part(body: bytes) -> AsyncIterator[bytes]:
    yield body


def instead(fault: Fault, asked: str, error: ErrorForm) -> Response | None:
    """What *fault* answers in place of rows, None if it lets the question through.

    *asked*: path and query of the request; *error* writes an error as the kind of portal does.
    """
    match fault:
        case TooManyRequests(retry_after=after):
            headers = {"Retry-After": after} if after else None
            return JSONResponse(error(429, "Too many requests"), 429, headers=headers)
        case StillRunning():
            return JSONResponse({"message": "Query is running"}, 202)
        case ServerError(status=status, html=html):
            return HTMLResponse(_PAGE, status) if html else JSONResponse(error(status, "Internal error"), status)
        case ErrorAsSuccess(message=message, code=code):
            return JSONResponse(error(code, message), 200)
        case Moved(to=to):
            return RedirectResponse(to + asked, 301)
        case _:
            return None


def refused(error: SoqlError) -> Response:
    """The question cannot be answered."""
    return JSONResponse({**_error(error.code, error.message), "data": {}}, 400)


def tokenless() -> Response:
    """SODA 3 wants a token."""
    return JSONResponse(_error("permission_denied", "An app token is required"), 403)


def missing(resource: str) -> Response:
    """There is no such table."""
    return JSONResponse(_error("dataset.missing", f"Cannot find view with id {resource}"), 404)


def _error(code: str, message: str) -> dict[str, object]:
    return {"code": code, "error": True, "message": message}


def numbered(status: int, message: str) -> dict[str, object]:
    """An error as Socrata writes it."""
    return _error("too_many_requests" if status == 429 else "internal_error", message)
