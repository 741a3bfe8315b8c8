"""SoQL tree -> DuckDB SQL with bound parameters.

Values never become SQL text: every literal is a parameter. Column names become positions (``v3``), so nothing
of a query reaches the engine as written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from citystream.simulate.soql.failure import (
    cannot_parse,
    no_such_column,
    no_such_function,
    type_mismatch,
)
from citystream.simulate.soql.tree import (
    Between,
    Call,
    Column,
    Compare,
    Expression,
    In,
    IsNull,
    Like,
    Literal,
    Logic,
    Not,
)

_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:?\d\d(:?\d\d(\.\d+)?)?)?)?")
_ANY = frozenset({"text", "number", "calendar_date", "fixed_timestamp", "checkbox", "location", "point", "url"})
_ORDERED = frozenset({"text", "number", "calendar_date", "fixed_timestamp"})
_TEXT, _NUMBER, _DATED = frozenset({"text"}), frozenset({"number"}), frozenset({"calendar_date"})

#: Function -> SQL, what it takes, what it gives ('' = what it took). ``count(*)`` is apart.
FUNCTIONS: dict[str, tuple[str, frozenset[str], str]] = {
    "count": ("count({})", _ANY, "number"),
    "max": ("max({})", _ORDERED, ""),
    "min": ("min({})", _ORDERED, ""),
    "sum": ("sum({})", _NUMBER, "number"),
    "avg": ("avg({})", _NUMBER, "number"),
    "upper": ("upper({})", _TEXT, "text"),
    "lower": ("lower({})", _TEXT, "text"),
    "date_trunc_y": ("date_trunc('year', {})", _DATED, "calendar_date"),
    "date_trunc_ym": ("date_trunc('month', {})", _DATED, "calendar_date"),
    "date_trunc_ymd": ("date_trunc('day', {})", _DATED, "calendar_date"),
    "date_extract_y": ("year({})", _DATED, "number"),
    "date_extract_m": ("month({})", _DATED, "number"),
    "date_extract_hh": ("hour({})", _DATED, "number"),
}
AGGREGATES = frozenset({"count", "max", "min", "sum", "avg"})


@dataclass(frozen=True, slots=True)
class Field:
    """A column that can be asked for: SQL of its *value* and of its *text* as published, and its type."""

    value: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the type of what it gives; a literal waits to learn what it is compared with."""

    text: str
    kind: str
    literal: Literal | None = None


