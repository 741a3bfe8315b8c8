"""Whatever happens becomes a sentence and an exit code."""

from __future__ import annotations

import errno
import json

import duckdb
import pytest

from citystream.cli.failures import BUG, explain
from citystream.cli.invocation import Invocation
from citystream.errors import PortalError


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (PortalError("the portal is down", "wait"), 3, "hint: wait"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/log"), 4, "free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "/data"), 4, "/data: Permission denied"),
        (duckdb.IOException("IO Error: disk on fire"), 4, "disk on fire"),
        (duckdb.BinderException("Binder Error: no column"), 2, "no column"),
        (ValueError("odd"), BUG, "this is a bug in citystream: ValueError: odd"),
    ],
)
def test_what_is_said(error: Exception, code: int, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(error, Invocation()) == code
    told = capsys.readouterr()
    assert word in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_debug_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    explain(ValueError("odd"), Invocation(debug=True))
    assert "ValueError: odd" in capsys.readouterr().err


def test_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    explain(PortalError("down", "wait"), Invocation(json=True))
    assert json.loads(capsys.readouterr().err) == {"error": "down", "hint": "wait", "exit_code": 3}
