"""The root command: finds commands by name, imports one only when it is used, turns failures into exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from citystream.cli.commands import COMMANDS, Listed
from citystream.cli.invocation import invocation, shared_options
from citystream.registry import load_path


class LazyCommand(TyperCommand):
    """Stands for a command in the help; becomes the command itself when it is used."""

    def __init__(self, name: str, listed: Listed) -> None:
        super().__init__(name, help=listed.help)
        self._path = listed.path

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the real command."""
        return self._real().make_context(info_name, args, parent=parent, **extra)

    def _real(self) -> Any:
        command = typer.main.get_command(load_path(self._path))
        command.name = self.name
        _accept_shared(command)
        return command


def _accept_shared(command: Any) -> None:
    command.params = [*command.params, *shared_options()]
    for part in getattr(command, "commands", {}).values():
        _accept_shared(part)


class Root(TyperGroup):
    """The group of all `COMMANDS`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: LazyCommand(name, listed) for name, listed in COMMANDS.items()}
        self.params = [*self.params, *shared_options()]

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a failure is said on stderr and becomes an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort, KeyboardInterrupt):
            raise
        except Exception as error:
            raise typer.Exit(_explain(error, ctx)) from error
        return result


def _explain(error: Exception, ctx: Any) -> int:
    """Say what went wrong; what Typer itself says (wrong options) is left to it."""
    if type(error).__module__.startswith(("typer.", "click.")):
        raise error
    code: int = load_path("citystream.cli.failures:explain")(error, invocation(ctx))
    return code


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"citystream {load_path('citystream:__version__')}")
        raise typer.Exit


def _nothing(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Every city's incident feed as one honest, live, queryable stream."""


def root() -> Callable[..., Any]:
    """The command line as one callable."""
    app = typer.Typer(cls=Root, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
    app.callback()(_nothing)
    command: Callable[..., Any] = typer.main.get_command(app)
    return command
