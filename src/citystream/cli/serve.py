"""``citystream serve``: the dashboard and its HTTP interface, and the pipeline, in one process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from citystream.app import App, Watch
from citystream.app.delivering import Delivery, News, following
from citystream.app.publishing import shown
from citystream.catalog.dataset import Dataset
from citystream.cli.again import again
from citystream.cli.deliver import LOOKS, deliveries, to_deliver
from citystream.cli.follow import Round, Rounds
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put_json_line, say
from citystream.cli.served import served, visited
from citystream.cli.stage import clock_of
from citystream.cli.stopping import Stopping
from citystream.cli.telling import tellings_of
from citystream.web.board import Board
from citystream.web.security import LOCAL, check_host
from citystream.web.site import Site

app = typer.Typer(add_completion=False)

PORT = 8400


@app.command()
def serve(
    ctx: typer.Context,
    datasets: Annotated[
        list[str] | None, typer.Argument(metavar="DATASET", help="Those of citystream.toml, if none is named")
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where to; 0 is a free one.")] = PORT,
    host: Annotated[str, typer.Option(help="An address of this machine; any but the default needs a token.")] = LOCAL[
        0
    ],
    token: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Asked of everybody; CITYSTREAM_TOKEN keeps it out of sight.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Bring datasets up to their portals, each at its own cadence.")
    ] = True,
    every: Annotated[float | None, typer.Option(min=0.0, help="Seconds between visits, instead.")] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Deliver what came in to the sinks of citystream.toml.")
    ] = False,
) -> None:
    """The dashboard, its HTTP interface, and the pipeline, in one process, until Ctrl-C.

    Without a dataset to follow it shows what the store has, and what others write to it; --publish then delivers all
    of that. Other commands work in between: the store is open only for as long as a step needs it.
    """
    said = invocation(ctx)
    settings = said.settings(token=token)
    check_host(host, settings.text("token"))
    with Stopping() as stopping:
        opened = App(settings, clock=clock_of(settings), watch=Watch(stopping=stopping))
        chosen = _chosen(opened, datasets or []) if follow else []
        sinks = _sinks(opened, chosen, stopping, said) if publish else []
        # who takes in tells: a server that only shows leaves it to that process
        tellings = tellings_of(opened, stopping) if chosen else []
        site, news = Site(Board(opened)), News()
        site.pipeline.delivers_to = [shown(sink.address) for sink in sinks]
        with served(site, news, port=port, host=host, token=settings.text("token")) as url:
            _welcome(url, said, chosen)
            with following([*sinks, *tellings], news, LOOKS, stopping):
                _go_on(site, news, Rounds(opened, chosen, stopping), every, said)


def _chosen(opened: App, names: list[str]) -> list[Dataset]:
    """What is followed; nothing, if nothing is named and none is listed."""
    return [opened.library.get(name) for name in dict.fromkeys(names or opened.config.listed("datasets"))]


def _sinks(opened: App, chosen: Sequence[Dataset], stopping: Stopping, said: Invocation) -> list[Delivery]:
    """Where what is followed is delivered to; all of the store, if nothing is."""
    names = [dataset.name for dataset in chosen] or None
    return deliveries(opened, to_deliver(opened, ()), names, stopping, json=said.json, awaiting=True)


def _go_on(site: Site, news: News, rounds: Rounds, every: float | None, said: Invocation) -> None:
    """Follow the datasets of *rounds*, if there are any, until someone says stop."""
    if not rounds.datasets:
        rounds.stopping.wait()
        return
    site.pipeline.running, site.pipeline.every = True, every

    def tell(one: Round) -> None:
        news.tell()
        site.visited(visited(rounds.app, one))
        _say(one, said)

    rounds.follow(tell, every)


def _welcome(url: str, said: Invocation, chosen: list[Dataset]) -> None:
    if said.json:
        put_json_line({"url": url, "datasets": [each.name for each in chosen]})
        return
    say(f"{url} shows {said.settings().data}; Ctrl-C ends it")
    if not chosen:
        say(f"no dataset is brought up to its portal: {again(said, 'serve', 'DATASET')} does that too")


def _say(one: Round, said: Invocation) -> None:
    if said.json:
        put_json_line(one.fields())
    else:
        say(one.line())