@dataclass(slots=True)
class Compiler:
    """Turns expressions over *fields* into SQL; *parameters* grow in the order of their ``?``."""

    fields: Mapping[str, Field]
    parameters: list[Any] = field(default_factory=list)

    def condition(self, tree: Expression) -> str:
        """SQL of a condition. Raises `SoqlError` if *tree* is not one."""
        sql = self.expression(tree)
        if sql.kind != "checkbox":
            raise type_mismatch("where", sql.kind)
        return self._placed(sql, "checkbox")

    def expression(self, tree: Expression) -> Sql:
        """SQL of any expression."""
        match tree:
            case Column(name):
                return self._column(name)
            case Literal(kind):
                return Sql("?", kind, tree)
            case Call():
                return self._call(tree)
            case Logic(word, parts):
                return Sql("(" + f" {word} ".join(self.condition(p) for p in parts) + ")", "checkbox")
            case Not(part):
                return Sql(f"(not {self.condition(part)})", "checkbox")
            case _:
                return self._predicate(tree)

    def _predicate(self, tree: Compare | IsNull | In | Between | Like) -> Sql:
        match tree:
            case Compare(operator, left, right):
                a, b = self._alike(f"op${operator}", left, right)
                text = f"({a} {operator} {b})"
            case IsNull(subject, negated):
                text = f"({self.value(subject)} is {_not(negated)}null)"
            case In(subject, options, negated):
                head, *rest = self._alike("#IN", subject, *options)
                text = f"({head} {_not(negated)}in ({', '.join(rest)}))"
            case Between(subject, low, high, negated):
                a, b, c = self._alike("#BETWEEN", subject, low, high)
                text = f"({a} {_not(negated)}between {b} and {c})"
            case Like(subject, pattern, negated):
                text = f"({self._text(subject)} {_not(negated)}like {self._text(pattern)})"
        return Sql(text, "checkbox")

    def _column(self, name: str) -> Sql:
        if name not in self.fields:
            raise no_such_column(name)
        found = self.fields[name]
        return Sql(found.value, found.kind)

    def _call(self, call: Call) -> Sql:
        if call.name == "count" and not call.arguments:
            return Sql("count(*)", "number")
        if call.name == "starts_with" and len(call.arguments) == 2:
            subject, prefix = (self._text(a) for a in call.arguments)
            return Sql(f"starts_with({subject}, {prefix})", "checkbox")
        if call.name not in FUNCTIONS or len(call.arguments) != 1:
            raise no_such_function(call.name)
        template, takes, gives = FUNCTIONS[call.name]
        inner = self.expression(call.arguments[0])
        if inner.kind not in takes:
            raise type_mismatch(call.name, inner.kind)
        return Sql(template.format(self._placed(inner, inner.kind)), gives or inner.kind)

    def value(self, tree: Expression) -> str:
        """SQL of an expression by itself."""
        sql = self.expression(tree)
        return self._placed(sql, sql.kind)

    def _text(self, tree: Expression) -> str:
        sql = self.expression(tree)
        if sql.kind != "text":
            raise type_mismatch("#LIKE", sql.kind)
        return self._placed(sql, "text")

    def _alike(self, operator: str, *trees: Expression) -> list[str]:
        """SQL of expressions that must be of one type; text literals become what they are compared with."""
        kind = self._common_kind(trees)
        return [self._checked(operator, self.expression(tree), kind) for tree in trees]

    def _common_kind(self, trees: tuple[Expression, ...]) -> str:
        probe = Compiler(self.fields)  # its parameters are thrown away: only the types are wanted
        found = [probe.expression(tree) for tree in trees]
        return next((sql.kind for sql in found if sql.literal is None), found[0].kind)

    def _checked(self, operator: str, sql: Sql, kind: str) -> str:
        readable = sql.literal is not None and sql.kind == "text"
        if kind not in _ORDERED | {"checkbox", "url"} or (sql.kind != kind and not readable):
            raise type_mismatch(operator, sql.kind)
        return self._placed(sql, kind)

    def _placed(self, sql: Sql, kind: str) -> str:
        """The SQL, with the literal's value (if it is one) bound as a *kind*."""
        if sql.literal is not None:
            self.parameters.append(literal(sql.literal, kind))
        return sql.text


def _not(negated: bool) -> str:
    return "not " if negated else ""


def literal(tree: Literal, kind: str) -> str | float | bool | datetime:
    """The value of a literal as a *kind*. Raises `SoqlError` if it is not one."""
    if kind in ("text", "url"):
        return tree.text
    try:
        return _READERS[kind](tree.text)
    except ValueError:
        raise type_mismatch(f"literal '{tree.text}' as {kind}", tree.kind) from None


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _floating(text: str) -> datetime:
    """A floating timestamp has no zone; one with ``Z`` is another type, and the portal says so."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _fixed(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when


_READERS: dict[str, Callable[[str], float | bool | datetime]] = {
    "number": float,
    "checkbox": _boolean,
    "calendar_date": _floating,
    "fixed_timestamp": _fixed,
}


def whole_number(parameter: str, text: str) -> int:
    """The value of ``$limit`` or ``$offset``. Raises `SoqlError` unless it is a whole number from 0."""
    if not text.isdigit():
        raise cannot_parse(f"{parameter}={text}", 0)
    return min(int(text), 2**31)
