"""Names that a dataset may give to columns of its own."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from citystream import schema

#: Names an attribute cannot have, because every event has a column of that name already.
TAKEN = frozenset(
    {
        *schema.CONFORMED.names,
        *schema.CARRIED.names,
        *schema.MEANING.names,
        *("dataset", "city", "kind", "first_seen_at", "changed_at", "log_offset", "vanished_at"),
        *("known_from", "known_until", "valid_to", "pane", "zone"),
    }
)


def _own_name(name: str) -> str:
    if name in TAKEN:
        raise ValueError("every event has a column of this name already: choose another")
    return name


OwnName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$"), AfterValidator(_own_name)]
