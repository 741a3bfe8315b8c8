"""The one HTTP client: polite, patient, and the only place where anything is retried.

One request at a time per host, at least `Patience.interval` apart. A transient fault (429, 408, 5xx, a query
that is still running (202), a broken connection, a body that is cut off or is not whole JSON, a time-out or a 5xx
that the portal reports with status 200) is tried again with exponential back-off and jitter, or after what
``Retry-After`` says, until `Patience.budget` seconds have passed. All else is a `PortalError` at once. Values of
request headers (tokens) never appear in messages.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import stamina

from citystream.errors import PortalError, StorageError
from citystream.portals.answers import TransientError, check_passing, check_status, hint, json_value

Answer = TypeVar("Answer")
Headers = Mapping[str, str]
Params = Mapping[str, str]

TOKEN: Final = "X-App-Token"
_FOR_GOOD: Final = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
_REDIRECTS: Final = 5
_FOR_EVER: Final = frozenset({301, 308})
_NO_TIME: Final = 1e-6
_PUBLIC: Final = frozenset({"if-none-match", "if-modified-since"})

# whoever wants to see retries attaches a handler; without any, logging would print them on stderr
logging.getLogger("stamina").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the client waits, in seconds.

    *interval*: between two requests to one host; *connect*, *read*: for a connection, for the next bytes;
    *first_wait*, *longest_wait*: of the back-off; *budget*: in all, for one answer.
    """

    interval: float = 0.25
    connect: float = 10.0
    read: float = 120.0
    first_wait: float = 1.0
    longest_wait: float = 60.0
    budget: float = 300.0


class HttpClient:
    """Gets things from portals. Can be shared by threads; `close` it, or use it in a ``with``."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._client = httpx.Client(
            headers={"User-Agent": _user_agent(), "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(self._patience.read, connect=self._patience.connect),
        )
        #: Address -> where it has moved to for good, without what was asked there.
        self.moved: dict[str, str] = {}
        self._guard = threading.Lock()
        self._turns: dict[str, _Turn] = {}

    def get_json(self, url: str, params: Params | None = None, headers: Headers | None = None) -> tuple[Any, Headers]:
        """The JSON value at *url* (numbers as `json_values.Number`) and the answer's headers.

        Raises `PortalError`, also for an error object that came with status 200.
        """
        return self._ask("GET", url, json_value, params=params, headers=headers)

    def post_json(self, url: str, body: Any, headers: Headers | None = None) -> tuple[Any, Headers]:
        """The JSON value that answers the question *body* (sent as JSON); it changes nothing there, so it is
        repeated like any other question. Raises `PortalError`.
        """
        return self._ask("POST", url, json_value, headers=headers, body=body)

    def get_bytes(
        self, url: str, params: Params | None = None, headers: Headers | None = None
    ) -> tuple[bytes, Headers]:
        """The whole body at *url* and the answer's headers. Raises `PortalError`."""
        return self._ask("GET", url, _content, params=params, headers=headers)

    def head(self, url: str) -> Headers:
        """The headers of the answer, whatever its status, unless that may be another one next time."""
        return self._ask("HEAD", url, check_passing)[1]

    def download(self, url: str, path: Path, headers: Headers | None = None) -> Headers | None:
        """Write the body at *url* to the file *path*, a block at a time, and return the answer's headers.

        None, and no file, if it is as *headers* (``If-None-Match``, ``If-Modified-Since``) describe it. A body that
        breaks off is asked for again from its beginning. Raises `PortalError`.
        """
        found, told = self._ask("GET", url, _is_new, headers=headers, take=lambda answer: _save(answer, path))
        return told if found else None

    def get_beginning(self, url: str, most: int) -> tuple[bytes, bool]:
        """The first *most* bytes at *url*, or a little more, and whether that is all of it. Raises `PortalError`."""
        found: list[bytes] = []
        _, told = self._ask("GET", url, check_status, take=lambda answer: found.append(_beginning(answer, most)))
        announced = told.get("Content-Length", "")
        packed = told.get("Content-Encoding", "")
        known = announced.isdigit() and not packed
        return found[-1], len(found[-1]) >= int(announced) if known else len(found[-1]) < most

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self,
        method: str,
        url: str,
        read: Callable[[httpx.Response], Answer],
        *,
        params: Params | None = None,
        headers: Headers | None = None,
        body: Any = None,
        take: Callable[[httpx.Response], object] = httpx.Response.read,
    ) -> tuple[Answer, Headers]:
        """What *read* makes of the answer; *take* receives its body from the connection."""
        asked, told = params or {}, headers or {}
        try:
            request = self._client.build_request(method, url, params=dict(asked), headers=dict(told), json=body)
            return self._patiently(request, read, take)
        except (PortalError, TransientError, httpx.HTTPError, httpx.InvalidURL) as fault:
            raise _explained(fault, url, asked, _secrets(told)) from fault.__cause__

    def _patiently(
        self,
        request: httpx.Request,
        read: Callable[[httpx.Response], Answer],
        take: Callable[[httpx.Response], object],
    ) -> tuple[Answer, Headers]:
        waits = self._patience
        until = time.monotonic() + waits.budget
        for attempt in stamina.retry_context(
            on=lambda fault: _again(fault, until, waits.first_wait),
            attempts=None,
            timeout=waits.budget or _NO_TIME,
            wait_initial=waits.first_wait,
            wait_max=waits.longest_wait,
            wait_jitter=waits.first_wait,
        ):
            with attempt:
                response = self._send(request, take)
                return read(response), response.headers
        raise AssertionError("stamina raises the last fault")

    def _send(self, request: httpx.Request, take: Callable[[httpx.Response], object]) -> httpx.Response:
        """The answer to *request*, redirects followed; a token does not follow to another host."""
        for _ in range(_REDIRECTS):
            with self._turn(request.url.host):
                response = self._received(request, take)
            following = response.next_request
            if following is None:
                return response
            if response.status_code in _FOR_EVER:
                self.moved[str(request.url.copy_with(query=None))] = str(following.url.copy_with(query=None))
            if following.url.host != request.url.host:
                following.headers.pop(TOKEN, None)
            request = following
        raise httpx.TooManyRedirects("redirected too often", request=request)

    def _received(self, request: httpx.Request, take: Callable[[httpx.Response], object]) -> httpx.Response:
        """The answer, its body taken from the connection, which is free again."""
        response = self._client.send(request, stream=True)
        try:
            take(response) if response.status_code == 200 else response.read()
        finally:
            response.close()
        return response

    def _turn(self, host: str) -> _Turn:
        with self._guard:
            return self._turns.setdefault(host, _Turn(self._patience.interval))


