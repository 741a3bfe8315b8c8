"""From an address that people see to the table behind it: which kind of portal, and what of it."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from citystream.catalog.sources import Source
from citystream.errors import ConfigError

_ID: Final = r"([a-z0-9]{4}-[a-z0-9]{4})"
_SODA: Final = re.compile(rf"/(?:resource|api/views|api/v3/views)/{_ID}(?:[./].*)?")
_PAGE: Final = re.compile(rf"/(?:d|dataset|[^/]+/[^/]+)/{_ID}(?:/.*)?")
_LAYER: Final = re.compile(r"/(.+/(?:FeatureServer|MapServer)/\d+)(?:/query)?/?", re.IGNORECASE)
_SERVICE: Final = re.compile(r"/.+/(?:FeatureServer|MapServer)/?", re.IGNORECASE)
_PACKAGE: Final = re.compile(r"(?:/[a-z]{2})?/dataset/([^/]+)(?:/resource/([^/]+))?/?")
_ACTION: Final = re.compile(r".*/api/(?:3/)?action/package_show")
_FILE: Final = re.compile(r".*\.(csv|tsv|txt|json|jsonl|geojson|parquet)(\.(gz|zst))?", re.IGNORECASE)


def recognise(url: str) -> Source:
    """The source at *url*: a Socrata table, a layer of an ArcGIS server, a CKAN package, else a file.

    Of a resource of a CKAN package the name is asked for later: until then its id stands for it. Raises
    `ConfigError` for what is no address, and for a service of which the layer is not said.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"'{url}' is no address", "copy one that begins with https://")
    host = parts.netloc if parts.scheme == "https" else f"{parts.scheme}://{parts.netloc}"
    path = unquote(parts.path)
    if found := _LAYER.fullmatch(path):
        return Source(portal="arcgis", host=host, resource=found[1])
    if _SERVICE.fullmatch(path):
        raise ConfigError(f"{url} has several layers", f"name one of them, as in {url.rstrip('/')}/0")
    if _ACTION.fullmatch(path) and (named := parse_qs(parts.query).get("id")):
        return Source(portal="ckan", host=host, resource=named[0])
    if found := _SODA.fullmatch(path) or _PAGE.fullmatch(path):
        return Source(portal="socrata", host=host, resource=found[1])
    if (found := _PACKAGE.fullmatch(path)) and not _FILE.fullmatch(path):
        return Source(portal="ckan", host=host, resource="/".join(filter(None, found.groups())))
    return Source(portal="files", url=url)
