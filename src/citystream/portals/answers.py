"""What a portal's answer means: data, a fault that passes, or a refusal.

A portal's word for its errors is not reliable: they come with status 200, as web pages, and cut off in the middle.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from citystream.errors import PortalError
from citystream.portals.json_values import decode

_TRANSIENT_STATUS: Final = frozenset({202, 408, 429, 500, 502, 503, 504})
_TRANSIENT_WORDS: Final = re.compile(
    r"time[d -]*out|try again|temporar|overload|too busy|throttl|unavailable|still running", re.IGNORECASE
)


class TransientError(Exception):
    """A fault that may be gone next time; *wait* is how many seconds the portal asked for."""

    def __init__(self, message: str, status: int | None = None, wait: float | None = None) -> None:
        super().__init__(message)
        self.status, self.wait = status, wait


def check_status(response: httpx.Response) -> None:
    """Raise `TransientError` or `PortalError` unless the status is 200."""
    status = response.status_code
    if status == 200:
        return
    what = f"HTTP {status}{_said(response)}"
    if status in _TRANSIENT_STATUS:
        wait = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
        raise TransientError(what, status, wait)
    raise PortalError(what, hint(status), status=status)


def check_passing(response: httpx.Response) -> None:
    """Raise `TransientError` for a status that may be another one next time; all others will do."""
    if response.status_code in _TRANSIENT_STATUS:
        check_status(response)


def json_value(response: httpx.Response) -> Any:
    """The JSON value of *response*, numbers as `json_values.Number`.

    Raises what `check_status` raises; `TransientError` for what is not whole JSON, for a time-out in words and for
    an error object with the number of a passing status; `PortalError` for another error object with status 200.
    """
    check_status(response)
    try:
        value = decode(response.content.decode())
    except (ValueError, RecursionError) as fault:
        page = response.content.lstrip().startswith(b"<")
        what = "a web page instead of JSON" if page else f"JSON that is damaged or cut off ({fault})"
        raise TransientError(what, response.status_code) from fault
    if message := error_in(value):
        status = _status_in(value) or response.status_code
        if status in _TRANSIENT_STATUS or _TRANSIENT_WORDS.search(message):
            raise TransientError(message, status)
        raise PortalError(f"an error in place of data: {message[:300]}", status=status)
    return value


def error_in(value: Any) -> str:
    """The message of an error object, else ''.

    Forms seen: ``{error: true, message}``, ``{code, message}``, ``{error: {code, message}}``.
    """
    if not isinstance(value, dict):
        return ""
    inner = value.get("error")
    if isinstance(inner, dict):
        return str(inner.get("message") or inner)
    if inner or ("code" in value and "message" in value):
        return str(value.get("message") or inner)
    return ""


def _status_in(value: dict[str, Any]) -> int | None:
    """The HTTP status that an error object gives as its code (ArcGIS does), None if it has none."""
    inner = value.get("error")
    code = str(inner.get("code", "") if isinstance(inner, dict) else value.get("code", ""))
    return int(code) if re.fullmatch(r"[45]\d\d", code) else None


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds from *now* that a ``Retry-After`` asks for: a number, or a date; None if it is neither."""
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def hint(status: int | None) -> str:
    """What a person can do about an HTTP *status* (None: there was no answer)."""
    if status in (401, 403, 498, 499):
        return "the portal does not let us in: is the dataset still public, is the token right?"
    if status in (404, 410):
        return "the dataset may have moved or been retired: look for it on the portal's site"
    if status == 429:
        return "the portal limits how often it is asked: wait, or set an app token"
    if status == 400:
        return "the portal does not understand the question: have the dataset's columns changed?"
    return "the portal seems to be down or unreachable: try again later; what was read so far is kept"


def _said(response: httpx.Response) -> str:
    """What the portal says about its refusal, shortened."""
    try:
        value = decode(response.content.decode())
    except (ValueError, RecursionError):
        return ""
    message = error_in(value) or (value.get("message") if isinstance(value, dict) else "")
    return f": {str(message)[:300]}" if message else ""
