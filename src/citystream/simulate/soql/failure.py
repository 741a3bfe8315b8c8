"""A question that the portal refuses, as its own JSON says it."""

from __future__ import annotations

from citystream.errors import QueryError


class SoqlError(QueryError):
    """Answered with HTTP 400; *code* is the portal's word for it (``query.soql.no-such-column``)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def no_such_column(name: str) -> SoqlError:
    """The query names a column that the table has not got."""
    code = "query.soql.no-such-column"
    return SoqlError(code, f"Query coordinator error: {code}; No such column: {name}")


def no_such_function(name: str) -> SoqlError:
    """The query calls a function that nobody knows."""
    code = "query.soql.no-such-function"
    return SoqlError(code, f"Query coordinator error: {code}; No such function: {name}")


def type_mismatch(operator: str, kind: str) -> SoqlError:
    """The query compares what cannot be compared."""
    code = "query.soql.type-mismatch"
    return SoqlError(code, f"Query coordinator error: {code}; Type mismatch for {operator}, is {kind}")


def cannot_parse(found: str, position: int) -> SoqlError:
    """The query is not SoQL."""
    code = "query.compiler.malformed"
    return SoqlError(code, f"Could not parse SoQL query at position {position}: found {found or 'end of query'}")
