"""SoQL tokens -> tree, by recursive descent.

Grammar::

    condition  = conjunction { OR conjunction }
    conjunction= negation { AND negation }
    negation   = [NOT] predicate
    predicate  = value [ compare value | IS [NOT] NULL | [NOT] IN (...) | [NOT] BETWEEN .. AND .. | [NOT] LIKE .. ]
    value      = literal | column | function(...) | ( condition )
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from citystream.simulate.soql.failure import SoqlError, cannot_parse
from citystream.simulate.soql.tokens import Token, tokens
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
    Operator,
    Ordered,
    Selected,
)

Item = TypeVar("Item")

_OPERATORS: dict[str, Operator] = {
    "=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_DEEPEST = 100


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = list(tokens(source))
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _advance(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _is(self, *words: str) -> bool:
        token = self._next
        if token.kind == "symbol":
            return token.text in words
        return token.kind == "name" and token.text.lower() in words

    def _took(self, *words: str) -> bool:
        found = self._is(*words)
        self._at += found
        return found

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise self.refusal()

    def refusal(self) -> SoqlError:
        return cannot_parse(self._next.text, self._next.position)

    def finish(self) -> None:
        if self._next.kind != "end":
            raise self.refusal()

    def listed(self, item: Callable[[], Item]) -> tuple[Item, ...]:
        found = [item()]
        while self._took(","):
            found.append(item())
        return tuple(found)

    def condition(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.refusal()
        parts = [self._conjunction()]
        while self._took("or"):
            parts.append(self._conjunction())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Logic("or", tuple(parts))

    def _conjunction(self) -> Expression:
        parts = [self._negation()]
        while self._took("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Logic("and", tuple(parts))

    def _negation(self) -> Expression:
        negated = False
        while self._took("not"):
            negated = not negated
        part = self._predicate()
        return Not(part) if negated else part

    def _predicate(self) -> Expression:
        subject = self._value()
        token = self._next
        if token.kind == "symbol" and token.text in _OPERATORS:
            self._advance()
            return Compare(_OPERATORS[token.text], subject, self._value())
        if self._took("is"):
            negated = self._took("not")
            self._expect("null")
            return IsNull(subject, negated)
        return self._membership(subject)

    def _membership(self, subject: Expression) -> Expression:
        negated = self._took("not")
        if self._took("in"):
            self._expect("(")
            options = self.listed(self._value)
            self._expect(")")
            return In(subject, options, negated)
        if self._took("between"):
            low = self._value()
            self._expect("and")
            return Between(subject, low, self._value(), negated)
        if self._took("like"):
            return Like(subject, self._value(), negated)
        if negated:
            raise self.refusal()
        return subject

    def _value(self) -> Expression:
        if self._took("("):
            inner = self.condition()
            self._expect(")")
            return inner
        token = self._advance()
        if token.kind == "text":
            return Literal("text", token.text)
        if token.kind == "number":
            return Literal("number", token.text)
        if token.kind == "quoted":
            return Column(token.text)
        if token.kind == "name":
            return self._named(token.text.lower())
        self._at -= 1
        raise self.refusal()

    def _named(self, name: str) -> Expression:
        if name in ("true", "false"):
            return Literal("checkbox", name)
        if not self._took("("):
            return Column(name)
        if self._took("*"):
            self._expect(")")
            return Call(name, ())
        arguments = self.listed(self._value)
        self._expect(")")
        return Call(name, arguments)

    def selected(self) -> Selected:
        if self._took("*"):
            return Selected("*")
        if self._took(":*"):
            return Selected(":*")
        item = self._value()
        return Selected(item, self._advance().text.lower() if self._took("as") else "")

    def ordered(self) -> Ordered:
        item = self._value()
        if self._took("asc"):
            return Ordered(item, descending=False)
        return Ordered(item, descending=self._took("desc"))


def _parsed(source: str, rule: Callable[[_Parser], Item]) -> Item:
    parser = _Parser(source)
    found = rule(parser)
    parser.finish()
    return found


def where(source: str) -> Expression:
    """The tree of a ``$where``. Raises `SoqlError`, as do the others."""
    return _parsed(source, _Parser.condition)


def select(source: str) -> tuple[Selected, ...]:
    """The items of a ``$select``."""
    return _parsed(source, lambda p: p.listed(p.selected))


def order(source: str) -> tuple[Ordered, ...]:
    """The items of an ``$order``."""
    return _parsed(source, lambda p: p.listed(p.ordered))


def group(source: str) -> tuple[Expression, ...]:
    """The items of a ``$group``."""
    return _parsed(source, lambda p: p.listed(p._value))
