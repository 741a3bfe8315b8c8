"""Where words go: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from citystream.values import for_json


def put(text: str = "") -> None:
    """A line of the result."""
    print(text)


def put_json(value: Any) -> None:
    """The result, for a program."""
    print(json.dumps(for_json(value), ensure_ascii=False, indent=2))


def put_json_line(value: Any) -> None:
    """One of several results, each on a line of its own, at once."""
    print(json.dumps(for_json(value), ensure_ascii=False), flush=True)


def say(text: str = "") -> None:
    """A line about what happens, which is no result."""
    print(text, file=sys.stderr, flush=True)


def suggest(commands: Iterable[str]) -> None:
    """What a person may want to do next."""
    say("next:")
    for command in commands:
        say(f"  {command}")
