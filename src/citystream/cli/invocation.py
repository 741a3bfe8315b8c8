"""What a person said before or after any command: where the data is, which settings, for whom the answer is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from citystream.config import Config, load


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options that every command takes."""

    data: Path | None = None
    config: Path | None = None
    json: bool = False
    debug: bool = False

    def settings(self, **flags: Any) -> Config:
        """All settings; *flags* are those that the command itself was given."""
        return load({"data": self.data, **flags}, os.environ, self.config)


def invocation(ctx: typer.Context) -> Invocation:
    """What was said in *ctx*."""
    return ctx.obj if isinstance(ctx.obj, Invocation) else Invocation()


def _note(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
    """Remember an option, here and where failures are shown; what comes after the command wins."""
    if value:
        ctx.obj = replace(invocation(ctx), **{str(param.name): value})
        ctx.find_root().obj = ctx.obj
    return value


def _options(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", callback=_note, help="Folder of the log and the store.")
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", callback=_note, help="Settings to use.")] = None,
    json: Annotated[bool, typer.Option("--json", callback=_note, help="Answer for programs.")] = False,
    debug: Annotated[bool, typer.Option("--debug", callback=_note, help="Show tracebacks.")] = False,
) -> None:
    """The options of every command."""


def shared_options() -> list[Any]:
    """The options of every command, as parameters that leave its signature alone."""
    params = command_of(_options).params
    for param in params:
        param.expose_value = False
    return list(params)


def command_of(function: Callable[..., None]) -> Any:
    """The command that *function* is."""
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return typer.main.get_command(app)
