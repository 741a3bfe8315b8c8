"""The tree of a SoQL expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf
from typing import TypeAlias

Operator = OneOf["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Column:
    """A published column, or a system field with its colon."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that was written into the query; numbers keep their text."""

    kind: OneOf["text", "number", "checkbox"]
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of expressions; ``count(*)`` has no arguments."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """left operator right."""

    operator: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Logic:
    """Several conditions, all or any of which must hold."""

    word: OneOf["and", "or"]
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A condition that must not hold."""

    part: Expression


@dataclass(frozen=True, slots=True)
class IsNull:
    """subject is [not] null."""

    subject: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class In:
    """subject [not] in (...)."""

    subject: Expression
    options: tuple[Expression, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Between:
    """subject [not] between low and high."""

    subject: Expression
    low: Expression
    high: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class Like:
    """subject [not] like pattern."""

    subject: Expression
    pattern: Expression
    negated: bool


Expression: TypeAlias = Column | Literal | Call | Compare | Logic | Not | IsNull | In | Between | Like


@dataclass(frozen=True, slots=True)
class Selected:
    """One item of ``$select``: an expression, or one of the stars ``*`` and ``:*``; *alias* '' if none."""

    item: Expression | OneOf["*", ":*"]
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Ordered:
    """One item of ``$order``."""

    item: Expression
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a table; an empty *select* is everything published."""

    select: tuple[Selected, ...] = ()
    where: Expression | None = None
    order: tuple[Ordered, ...] = ()
    group: tuple[Expression, ...] = ()
    limit: int = 1000
    offset: int = 0
