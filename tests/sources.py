"""Pointing a dataset at another portal than its publisher's."""

from __future__ import annotations

from types import MappingProxyType

from citystream.app import App
from citystream.catalog.dataset import Source
from citystream.catalog.library import Library


def with_source(app: App, name: str, **changes: object) -> None:
    """Let *app* find *name* at a source that differs from the catalog's first in *changes*."""
    dataset = app.library.get(name)
    before = dataset.sources[0].model_dump() if dataset.sources else {"portal": "socrata"}
    moved = dataset.model_copy(update={"sources": (Source(**(before | changes)),)})
    app.library = Library(MappingProxyType(dict(app.library.datasets) | {name: moved}))
