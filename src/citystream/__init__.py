"""Every city's incident feed as one honest, live, queryable stream.

>>> import citystream
>>> with citystream.open("citystream-data") as store:  # doctest: +SKIP
...     store.query("SELECT kind, count(*) FROM events GROUP BY kind").pandas()

The names below are all that is public; what is not here may change. Nothing is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from citystream.registry import load_path

if TYPE_CHECKING:
    from citystream.api import (
        Answer,
        CitystreamError,
        DatasetStatus,
        FileRefused,
        Ledger,
        Outcome,
        PortalError,
        QueryError,
        StorageError,
        Store,
        UnknownName,
        __version__,
        import_files,
        open,  # noqa: A004
    )

__all__ = [
    "Answer",
    "CitystreamError",
    "DatasetStatus",
    "FileRefused",
    "Ledger",
    "Outcome",
    "PortalError",
    "QueryError",
    "StorageError",
    "Store",
    "UnknownName",
    "__version__",
    "import_files",
    "open",
]


def __getattr__(name: str) -> Any:
    """A public name, imported now that it is asked for."""
    if name == "__version__":
        return load_path("importlib.metadata:version")("citystream")
    if name not in __all__:
        raise AttributeError(f"module 'citystream' has no attribute '{name}'")
    return load_path(f"citystream.api:{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
