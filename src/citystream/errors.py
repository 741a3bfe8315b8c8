"""Every error a person can act on.

The tree::

    CitystreamError             exit code 2: wrong use, unless a subclass says otherwise
    ├── ConfigError             a setting that cannot be used
    ├── CatalogError            a mistake in a city file
    ├── UnknownName             a dataset, portal, detector or table nobody has heard of
    ├── QueryError              a question the store cannot answer
    ├── FileRefused             a published file that cannot be taken as it is
    ├── PortalError             exit code 3: a portal failed or contradicted itself
    ├── SinkError               exit code 3: somewhere that is delivered to failed or refused
    │   └── OutcomeUnknown      nobody can tell whether it arrived
    └── StorageError            exit code 4: disk, log or store failed
        ├── NoStore             there is no store yet
        ├── StoreBusy           another process holds the store
        └── LogDamaged          the log lost or changed something it had promised

A bad *row* is never an exception: it is a row of ``rejects``.
"""

from __future__ import annotations

from typing import ClassVar


class CitystreamError(Exception):
    """What happened, and a hint that says what to do.

    *message* names the dataset, file, key or address; *hint* is a sentence a person can follow.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class ConfigError(CitystreamError):
    """A setting that cannot be used."""


class CatalogError(CitystreamError):
    """A mistake in a city file; the message holds one line for each, with file and key."""


class UnknownName(CitystreamError):
    """A name that nothing answers to; the hint has the nearest known one."""


class QueryError(CitystreamError):
    """A question that the store cannot answer as asked."""


class FileRefused(CitystreamError):
    """A published file that cannot be taken as it is; nothing of it was stored."""


class PortalError(CitystreamError):
    """A portal failed, refused or contradicted itself, after all the retries it was given.

    *url* is the address asked (without secrets), *status* the HTTP status if there was an answer.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, hint: str = "", *, url: str = "", status: int | None = None) -> None:
        super().__init__(message, hint)
        self.url = url
        self.status = status


class SinkError(CitystreamError):
    """Somewhere that is delivered to failed or refused; what it had before it still has.

    *passing*: it may work next time (nobody answers, a time-out), so that a follower tries again.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, hint: str = "", *, passing: bool = False) -> None:
        super().__init__(message, hint)
        self.passing = passing


class OutcomeUnknown(SinkError):
    """The answer was lost: what was sent may have arrived or not."""


class StorageError(CitystreamError):
    """Disk, log or store failed; what was committed before is unharmed."""

    exit_code: ClassVar[int] = 4


class NoStore(StorageError):
    """There is no store yet in the folder."""


class StoreBusy(StorageError):
    """Another process holds the store for writing."""


class LogDamaged(StorageError):
    """The log has a gap, an overlap or an unreadable segment where records were promised."""
