"""Drafting a city file for a table that is looked at: on a portal, on a web server, or in a file that is here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from citystream.app.checking import Looking
from citystream.catalog.drafting import draft
from citystream.catalog.library import Library
from citystream.catalog.sources import Source
from citystream.errors import ConfigError
from citystream.portals.file_look import look_at_file, look_at_web_file
from citystream.portals.http import HttpClient
from citystream.portals.recognise import recognise
from citystream.ports import Portal

#: So many rows are looked at.
SAMPLE: Final = 500


def drafted(where: str, table: str, library: Library, client: HttpClient, portal_of: Callable[[Source], Portal]) -> str:
    """The draft for the table at *where*; raises `ConfigError`, `PortalError` or `FileRefused`."""
    cities = list({each.city.city: each.city for each in library.datasets.values()}.values())
    path = Path(where)
    if path.is_file():
        return draft(look_at_file(path, SAMPLE), None, cities, table)
    if "://" not in where:
        raise ConfigError(f"there is no file {where}", "name a file, or an address that begins with https://")
    source = recognise(where)
    if source.portal == "files":
        return draft(look_at_web_file(client, where, SAMPLE), source, cities, table)
    portal = portal_of(source)
    if not isinstance(portal, Looking):
        raise ConfigError(f"{source.portal} cannot be looked at", "write the city file by hand: citystream init")
    return draft(portal.look(source, SAMPLE), source, cities, table)
