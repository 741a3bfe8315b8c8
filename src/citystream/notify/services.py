"""Alerts told by mail, chat and some hundred other services, through Apprise.

No service knows a message again that comes twice. So what may have arrived is not sent again: only what was refused, or
never got a connection.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import apprise

from citystream.errors import ConfigError, OutcomeUnknown, SinkError
from citystream.notify.wording import body, subject
from citystream.ports import Message, Told

_LOG: Final = logging.getLogger("apprise")
# it would write addresses, which hold passwords, to stderr; what has to be said is said here
_LOG.propagate = False
_LOG.addHandler(logging.NullHandler())
_LOG.setLevel(logging.DEBUG)

#: How a library says that a connection was never made, so that nothing was sent.
_NO_CONNECTION: Final = re.compile(
    r"refused|NewConnectionError|NameResolutionError|name or service|getaddrinfo|no route|unreachable|ConnectTimeout",
    re.IGNORECASE,
)
#: The answer of a mail server that takes no mail: ``(535, b'...')``.
_ANSWERED: Final = re.compile(r"\(\d{3}, b?['\"]")
_STATUS: Final = re.compile(r"error=(\d{3})\b")
_HINT: Final = "look at the address under [notify]; citystream notify --test tries it"


class ServiceTarget:
    """The service at the Apprise *address*."""

    recognises, disturbs = False, True

    def __init__(self, address: str, _secret: str = "", _told: Told | None = None) -> None:
        service = apprise.Apprise.instantiate(address)
        if service is None:
            scheme = address.partition("://")[0]
            raise ConfigError(
                f"notify.urls: an address that begins with {scheme[:20]} is none that Apprise knows",
                "see its list of services; the address is not shown here, because it may hold a password",
            )
        self._service = service

    def prepare(self) -> None:
        """Nothing."""

    def send(self, message: Message, at: datetime) -> None:
        """Hand it over."""
        with _heard() as heard:
            try:
                done = bool(self._service.notify(body=body(message), title=subject(message)))
            except Exception as fault:
                raise OutcomeUnknown(f"the service broke off ({type(fault).__name__})", _HINT) from None
        if not done:
            raise _failure(heard)


def _failure(heard: list[str]) -> SinkError:
    """What *heard* in the library's log says about a message that it could not deliver.

    Its words are not repeated: they name hosts and addresses.
    """
    faults = [line for line in heard if "exception" in line.lower() or "connection error" in line.lower()]
    if any(_NO_CONNECTION.search(line) for line in faults):
        return SinkError("the service cannot be reached", _HINT, passing=True)
    if faults and not any(_ANSWERED.search(line) for line in faults):
        return OutcomeUnknown("the service's answer was lost", "it may have arrived, so it is not sent again")
    status = next((found[1] for line in heard if (found := _STATUS.search(line))), "")
    return SinkError(f"the service refused it{f': HTTP {status}' if status else ''}", _HINT, passing=True)


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What this thread logs within the block."""
    lines: list[str] = []
    handler = _Listening(lines)
    _LOG.addHandler(handler)
    try:
        yield lines
    finally:
        _LOG.removeHandler(handler)


class _Listening(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines, self._thread = lines, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._lines.append(record.getMessage())
