"""The help: complete, cheap, and of use to someone who mistyped."""

from __future__ import annotations

import subprocess
import sys

import pytest

from citystream.cli import main
from citystream.cli.commands import COMMANDS


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out + told.err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "--help")
    assert code == 0
    assert all(f" {name} " in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_own_help_and_takes_the_shared_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(capsys, name, "--help")
    assert code == 0
    if name != "simulate":
        assert all(option in text for option in ("--json", "--data", "--config"))
    assert "--install-completion" not in text


def test_a_mistyped_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "stauts")
    assert code == 2
    assert "Did you mean 'status'" in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version")[1].startswith("citystream ")


@pytest.mark.parametrize("words", ["import citystream", "from citystream.cli import main"])
def test_nothing_heavy_is_imported_before_it_is_used(words: str) -> None:
    heavy = "numpy duckdb pyarrow pydantic httpx starlette citystream.app"
    code = f"{words}; import sys; print([name for name in '{heavy}'.split() if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
