"""The body of a SODA 3 question -> the parameters that SODA 2 has for the same.

``{"query": "SELECT .. WHERE .. ORDER BY ..", "page": {"pageNumber": 1, "pageSize": 5000}}``
"""

from __future__ import annotations

import re
from typing import Any

from citystream.simulate.soql.failure import SoqlError

_CLAUSES = {"SELECT": "$select", "WHERE": "$where", "GROUP BY": "$group", "ORDER BY": "$order", "LIMIT": "$limit"}
_PART = re.compile(r"'(?:[^']|'')*'|\b(SELECT|WHERE|GROUP\s+BY|ORDER\s+BY|LIMIT)\b", re.IGNORECASE)


def parameters(body: Any) -> dict[str, str]:
    """What is asked. Raises `SoqlError` for a body that is no question."""
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise SoqlError("query.soql.invalid", "A query is wanted: {query, page: {pageNumber, pageSize}}")
    asked = clauses(body["query"])
    page = body.get("page")
    if isinstance(page, dict):
        size, number = int(page.get("pageSize", 1000)), int(page.get("pageNumber", 1))
        asked |= {"$limit": str(size), "$offset": str(size * (number - 1))}
    return asked


def clauses(query: str) -> dict[str, str]:
    """The clauses of a statement by their SODA 2 names; words in quotes begin none."""
    found = [match for match in _PART.finditer(query) if match[1]]
    ends = [match.start() for match in found[1:]] + [len(query)]
    if not found or query[: found[0].start()].strip():
        raise SoqlError("query.soql.invalid", "A statement begins with SELECT")
    return {
        _CLAUSES[" ".join(match[1].upper().split())]: query[match.end() : end].strip()
        for match, end in zip(found, ends, strict=True)
    }
