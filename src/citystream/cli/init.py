"""``citystream init``: files to begin with."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from citystream.cli.again import again
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put, put_json, suggest
from citystream.config import FILE, SETTINGS, Setting

app = typer.Typer(add_completion=False)
_EXAMPLE = Path("cities") / "springfield.toml"


@app.command()
def init(
    ctx: typer.Context, folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; made if missing")] = Path()
) -> None:
    """Write a commented citystream.toml and an example city file; nothing that exists is overwritten."""
    said = invocation(ctx)
    example = files("citystream.cli").joinpath("springfield.toml").read_text("utf-8")
    texts = {folder / FILE: settings_text(), folder / _EXAMPLE: example}
    written = [path for path, text in texts.items() if _write(path, text)]
    kept = [path for path in texts if path not in written]
    if said.json:
        put_json({"written": written, "kept": kept})
        return
    for path in written:
        put(f"written: {path}")
    for path in kept:
        put(f"already there, not changed: {path}")
    there = Invocation(said.data, folder / FILE if folder != Path() else said.config)
    suggest([again(there, "datasets"), again(there, "import", "chicago/crimes", "Crimes.csv"), again(there, "doctor")])


def settings_text() -> str:
    """A ``citystream.toml`` in which every setting stands with its default, commented out."""
    head = (
        "# Settings of citystream. A flag beats the environment, the environment beats this file.\n"
        "# Every line shows a default; remove the # to change it. Folders are relative to this file.\n"
        "# `citystream doctor` shows what holds and where it came from.\n"
    )
    lines, table = [head], ""
    for each in SETTINGS:
        within, _, name = each.name.rpartition(".")
        # a table ends only where another begins, so those of one table stand together, and last
        lines += [f"\n[{within}]\n"] if within != table else []
        lines, table = [*lines, f"\n# {each.purpose}\n{_line(each, name)}\n"], within
    return "".join(lines)


def _line(setting: Setting, name: str) -> str:
    if setting.secret:
        return f"# {name}: a secret, read from the environment only: {setting.variable}"
    return f"# {name} = {_toml(setting.default)}"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:_}" if isinstance(value, int) else str(value)


def _write(path: Path, text: str) -> bool:
    """Whether it was written: an existing file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
