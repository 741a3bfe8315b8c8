"""Where a dataset is read from: its sources of today, or a simulated portal that stands in for them."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

from citystream import registry
from citystream.catalog.dataset import Dataset, Source
from citystream.errors import ConfigError


def sources_of(dataset: Dataset, stand_in: str, today: date, portal: str = "") -> tuple[Source, ...]:
    """The sources that are valid *today*, of the kind *portal* if one is named, in the order of the city file; all of
    them, but at the address *stand_in*, if one is given. Raises `ConfigError` if there is none.
    """
    valid = tuple(source for source in dataset.sources if stand_in or _valid(source, today))
    chosen = tuple(source for source in valid if portal in ("", source.portal))
    if portal and not chosen:
        known = ", ".join(dict.fromkeys(source.portal for source in valid)) or "none"
        raise ConfigError(f"{dataset.name} has no source of the kind '{portal}'", f"its sources: {known}")
    if not chosen:
        raise ConfigError(
            f"{dataset.name} has no source that can be run",
            f"download it ({dataset.homepage or 'see its publisher'}) and: citystream import {dataset.name} FILE",
        )
    return tuple(_stand_in(source, dataset, stand_in) for source in chosen) if stand_in else chosen


def _valid(source: Source, today: date) -> bool:
    return (source.valid_from or today) <= today <= (source.valid_until or today)


def shrink_guard(dataset: Dataset) -> float:
    """The share of records that a complete file may lack: what its first source says, or the usual."""
    source = dataset.sources[0] if dataset.sources else Source(portal="file")
    return source.shrink_guard


def place(source: Source) -> str:
    """A source as `fetches` names it."""
    return source.url or f"{source.portal}:{source.host}/{source.resource}"


def _stand_in(source: Source, dataset: Dataset, address: str) -> Source:
    """*source* of *dataset*, but at the simulated portal *address*: it has everything where its publisher has it."""
    resources: dict[str, str] = registry.load_path("citystream.simulate.city:RESOURCES")
    if dataset.name not in resources:
        raise ConfigError(f"{dataset.name} is not simulated", f"one of: {', '.join(resources)}")
    path = urlsplit(source.url).path
    return source.model_copy(update={"host": address, "url": f"{address}{path}" if path else ""})
