"""Errors as answers: one form for all, with the status that says what sort of error it is."""

from __future__ import annotations

from typing import Final

from starlette.responses import JSONResponse

from citystream.errors import CitystreamError, ConfigError, QueryError, StorageError, UnknownName
from citystream.web.board import Busy, NotCounted
from citystream.web.selection import Superseded
from citystream.web.sql import TooSlow

#: The first that fits.
_STATUS: Final[tuple[tuple[type[CitystreamError], int, str], ...]] = (
    (Superseded, 409, "superseded"),
    (NotCounted, 400, "not_counted"),
    (TooSlow, 422, "too_slow"),
    (UnknownName, 404, "unknown_name"),
    (QueryError, 400, "bad_request"),
    (ConfigError, 400, "bad_request"),
    (Busy, 503, "loading"),
    (StorageError, 503, "loading"),
)
_AGAIN: Final = "2"


def failure(status: int, code: str, message: str, hint: str = "") -> JSONResponse:
    """An error of a sort that has a *code*."""
    headers = {"Retry-After": _AGAIN} if status == 503 else None
    return JSONResponse({"error": {"code": code, "message": message, "hint": hint}}, status, headers)


def failed(error: CitystreamError) -> JSONResponse:
    """The answer to *error*."""
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            return failure(status, code, error.message, error.hint)
    return failure(500, "failed", error.message, error.hint)
