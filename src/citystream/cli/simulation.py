"""What a simulated portal serves, and what goes wrong there, by name."""

from __future__ import annotations

from datetime import date

from citystream.app.sources import sources_of
from citystream.catalog.dataset import Dataset
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
    "renumbered": faults.Renumbered,
    "running": faults.StillRunning,
    "server-error": faults.ServerError,
    "slow": faults.Slow,
    "stale": faults.StaleReplica,
    "too-many": faults.TooManyRequests,
    "touched": faults.Touched,
    "truncated": faults.TruncatedBody,
}


#: Where a dataset of a kind of portal can be looked at.
_ADDRESSES = {
    "socrata": "{host}/resource/{resource}.json",
    "arcgis": "{host}/{resource}",
    "ckan": "{host}/api/3/action/package_show?id={resource}",
    "files": "{url}",
}

#: What was closed before others begin is drawn from this day on, so that each of its tables has rows.
_CLOSED = {"los-angeles/crimes": date(2018, 1, 1)}


def served_tables(start: date, end: date, *, scale: float, seed: int) -> dict[str, PublishedTable]:
    """All simulated datasets from *start* to *end*, by their id at the portal."""
    found: dict[str, PublishedTable] = {}
    for name in RESOURCES:
        first = min(start, _CLOSED.get(name, start))
        found |= generate(name, start=first, end=end, seed=seed, scale=scale).served()
    return found


def addresses(dataset: Dataset, url: str, today: date) -> list[str]:
    """Where the simulated portal at *url* has *dataset*, in each form that its publisher has it in."""
    return [
        _ADDRESSES[source.portal].format(host=source.host, resource=source.resource, url=source.url)
        for source in sources_of(dataset, url, today)
    ]


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
    return FAULTS[name](path="*", first=first, times=times)
