"""The questions that the commands of this package ask, each in a file of its own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """The text of ``sql/<name>.sql``."""
    return files("citystream.app").joinpath("sql", f"{name}.sql").read_text("utf-8")
