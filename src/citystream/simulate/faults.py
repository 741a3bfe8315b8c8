"""What goes wrong, when: a script of faults for the simulated portal.

Each fault says which requests it hits: those whose path matches the pattern *path* and whose query contains
all of *having*; of these, counted from 1, the ones from *first* on, *times* of them (0: all that follow).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with some requests."""

    path: str = "/resource/*"
    having: Mapping[str, str] | None = None
    first: int = 1
    times: int = 1

    def matches(self, path: str, params: Mapping[str, str]) -> bool:
        """Whether this is a request that is counted."""
        wanted = (self.having or {}).items()
        return fnmatchcase(path, self.path) and all(text in params.get(name, "") for name, text in wanted)

    def strikes(self, number: int) -> bool:
        """Whether the counted request *number* is hit."""
        return number >= self.first and (self.times == 0 or number < self.first + self.times)


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyRequests(Fault):
    """429; *retry_after* in seconds or as a date, nothing if empty."""

    retry_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillRunning(Fault):
    """202: the query is running, ask again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerError(Fault):
    """500, 503 or another *status*; *html* answers with a page instead of JSON."""

    status: int = 500
    html: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow(Fault):
    """An answer that takes *seconds* to begin."""

    seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CutConnection(Fault):
    """The connection closes after *share* of the body, before what was announced has come."""

    share: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedBody(Fault):
    """HTTP 200, a body that is complete for HTTP and cut after *share* of it."""

    share: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAsSuccess(Fault):
    """HTTP 200 with an error in place of rows; *code* is its number, where the kind of portal has one (ArcGIS)."""

    message: str = "Internal error"
    code: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten(Fault):
    """Before the request is answered the listing changes: rows are inserted, revised, removed."""

    insert: int = 0
    revise: int = 0
    remove: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched(Fault):
    """Before the request is answered *rows* rows get the publisher's stamp of now, although nothing in them changed."""

    rows: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen(Fault):
    """Nothing is published after *at*, and nobody says so."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Renumbered(Fault):
    """Before the request is answered the table is reloaded: the same rows under other numbers, in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPaging(Fault):
    """A feature server from before 10.3: it knows no offset, no order, and gives *most* rows at once."""

    most: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Fault):
    """301: the same path and query at the address *to*. An old address that is given up then is a 403."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleReplica(Fault):
    """An old copy answers, *behind* seconds behind; Socrata says so: ``X-SODA2-Data-Out-Of-Date: true``."""

    behind: float = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamedColumn(Fault):
    """Column *old* is called *new*."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk(Fault):
    """Only *rows* rows are left."""

    rows: int


class FaultScript:
    """The faults of a portal and how often each has been matched. Safe to change while it serves."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._counted: list[tuple[Fault, list[int]]] = [(fault, [0]) for fault in faults]

    def add(self, *faults: Fault) -> None:
        """From now on these too, counting from 1."""
        with self._lock:
            self._counted += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._counted = []

    def __iter__(self) -> Iterator[Fault]:
        with self._lock:
            return iter([fault for fault, _ in self._counted])

    def strike(self, path: str, params: Mapping[str, str]) -> list[Fault]:
        """The faults that hit this request, which is counted."""
        with self._lock:
            return [fault for fault, count in self._counted if _counts(fault, count, path, params)]


def _counts(fault: Fault, count: list[int], path: str, params: Mapping[str, str]) -> bool:
    if not fault.matches(path, params):
        return False
    count[0] += 1
    return fault.strikes(count[0])
