"""``citystream run``: datasets brought up to their portals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from citystream.app import App
from citystream.catalog.dataset import Dataset
from citystream.cli import outcomes
from citystream.cli.again import again
from citystream.cli.follow import Round, Rounds
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put_json, put_json_line, say
from citystream.cli.progress import Bars
from citystream.cli.shown import count
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.errors import ConfigError, PortalError

app = typer.Typer(add_completion=False)


@app.command()
def run(
    ctx: typer.Context,
    datasets: Annotated[
        list[str] | None, typer.Argument(metavar="DATASET", help="Those of citystream.toml, if none is named")
    ] = None,
    *,
    full: Annotated[bool, typer.Option("--full", help="Read the complete listing, to find what vanished.")] = False,
    source: Annotated[
        str, typer.Option(metavar="KIND", help="Of a dataset with several sources the one of this kind: ckan, ...")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C, each at its own cadence.")] = False,
    every: Annotated[float | None, typer.Option(min=0.0, help="Seconds between visits, instead.")] = None,
) -> None:
    """Bring datasets up to their portals, on from where the last run stopped.

    A dataset that fails does not stop the others. With --follow it is tried again later; with --json every visit
    is one line.
    """
    said = invocation(ctx)
    with Stopping() as stopping, Bars(stopping, quiet=said.json or follow) as bars:
        opened = App(said.settings(), watch=bars.watch)
        rounds = Rounds(opened, _chosen(opened, datasets or []), stopping, full=full, portal=source)
        rounds.about = bars.about
        if follow:
            rounds.follow(lambda one: _tell(one, json=said.json), every)
        else:
            rounds.once()
    if not follow and said.json:
        put_json([each.fields() for each in rounds.all])
    elif not follow:
        outcomes.show(rounds.done, json=False)
    _finish(rounds.failed, stopping, said, rounds, ("--follow",) if follow else ())


def _chosen(opened: App, names: Sequence[str]) -> list[Dataset]:
    wanted = names or opened.config.listed("datasets")
    if not wanted:
        raise ConfigError(
            "no dataset was named, and none is listed in citystream.toml",
            'citystream run chicago/crimes, or list them: datasets = ["chicago/crimes"]',
        )
    return [opened.library.get(name) for name in dict.fromkeys(wanted)]


def _tell(one: Round, *, json: bool) -> None:
    """One visit of many, as it happens."""
    if json:
        put_json_line(one.fields())
        return
    say(one.line())


def _finish(
    failed: Sequence[Round], stopping: Stopping, said: Invocation, rounds: Rounds, options: Sequence[str]
) -> None:
    if stopping():
        pending = sum(each.outcome.pending for each in rounds.done)
        if pending:
            say(f"stopped: {count(pending)} records are in the log and not in the tables yet")
        names = [dataset.name for dataset in rounds.datasets]
        say(f"go on with: {again(said, 'run', *names, *options)}")
        raise typer.Exit(INTERRUPTED)
    for each in failed:
        say(f"error: {each.error}" if each.dataset in str(each.error) else f"error: {each.dataset}: {each.error}")
    if failed:
        error = failed[0].error
        raise typer.Exit(error.exit_code if error else PortalError.exit_code)
