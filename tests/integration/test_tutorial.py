"""The tutorial is run as a reader would: each block in its turn, in one empty folder, and what it shows must come out.

So are the steps of "add a city", and what the README does with a downloaded file.

A block ``bash`` or ``python`` is run; a block ``text`` right behind it is what it writes to stdout. In that, ``...``
stands for anything within a line, a line of ``...`` alone for any lines. Other languages are not run. How wide
columns are is not compared.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from citystream.simulate.city import generate
from citystream.simulate.export import export

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """Lines to run in *language*, at *line* of the tutorial, and what they show (None: not said)."""

    language: str
    text: str
    line: int
    shown: str | None


def blocks(document: str) -> list[Block]:
    """All blocks that are run."""
    found = list(_FENCE.finditer(document))
    made = []
    for place, match in enumerate(found):
        if match[1] not in ("bash", "python"):
            continue
        after = found[place + 1] if place + 1 < len(found) else None
        between = document[match.end() : after.start()].strip() if after else "nothing"
        shown = after[2] if after and after[1] == "text" and not between else None
        made.append(Block(match[1], match[2], document.count("\n", 0, match.start()) + 1, shown))
    return made


def run(block: Block, folder: Path) -> str:
    """What *block* writes to stdout; it must not fail."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CITYSTREAM_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["PYTHONIOENCODING"] = "utf-8"
    shell = ["bash", "-euo", "pipefail"] if block.language == "bash" else [sys.executable, "-"]
    done = subprocess.run(
        shell,
        input=block.text,
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"line {block.line}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def pattern(shown: str) -> str:
    """A regular expression for what *shown* allows."""
    lines = [".*" if line.strip() == "..." else _within(line) for line in _plain(shown)]
    return "\n".join(lines)


def _within(line: str) -> str:
    return "[^\n]*".join(re.escape(part.strip()) for part in line.split("..."))


def _plain(text: str) -> list[str]:
    """Lines without the blanks and rules that depend on how wide a column is."""
    return [line for each in text.splitlines() if (line := re.sub(r"[ ─]+", " ", each).strip())]


def matches(shown: str, output: str) -> bool:
    """Whether *output* is what *shown* says."""
    return re.fullmatch(pattern(shown), "\n".join(_plain(output)), re.DOTALL) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("docs/tutorial.md", 15),
        ("CONTRIBUTING.md", 5),
        ("docs/how-to-add-a-city.md", 3),
        ("docs/how-to-read-status.md", 1),
        ("docs/how-to-be-told.md", 5),
    ],
)
def test_every_block_does_what_it_shows(name: str, least: int, tmp_path: Path) -> None:
    found = blocks((ROOT / name).read_text("utf-8"))
    assert len(found) >= least
    for block in found:
        output = run(block, tmp_path)
        if block.shown is not None:
            assert matches(block.shown, output), f"{name}:{block.line} shows\n{block.shown}\nbut it is\n{output}"


def test_what_the_readme_does_with_a_downloaded_file(tmp_path: Path) -> None:
    history = generate("chicago/crimes", start=date(2025, 1, 1), end=date(2025, 1, 31), scale=0.1)
    export(history, tmp_path / "Crimes.csv")
    found = [block for block in blocks((ROOT / "README.md").read_text("utf-8")) if "Crimes.csv" in block.text]
    assert [block.language for block in found] == ["bash", "python"]
    for block in found:
        run(block, tmp_path)
    assert (tmp_path / "district-10.geojson").stat().st_size > 1000


@pytest.mark.parametrize(
    ("shown", "output", "same"),
    [
        ("a  b\n───\n1  2\n", " a b\n ──────\n 1   2\n", True),
        ("took ...", "took 1.2 s", True),
        ("took ... s", "took 1.2 h", False),
        ("a\n...\nz", "a\nb\nc\nz", True),
        ("a\n", "a\nb\n", False),
        ("1.5", "1x5", False),
    ],
)
def test_what_is_shown_is_compared(shown: str, output: str, same: bool) -> None:
    assert matches(shown, output) is same
