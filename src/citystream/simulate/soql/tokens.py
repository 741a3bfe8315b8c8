"""SoQL text -> tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from citystream.simulate.soql.failure import cannot_parse

Kind = Literal["name", "quoted", "text", "number", "symbol", "end"]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*') | (?P<quoted>`[^`]+`)
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<name>:?@?[A-Za-z_][\w@]*) | (?P<symbol>:\*|<=|>=|<>|!=|==|[=<>(),*])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the query: *text* is its value, without quotes."""

    kind: Kind
    text: str
    position: int


def tokens(source: str) -> Iterator[Token]:
    """All tokens of *source* and one that marks its end. Raises `SoqlError` for anything else."""
    position, end = 0, len(source.rstrip())
    while position < end:
        match = _TOKEN.match(source, position)
        if match is None:
            raise cannot_parse(source[position : position + 10].strip(), position)
        yield _token(match)
        position = match.end()
    yield Token("end", "", end)


def _token(match: re.Match[str]) -> Token:
    kind, text = next((k, v) for k, v in match.groupdict().items() if v is not None)
    start = match.start(kind)
    if kind == "text":
        return Token("text", text[1:-1].replace("''", "'"), start)
    if kind == "quoted":
        return Token("quoted", text[1:-1], start)
    known: dict[str, Kind] = {"number": "number", "name": "name", "symbol": "symbol"}
    return Token(known[kind], text, start)
