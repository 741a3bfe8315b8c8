"""``citystream run``: datasets brought up to their portals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.delivering import Delivery, Followed, News, following
from citystream.catalog.dataset import Dataset
from citystream.cli import outcomes
from citystream.cli.again import again
from citystream.cli.deliver import LOOKS, deliveries, to_deliver
from citystream.cli.follow import Round, Rounds
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put_json, put_json_line, say
from citystream.cli.progress import Bars
from citystream.cli.shown import count
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.cli.telling import tellings_of
from citystream.errors import CitystreamError, ConfigError, PortalError

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
    publish: Annotated[
        bool, typer.Option("--publish", help="Deliver what came in to the sinks of citystream.toml.")
    ] = False,
) -> None:
    """Bring datasets up to their portals, on from where the last run stopped.

    A dataset that fails does not stop the others. With --follow it is tried again later; with --json every visit
    is one line. A sink that is down holds up neither the visits nor the other sinks. Alerts are told where [notify] in
    citystream.toml says.
    """
    said = invocation(ctx)
    undelivered: list[CitystreamError] = []
    with Stopping() as stopping, Bars(stopping, quiet=said.json or follow) as bars:
        opened = App(said.settings(), watch=bars.watch)
        rounds = Rounds(opened, _chosen(opened, datasets or []), stopping, full=full, portal=source)
        rounds.about = bars.about
        sinks = _sinks(opened, rounds, stopping, said) if publish else []
        followed: list[Followed] = [*sinks, *tellings_of(opened, stopping)]
        if follow:
            _follow(rounds, followed, every, said)
        else:
            rounds.once()
            undelivered = [error for each in followed if (error := each.once())]
    if not follow and said.json:
        put_json([each.fields() for each in rounds.all])
    elif not follow:
        outcomes.show(rounds.done, json=False)
    options = [name for name, given in (("--follow", follow), ("--publish", publish)) if given]
    _finish(rounds.failed, stopping, said, rounds, options)
    for error in undelivered:
        say(f"error: {error}")
    if undelivered:
        raise typer.Exit(undelivered[0].exit_code)


def _sinks(opened: App, rounds: Rounds, stopping: Stopping, said: Invocation) -> list[Delivery]:
    """Where the datasets of this command are delivered to."""
    names = [dataset.name for dataset in rounds.datasets]
    return deliveries(opened, to_deliver(opened, ()), names, stopping, json=said.json, awaiting=True)


def _follow(rounds: Rounds, followed: Sequence[Followed], every: float | None, said: Invocation) -> None:
    news = News()

    def tell(one: Round) -> None:
        news.tell()
        _tell(one, json=said.json)

    with following(followed, news, LOOKS, rounds.stopping):
        rounds.follow(tell, every)


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
