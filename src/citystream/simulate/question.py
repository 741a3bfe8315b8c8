"""The parameters of a request -> a query."""

from __future__ import annotations

from collections.abc import Mapping

from citystream.simulate.soql import parser, tree
from citystream.simulate.soql.failure import SoqlError
from citystream.simulate.soql.sql import whole_number

DEFAULT_LIMIT = 1000
KNOWN = frozenset({"$select", "$where", "$order", "$group", "$limit", "$offset", "$$app_token"})


def query(params: Mapping[str, str]) -> tree.Query:
    """What is asked; ``column=value`` is a condition too. Raises `SoqlError`."""
    unknown = [name for name in params if name.startswith("$") and name not in KNOWN]
    if unknown:
        raise SoqlError("query.soql.invalid", f"Unrecognized arguments [{', '.join(unknown)}]")
    return tree.Query(
        select=parser.select(params["$select"]) if params.get("$select") else (),
        where=_where(params),
        order=parser.order(params["$order"]) if params.get("$order") else (),
        group=parser.group(params["$group"]) if params.get("$group") else (),
        limit=whole_number("$limit", params.get("$limit", str(DEFAULT_LIMIT))),
        offset=whole_number("$offset", params.get("$offset", "0")),
    )


def _where(params: Mapping[str, str]) -> tree.Expression | None:
    parts: list[tree.Expression] = [
        tree.Compare("=", tree.Column(name), tree.Literal("text", value))
        for name, value in params.items()
        if not name.startswith("$")
    ]
    if params.get("$where"):
        parts.append(parser.where(params["$where"]))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else tree.Logic("and", tuple(parts))
