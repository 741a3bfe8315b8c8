"""``citystream simulate``: a portal on this machine, and files as publishers write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from citystream.app import App, utc_now
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.output import put, put_json, say
from citystream.cli.placing import placed
from citystream.cli.shown import count
from citystream.cli.simulate_replay import replay
from citystream.cli.simulation import FAULTS, addresses, fault, served_tables
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.errors import ConfigError
from citystream.simulate.city import DATASETS, RESOURCES, generate
from citystream.simulate.clock import SimClock
from citystream.simulate.export import export
from citystream.simulate.portal import SimulatedPortal

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Simulated cities: everything in them is invented.")
app.command()(replay)

#: How much is there when the portal begins, and how much is still to come.
_PAST, _FUTURE = timedelta(days=730), timedelta(days=30)


@app.command()
def portal(
    ctx: typer.Context,
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8099,
    rate: Annotated[float, typer.Option(min=1.0, help="Simulated seconds per second, until it is now.")] = 1.0,
    scale: Annotated[float, typer.Option(min=0.001, help="1 is about 690 Chicago records a day.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Another number, other cities.")] = 1,
    faults: Annotated[
        list[str] | None, typer.Option("--fault", metavar="NAME[:FIRST[:TIMES]]", help=f"{', '.join(FAULTS)}.")
    ] = None,
) -> None:
    """Serve two years of simulated cities on 127.0.0.1 until Ctrl-C, each dataset as its publisher does.

    With --rate above 1 the last week goes by in a hurry. A fault strikes request FIRST (2) and TIMES (1) in all; 0 is
    for ever.
    """
    said = invocation(ctx)
    wrong = [fault(text) for text in faults or []]
    with Stopping() as stopping:
        now = utc_now()
        say("drawing the cities ...")
        tables = served_tables((now - _PAST).date(), (now + _FUTURE).date(), scale=scale, seed=seed)
        clock = SimClock(now - timedelta(days=7) if rate > 1 else now, rate)
        with SimulatedPortal(tables, lambda: min(clock(), utc_now()), wrong, port) as served:
            _tell(served.url, said)
            while not stopping():
                stopping.sleep(60)
    raise typer.Exit(INTERRUPTED)


def _tell(url: str, said: Invocation) -> None:
    run = f"CITYSTREAM_PORTAL={url} citystream --data simulated-data run"
    status = "citystream --data simulated-data status"
    commands = [f"{run} {' '.join(RESOURCES)}", f"{run} --follow seattle/fire", status]
    datasets, today = App(said.settings()).library.datasets, utc_now().date()
    served = {name: addresses(datasets[name], url, today) for name in RESOURCES if name in datasets}
    if said.json:
        put_json({"url": url, "addresses": served, "commands": commands})
        return
    put(f"serving {url}")
    for name, listed in served.items():
        for address in listed:
            put(f"  {name}: {address}")
    put("in another terminal:")
    for command in commands:
        put(f"  {command}")


@app.command(name="export")
def export_(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help=f"{', '.join(DATASETS)}")],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help=".csv .json .jsonl .geojson, and .gz behind it.")],
    layout: Annotated[str, typer.Option(help="Of a CSV; the publisher's newest, if none is named.")] = "",
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="First day of events.")] = "2024-01-01",
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day of events.")] = "2025-12-31",
    at: Annotated[str | None, typer.Option(metavar="WHEN", help="As it was published then, not in the end.")] = None,
    scale: Annotated[float, typer.Option(min=0.001, help="1 is about 690 Chicago records a day.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Another number, another city.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
) -> None:
    """Write a file as the publisher would."""
    said = invocation(ctx)
    history = generate(dataset, start=_day("--from", start), end=_day("--to", end), seed=seed, scale=scale)
    with placed(out, force=force) as place:
        rows = export(history, place, at=_moment(at), layout=layout)
    if said.json:
        put_json({"dataset": dataset, "file": out, "rows": rows})
    else:
        say(f"{out}: {count(rows)} rows; take them in: citystream import {dataset} {out}")


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option}: '{text}' is no date", "write it like 2024-01-01") from error


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--at: '{text}' is no time", "write it like 2025-06-01 or 2025-06-01T12:00") from error
