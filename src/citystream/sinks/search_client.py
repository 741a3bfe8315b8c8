"""Requests to OpenSearch or Elasticsearch: plain REST that both know, patient with a server that is busy."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote

import httpx
import pyarrow as pa
import stamina

from citystream.errors import ConfigError, SinkError
from citystream.sinks.addresses import DatabaseAddress, read_address
from citystream.sinks.documents import body

_PASSWORDS = ("OPENSEARCH_PASSWORD", "ELASTICSEARCH_PASSWORD")
_PORT = 9200
#: What a server says that has too much to do, or whose neighbours have: the same request may pass later.
_BUSY = frozenset({429, 502, 503, 504})
Json = dict[str, object]

# whoever wants to see retries attaches a handler; without any, logging would print them on stderr
logging.getLogger("stamina").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the client waits, in seconds: to connect, for an answer; the back-off; in all, for one request."""

    connect: float = 10.0
    answer: float = 300.0
    first_wait: float = 0.5
    longest_wait: float = 20.0
    budget: float = 120.0


class _Busy(Exception):
    """Try again."""


class SearchClient:
    """The server of ``opensearch://user@host:port``; with ``opensearch+http://`` without encryption."""

    def __init__(self, address: str, patience: Patience) -> None:
        read = read_address(address, _PASSWORDS[0])
        scheme = _scheme(address, read)
        host = f"[{read.host}]" if ":" in read.host else read.host
        self.prefix = read.database or "citystream"
        self.shown = f"{scheme}://{host}:{read.port or _PORT}"
        self._patience, self._answered = patience, False
        password = next(filter(None, map(os.environ.get, _PASSWORDS)), None)
        self._client = httpx.Client(
            base_url=self.shown,
            auth=httpx.BasicAuth(read.user, password or "") if read.user else None,
            timeout=httpx.Timeout(patience.answer, connect=patience.connect),
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def ask(
        self, method: str, path: str, said: Mapping[str, object] | None = None, *, absent: Json | None = None
    ) -> Json:
        """The answer; *absent* in place of one that there is no such thing. Raises `SinkError`."""
        content = json.dumps(said).encode() if said is not None else None
        found = self._patiently(method, path, content, "application/json")
        if found.status_code == 404 and absent is not None:
            return absent
        return self._checked(found)

    def exists(self, index: str) -> bool:
        """Whether there is an index of this name."""
        found = self._patiently("HEAD", f"/{index}", None, "application/json")
        if found.status_code == 404:
            return False
        self._checked(found, empty=True)
        return True

    def bulk(self, index: str, lines: pa.StringArray) -> None:
        """Do what *lines* say, each of them. What the server was too busy for is tried again; what it refuses is a
        `SinkError` that names the document.
        """
        try:
            for attempt in self._attempts():
                with attempt:
                    lines = self._left(index, lines)
                    _check_none(lines)
        except _Busy:
            raise self._gave_up(f"{len(lines)} documents for {index}") from None

    def _left(self, index: str, lines: pa.StringArray) -> pa.StringArray:
        """Send *lines*; those that may pass later come back."""
        wanted = "filter_path=errors,items.*.status,items.*._id,items.*.error.type,items.*.error.reason"
        found = self._checked(self._patiently("POST", f"/{index}/_bulk?{wanted}", body(lines), "application/x-ndjson"))
        if not found.get("errors"):
            return lines.slice(0, 0)
        items = [next(iter(item.values())) for item in cast("list[dict[str, Json]]", found["items"])]
        for item in items:
            if "error" in item and item["status"] not in _BUSY:
                raise self._refused(index, item)
        return lines.take(
            pa.array([number for number, item in enumerate(items) if item["status"] in _BUSY], pa.int64())
        )

    def _refused(self, index: str, item: Json) -> SinkError:
        error = cast("Json", item["error"])
        said = error.get("reason") or error.get("type")
        return SinkError(
            f"{self.shown}: {index}: the document '{item['_id']}' is refused: {said}",
            "was the index made by something else? publish again with --rebuild",
        )

    def _patiently(self, method: str, path: str, content: bytes | None, kind: str) -> httpx.Response:
        said = {"Content-Type": kind} if content is not None else {}
        try:
            for attempt in self._attempts():
                with attempt:
                    found = self._client.request(method, path, content=content, headers=said)
                    self._answered = True
                    _check_free(found)
                    return found
        except _Busy:
            raise self._gave_up(f"{method} {path.partition('?')[0]}") from None
        except httpx.HTTPError as error:
            raise SinkError(
                f"{self.shown}: {error or type(error).__name__}",
                "is it running, and is the address right? nothing is lost: publish again",
                passing=isinstance(error, httpx.TransportError) and "CERTIFICATE_VERIFY" not in str(error),
            ) from error
        raise AssertionError("stamina raises the last fault")

    def _attempts(self) -> Iterable[AbstractContextManager[object]]:
        waits = self._patience
        return stamina.retry_context(
            on=self._again,
            attempts=None,
            timeout=waits.budget,
            wait_initial=waits.first_wait,
            wait_max=waits.longest_wait,
            wait_jitter=waits.first_wait,
        )

    def _again(self, fault: Exception) -> bool:
        """A connection that breaks is made again; one that never was is a mistake, or for a follower to wait for."""
        return isinstance(fault, _Busy) or (self._answered and isinstance(fault, httpx.TransportError))

    def _checked(self, found: httpx.Response, *, empty: bool = False) -> Json:
        if found.is_success:
            return {} if empty else cast("Json", found.json())
        hint = "publish again with --rebuild, or report this"
        if found.status_code in (401, 403):
            hint = f"say who you are in the address (user@host), and the password in the environment: {_PASSWORDS[0]}"
        if found.status_code == 409:
            hint = "let one data folder alone deliver a dataset there; then publish again"
        said = f"{self.shown}: {found.request.method} {found.request.url.path}: {_reason(found)}"
        raise SinkError(said, hint, passing=found.status_code == 409)

    def _gave_up(self, what: str) -> SinkError:
        return SinkError(f"{self.shown}: too busy for {what}", "publish again when it has less to do", passing=True)


def _check_none(left: pa.StringArray) -> None:
    if len(left):
        raise _Busy


def _check_free(found: httpx.Response) -> None:
    if found.status_code in _BUSY:
        raise _Busy


def quoted(text: str) -> str:
    """*text* as a part of a path."""
    return quote(text, safe="")


def _scheme(address: str, read: DatabaseAddress) -> str:
    scheme = {"": "https", "https": "https", "http": "http"}.get(address.partition("://")[0].partition("+")[2].lower())
    if scheme is None or not read.host or read.options:
        raise ConfigError(
            f"{read.shown}: not the address of a search server",
            "write opensearch://user@host:port, or opensearch+http:// without encryption",
        )
    return scheme


def _reason(found: httpx.Response) -> str:
    try:
        error = found.json()["error"]
        said = error.get("reason") or error.get("type") if isinstance(error, dict) else error
    except (ValueError, KeyError, TypeError):
        said = found.text[:300]
    return f"{found.status_code} {said or found.reason_phrase}"
