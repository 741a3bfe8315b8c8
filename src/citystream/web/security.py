"""Who may ask: this machine's own names, a token where others can reach it, headers that keep pages to themselves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from citystream.errors import ConfigError
from citystream.web.failures import failure

COOKIE: Final = "citystream_token"
LOCAL: Final = ("127.0.0.1", "localhost", "::1")
#: Of a body, bytes.
_MOST_BODY: Final = 65_536
_OPEN: Final = ("/health",)
_CSP: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; "
    "worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}


def check_host(host: str, token: str) -> None:
    """Raise `ConfigError` if others could reach *host* and no *token* is asked of them."""
    if host not in LOCAL and not token:
        raise ConfigError(
            f"--host {host} lets other machines in, so a token is required", "set CITYSTREAM_TOKEN, or give --token"
        )
    if token and len(token) < 16:
        raise ConfigError("a token has at least 16 characters", "for example the output of: openssl rand -hex 16")


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets through to *app* what may ask. *token*: '' if none is asked for; *local*: only this machine's names."""

    app: ASGIApp
    token: str = ""
    local: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refused = self._refusal(scope)
        await (refused or self.app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if self.local and _name(headers.get("host", "")) not in LOCAL:
            return failure(403, "wrong_host", "this server answers to names of this machine only", "ask 127.0.0.1")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _MOST_BODY or "chunked" in headers.get("transfer-encoding", ""):
            return failure(413, "too_large", "the body is too large", "ask for less at a time")
        if not self.token or scope["path"] in _OPEN:
            return None
        return None if self._knows(headers) else self._unknown(scope)

    def _knows(self, headers: Headers) -> bool:
        given = headers.get("authorization", "")
        if given.startswith("Bearer ") and self._equal(given.removeprefix("Bearer ")):
            return True
        return self._equal(_cookie(headers.get("cookie", "")))

    def _unknown(self, scope: Scope) -> Response:
        """A browser that brings the token in the address gets a cookie; everybody else is asked for it."""
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["method"] == "GET" and any(name == "token" and self._equal(value) for name, value in asked):
            rest = urlencode([(name, value) for name, value in asked if name != "token"])
            # the path begins with one stroke: two would be another host
            there = "/" + scope["path"].lstrip("/\\") + (f"?{rest}" if rest else "")
            answer = RedirectResponse(there, 303)
            answer.set_cookie(COOKIE, self.token, httponly=True, samesite="strict", path="/")
            return answer
        return failure(401, "no_token", "a token is needed", "open /?token=TOKEN, or send Authorization: Bearer TOKEN")

    def _equal(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self.token.encode())


def _name(host: str) -> str:
    """A host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-cache")
        await send(message)

    return sending
