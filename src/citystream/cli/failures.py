"""From an exception to what a person reads and a program gets: a sentence, a hint, an exit code."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback

from citystream.cli.invocation import Invocation
from citystream.errors import CitystreamError, QueryError, StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT)
BUG = 1


def explain(error: Exception, said: Invocation) -> int:
    """Say on stderr what *error* means; the exit code. A pipe whose reader has seen enough is no failure."""
    if isinstance(error, BrokenPipeError):
        _let_go_of_stdout()
        return 0
    if said.debug:
        traceback.print_exception(error)
    known = translated(error)
    if known is None:
        return _bug(error, said)
    _say({"error": known.message, "hint": known.hint, "exit_code": known.exit_code}, str(known), said)
    return known.exit_code


def translated(error: Exception) -> CitystreamError | None:
    """*error* as one that a person can act on; None if nobody foresaw it."""
    if isinstance(error, CitystreamError):
        return error
    if isinstance(error, OSError):
        return _of_system(error)
    if type(error).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
        return _of_database(error)
    return None


def _of_system(error: OSError) -> CitystreamError:
    where = f"{error.filename}: " if error.filename else ""
    what = f"{where}{error.strerror or error}"
    if error.errno in _FULL:
        return StorageError(what, "free some space and repeat the command; what was committed is unharmed")
    return StorageError(what, "check that the folder exists, may be written to, and has space")


def _of_database(error: Exception) -> CitystreamError:
    text = str(error).strip().split("\n", 1)[0]
    if "Out of Memory" in text:
        return StorageError(text, "raise memory_limit (CITYSTREAM_MEMORY_LIMIT=2GB), or ask for less at a time")
    if "IO Error" in text or "No space left" in text:
        return StorageError(text, "check the disk and its free space; what was committed is unharmed")
    return QueryError(text, "see what the tables have: citystream query 'describe events'")


def _bug(error: Exception, said: Invocation) -> int:
    what = f"this is a bug in citystream: {type(error).__name__}: {error}"
    hint = "run the command again with --debug and report what it shows"
    _say({"error": what, "hint": hint, "exit_code": BUG}, f"{what}\nhint: {hint}", said)
    return BUG


def _say(fields: dict[str, object], text: str, said: Invocation) -> None:
    print(json.dumps(fields, ensure_ascii=False) if said.json else f"error: {text}", file=sys.stderr)


def _let_go_of_stdout() -> None:
    """So that the interpreter does not complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
