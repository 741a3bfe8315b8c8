"""What a simulated portal serves, and what goes wrong there, by name."""

from __future__ import annotations

from datetime import date

from citystream.errors import ConfigError, UnknownName
from citystream.registry import nearest
from citystream.simulate import faults
from citystream.simulate.city import RESOURCES, generate
from citystream.simulate.faults import Fault
from citystream.simulate.published import PublishedTable

#: Faults that need no more words than their name.
FAULTS: dict[str, type[Fault]] = {
    "cut": faults.CutConnection,
    "error-as-success": faults.ErrorAsSuccess,
    "running": faults.StillRunning,
    "server-error": faults.ServerError,
    "slow": faults.Slow,
    "stale": faults.StaleReplica,
    "too-many": faults.TooManyRequests,
    "truncated": faults.TruncatedBody,
}


def served_tables(start: date, end: date, *, scale: float, seed: int) -> dict[str, PublishedTable]:
    """All simulated datasets from *start* to *end*, by their id at the portal."""
    histories = (generate(name, start=start, end=end, seed=seed, scale=scale) for name in RESOURCES)
    return {history.resource: history.table for history in histories}


def fault(text: str) -> Fault:
    """``NAME``, ``NAME:FIRST`` or ``NAME:FIRST:TIMES``; raises `UnknownName` or `ConfigError`."""
    name, *numbers = text.split(":")
    if name not in FAULTS:
        raise UnknownName(f"no fault is called '{name}'", nearest(name, FAULTS))
    try:
        first, times = [int(number) for number in [*numbers, *("2", "1")[len(numbers) :]]]
    except ValueError as error:
        what = f"--fault {text}: FIRST and TIMES are whole numbers"
        raise ConfigError(what, "for example server-error:3:2") from error
    return FAULTS[name](first=first, times=times)
