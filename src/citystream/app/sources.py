"""Where a dataset is read from: its source of today, or a simulated portal that stands in for it."""

from __future__ import annotations

from datetime import date

from citystream import registry
from citystream.catalog.dataset import Dataset, Source
from citystream.errors import ConfigError


def source_of(dataset: Dataset, stand_in: str, today: date) -> Source:
    """The first source that is valid *today*; at the address *stand_in*, if one is given."""
    if stand_in:
        return _stand_in(dataset, stand_in)
    for source in dataset.sources:
        if (source.valid_from or today) <= today <= (source.valid_until or today):
            return source
    raise ConfigError(
        f"{dataset.name} has no source that can be run",
        f"download it ({dataset.homepage or 'see its publisher'}) and: citystream import {dataset.name} FILE",
    )


def shrink_guard(dataset: Dataset) -> float:
    """The share of records that a complete file may lack: what its first source says, or the usual."""
    source = dataset.sources[0] if dataset.sources else Source(portal="file")
    return source.shrink_guard


def place(source: Source) -> str:
    """A source as `fetches` names it."""
    return source.url or f"{source.portal}:{source.host}/{source.resource}"


def _stand_in(dataset: Dataset, address: str) -> Source:
    """The dataset's own source, but at the simulated portal *address*; ids are invented where there is none."""
    resources: dict[str, str] = registry.load_path("citystream.simulate.city:RESOURCES")
    if dataset.name not in resources:
        raise ConfigError(f"{dataset.name} is not simulated", f"one of: {', '.join(resources)}")
    real = next((source for source in dataset.sources if source.portal == "socrata"), None)
    # rows that are numbered within a listing need all of it each time
    cursor = "" if dataset.columns.event_id.counter else ":updated_at"
    source = real or Source(portal="socrata", cursor=cursor)
    return source.model_copy(update={"host": address, "resource": resources[dataset.name]})
