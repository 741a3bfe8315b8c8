"""``citystream publish``: the tables delivered to databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.delivering import News, following
from citystream.app.publishing import Publishing, shown
from citystream.cli.deliver import deliveries, to_deliver
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json, say
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.errors import ConfigError
from citystream.publish import Difference

app = typer.Typer(add_completion=False)

#: The exit code of --verify when a sink differs.
_DIFFERS = 1


@app.command(name="publish")
def publish_(
    ctx: typer.Context,
    datasets: Annotated[
        list[str] | None, typer.Argument(metavar="DATASET", help="All of the store, if none is named")
    ] = None,
    *,
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="postgresql://, mysql://, opensearch://, s3://, or a folder; repeatable. "
            "Those of citystream.toml (sinks), if none is named.",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C, each sink at its own pace.")] = False,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between looks at the store, with --follow.")] = 5.0,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Empty the sink and deliver everything anew.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare with the store, month by month; write nothing.")
    ] = False,
) -> None:
    """Deliver events, days and alerts to places outside: what changed since each place's own position.

    Places of sensitive offences are left blank, as in every export. Passwords come from the environment only.
    """
    said = invocation(ctx)
    if sum((follow, rebuild, verify)) > 1:
        raise ConfigError("--follow, --rebuild and --verify exclude each other", "choose one of them")
    opened = App(said.settings())
    addresses = to_deliver(opened, to or [])
    with Stopping() as stopping:
        if verify:
            names = datasets or opened.publishing.names()
            different = [each for one in addresses for each in _verify(opened.publishing, one, names, json=said.json)]
            raise typer.Exit(_DIFFERS if different else 0)
        # a dataset that comes into the store later is delivered too, unless they were named
        all_of = deliveries(opened, addresses, datasets or None, stopping, json=said.json)
        if follow:
            with following(all_of, News(), every, stopping):
                stopping.wait()
            raise typer.Exit(INTERRUPTED)
        failed = [error for delivery in all_of if (error := delivery.once(rebuild=rebuild))]
    for error in failed:
        say(f"error: {error}")
    if failed:
        raise typer.Exit(failed[0].exit_code)


def _verify(publishing: Publishing, address: str, names: Sequence[str], *, json: bool) -> list[Difference]:
    """Where the sink at *address* differs from the store, told."""
    found: list[Difference] = []
    for name in names:
        differences = publishing.verify(name, address)
        found += differences
        if json:
            put_json({"sink": shown(address), "dataset": name, "differences": [asdict(each) for each in differences]})
        elif differences:
            _show(shown(address), name, differences)
        else:
            put(f"{name}: {shown(address)} has exactly what the store has")
    return found


def _show(where: str, name: str, differences: Sequence[Difference]) -> None:
    put(f"{name}: {where} differs from the store; make it right with --rebuild")
    rows = [
        [each.table, each.month or "-", each.store.rows if each.store else 0, each.sink.rows if each.sink else 0]
        for each in differences
    ]
    Grid(["table", "month", "rows of the store", "rows of the sink"], rows).show()
