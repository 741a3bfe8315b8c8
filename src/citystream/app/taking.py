"""The library with the columns about persons that a user takes: off unless they are named, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from citystream.catalog.library import Library, load_library
from citystream.catalog.naming import folded
from citystream.errors import ConfigError
from citystream.registry import nearest


def library(folders: Sequence[Path], take: Sequence[str]) -> Library:
    """Every known dataset, those in *folders* included; *take* has texts like ``los-angeles/crimes: Vict Age``.

    Raises `ConfigError` for a dataset or a column that is not there, with the nearest one, and `CatalogError` for a
    mistake in a city file.
    """
    if not take:
        return load_library(*folders)
    plain = load_library(*folders)
    chosen: dict[str, list[str]] = {}
    for text in take:
        name, column = _parts(text)
        chosen.setdefault(name, []).append(_column(plain, text, name, column))
    return load_library(*folders, take=chosen)


def _parts(text: str) -> tuple[str, str]:
    name, colon, column = text.partition(":")
    if not (colon and name.strip() and column.strip()):
        raise ConfigError(f"take: '{text}' is not a dataset and one of its columns", '"los-angeles/crimes: Vict Age"')
    return name.strip(), column.strip()


def _column(known: Library, text: str, name: str, column: str) -> str:
    """The optional column as the city file writes it."""
    if name not in known.datasets:
        raise ConfigError(f"take: '{text}': no dataset is called '{name}'", nearest(name, known.datasets))
    optional = {folded(each): each for each in known.get(name).ingest.optional}
    if folded(column) not in optional:
        hint = nearest(column, optional.values()) if optional else f"{name} has no optional columns"
        raise ConfigError(f"take: '{text}': '{column}' is no optional column of {name}", hint)
    return optional[folded(column)]
