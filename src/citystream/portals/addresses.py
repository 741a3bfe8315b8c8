"""Where a source is, as the beginning of an address."""

from __future__ import annotations

from citystream.catalog.dataset import Source
from citystream.errors import PortalError


def root(source: Source, kind: str) -> str:
    """The address of the source's host, https unless it says otherwise; *kind* of portal is for the message.

    Raises `PortalError` if it has no host or no resource.
    """
    if not source.host or not source.resource:
        raise PortalError(f"a {kind} source needs a host and a resource", "complete it in the city file")
    return source.host.rstrip("/") if "://" in source.host else f"https://{source.host}"
