"""``citystream replay``: the tables made anew from the log, and compared."""

from __future__ import annotations

from typing import Annotated

import typer

from citystream.app import App
from citystream.cli.again import again
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json, say
from citystream.cli.progress import Bars
from citystream.cli.shown import count
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.errors import ConfigError
from citystream.replay import Replayed

app = typer.Typer(add_completion=False)


@app.command()
def replay(
    ctx: typer.Context, dataset: Annotated[str, typer.Argument(metavar="DATASET", help="For example chicago/crimes")]
) -> None:
    """Make a dataset's tables anew from its log, and say in how many rows they differ.

    The same city file gives the same tables. Stopped in between, the old tables stay.
    """
    said = invocation(ctx)
    with Stopping() as stopping, Bars(stopping, quiet=said.json) as bars:
        bars.about(dataset)
        found = App(said.settings(), watch=bars.watch)
        if not found.log(found.library.get(dataset)).end():
            raise ConfigError(f"the log of {dataset} is empty", "citystream import, or citystream run, first")
        replayed = found.replay(dataset)
    if said.json:
        put_json(_fields(dataset, replayed))
    elif replayed.finished:
        _show(dataset, replayed)
    if not replayed.finished:
        say(f"stopped: the tables are as they were; again: {again(said, 'replay', dataset)}")
        raise typer.Exit(INTERRUPTED)


def _fields(dataset: str, replayed: Replayed) -> dict[str, object]:
    return {
        "dataset": dataset,
        "records": replayed.records,
        "finished": replayed.finished,
        "same": replayed.finished and replayed.same,
        "differences": replayed.differences,
    }


def _show(dataset: str, replayed: Replayed) -> None:
    put(f"{dataset}: {count(replayed.records)} records replayed")
    if replayed.same:
        put("every table came out the same")
        return
    Grid(["table", "rows that differ"], [[name, n] for name, n in replayed.differences.items() if n]).show()
    put("the new tables are in use: the city file, or citystream, changed since the old ones were made")
