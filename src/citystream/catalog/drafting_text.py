"""A draft of a city file as text: keys with values, and behind each doubt a mark for a person."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: What stands before every doubt.
MARK: Final = "# ?"
#: The doubt of a key that is left empty.
REQUIRED: Final = "required"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Value = str | bool | int | float | Sequence["Value"] | Mapping[str, "Value"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a draft; *doubt*: what a person should look at."""

    text: str
    doubt: str = ""

    def __str__(self) -> str:
        return _printed(f"{self.text}  {MARK} {self.doubt}".lstrip() if self.doubt else self.text)


def _printed(line: str) -> str:
    """*line* without control characters, which no comment may have and no value has."""
    return _CONTROL.sub(" ", line)


def said(key: str, value: Value, doubt: str = "") -> Line:
    """``key = value``."""
    return Line(f"{key} = {toml(value)}", doubt)


def off(key: str, value: Value, doubt: str) -> Line:
    """``# key = value``: a proposal that holds only when a person takes the mark away."""
    return Line(f"# {key} = {toml(value)}", doubt)


def toml(value: Value) -> str:
    """*value* as TOML on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    return "[" + ", ".join(toml(each) for each in value) + "]"


def _text(text: str) -> str:
    """A basic string: JSON's, but for the one character that only TOML forbids."""
    return json.dumps(" ".join(text.split()) if "\n" in text else text, ensure_ascii=False).replace("\x7f", "\\u007f")
