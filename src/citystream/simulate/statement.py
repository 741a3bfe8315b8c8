"""A SoQL query -> one statement over the rows that stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from citystream.simulate import render
from citystream.simulate.soql import tree
from citystream.simulate.soql.failure import SoqlError
from citystream.simulate.soql.sql import AGGREGATES, Compiler, Field


def _aggregated(query: tree.Query) -> bool:
    calls = (s.item for s in query.select if isinstance(s.item, tree.Call))
    return bool(query.group) or any(call.name in AGGREGATES for call in calls)


def shown(query: tree.Query, fields: Mapping[str, Field]) -> dict[str, Field]:
    """The fields of the answer by name."""
    found: dict[str, Field] = {}
    for selected in query.select or (tree.Selected("*"),):
        if isinstance(selected.item, str):
            system = selected.item == ":*"
            found |= {name: f for name, f in fields.items() if name.startswith(":") == system}
        else:
            field = _expressed(selected.item, fields)
            found[_name(selected)] = render.computed(field.value, field.kind) if _aggregated(query) else field
    return found


def _expressed(item: tree.Expression, fields: Mapping[str, Field]) -> Field:
    """The field of an expression without literals."""
    compiler = Compiler(fields)
    sql = compiler.expression(item)
    if compiler.parameters or sql.literal:
        raise SoqlError("query.soql.invalid", "Literals are only understood in $where")
    return fields[item.name] if isinstance(item, tree.Column) else render.computed(sql.text, sql.kind)


def _name(selected: tree.Selected) -> str:
    """The alias, or the name that the portal makes up: ``max_updated_on``, ``count``."""
    if selected.alias:
        return selected.alias
    if isinstance(selected.item, tree.Column):
        return selected.item.name
    return re.sub(r"\W+", "_", _spelled(selected.item))


def _spelled(item: object) -> str:
    if isinstance(item, tree.Call):
        return " ".join([item.name, *(_spelled(a) for a in item.arguments)])
    return item.name.lstrip(":") if isinstance(item, tree.Column) else "expression"


def _order(query: tree.Query, fields: Mapping[str, Field]) -> str:
    """What was asked for; ties, and rows that nobody ordered, in an order that is arbitrary but always the same."""
    fields = {**fields, **shown(query, fields)}
    keys = [
        f"{_expressed(o.item, fields).value} {'desc nulls first' if o.descending else 'asc nulls last'}"
        for o in query.order
    ]
    if not _aggregated(query):
        keys.append("scatter, key")
    return f"order by {', '.join(keys)}" if keys else ""


def build(query: tree.Query, visible: str, fields: Mapping[str, Field], line: str) -> tuple[str, list[Any]]:
    """One statement that gives the text of the rows asked for, one *line* (SQL of a row's text) after the other.

    *visible* is SQL of the rows that stand. First it is found which of them, in order, then their text is made.
    """
    compiler = Compiler(fields)
    where = f"where {compiler.condition(query.where)}" if query.where else ""
    grouping = ", ".join(_expressed(item, fields).value for item in query.group)
    order = _order(query, fields)
    tail = f"{where} {'group by ' + grouping if grouping else ''} {order} limit {query.limit} offset {query.offset}"
    if _aggregated(query):
        return f"with visible as ({visible}) select {line} as line from visible {tail}", compiler.parameters
    found = f"select r, row_number() over () as n from (select r from visible {tail})"
    page = f"select {line} as line from rows join ({found}) f on rows.rowid = f.r order by n"
    return f"with visible as ({visible}) {page}", compiler.parameters