class _Turn:
    """One request at a time, *interval* seconds between the end of one and the start of the next."""

    def __init__(self, interval: float) -> None:
        self._interval, self._lock, self._free_at = interval, threading.Lock(), 0.0

    def __enter__(self) -> None:
        self._lock.acquire()
        time.sleep(max(0.0, self._free_at - time.monotonic()))

    def __exit__(self, *_: object) -> None:
        self._free_at = time.monotonic() + self._interval
        self._lock.release()


def _content(response: httpx.Response) -> bytes:
    check_status(response)
    return response.content


def _is_new(response: httpx.Response) -> bool:
    """Whether a body came; False for 304."""
    if response.status_code == 304:
        return False
    check_status(response)
    return True


def _save(response: httpx.Response, path: Path) -> None:
    """The body into *path*. Raises `TransientError` if it is shorter than announced."""
    try:
        with path.open("wb") as file:
            for block in response.iter_bytes():
                file.write(block)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written: {error.strerror or error}", "free space there, or set TMPDIR to another folder"
        ) from error
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and response.num_bytes_downloaded < int(announced):
        raise TransientError(f"{response.num_bytes_downloaded} of {announced} bytes came", response.status_code)


def _beginning(response: httpx.Response, most: int) -> bytes:
    """What comes first of the body; the rest is not asked for."""
    found = bytearray()
    for block in response.iter_bytes():
        found += block
        if len(found) >= most:
            break
    return bytes(found)


def _secrets(headers: Headers) -> list[str]:
    """What must not be shown: a token, not the conditions of a request."""
    return [value for name, value in headers.items() if name.lower() not in _PUBLIC]


def _again(fault: Exception, until: float, least: float) -> bool | float:
    """Whether to try again, or after how many seconds; no, if the portal asks for more than is left."""
    if isinstance(fault, TransientError):
        if fault.wait is None:
            return True
        wait = max(fault.wait, least)
        return wait if time.monotonic() + wait < until else False
    return isinstance(fault, httpx.TransportError | httpx.DecodingError) and not isinstance(fault, _FOR_GOOD)


def _explained(fault: Exception, url: str, params: Params, secrets: Iterable[str]) -> PortalError:
    """*fault* as the error that a person sees: who was asked what, what came of it, what to do."""
    asked = _address(url, params)
    what = str(fault.message if isinstance(fault, PortalError) else fault) or type(fault).__name__
    for secret in filter(None, secrets):
        what = what.replace(secret, "***")
    status = fault.status if isinstance(fault, PortalError | TransientError) else None
    if not isinstance(fault, PortalError):
        what += " (tried until the time for it was up)"
    return PortalError(f"{asked}: {what}", hint(status), url=asked, status=status)


def _address(url: str, params: Params) -> str:
    """*url* with its parameters and without user and password."""
    try:
        plain = httpx.URL(url).copy_with(userinfo=b"")
    except httpx.InvalidURL:
        return url
    return str(plain.copy_merge_params(dict(params)) if params else plain)


def _user_agent() -> str:
    try:
        number = version("citystream")
    except PackageNotFoundError:
        number = "dev"
    return f"citystream/{number} (reads open data, one request at a time)"
