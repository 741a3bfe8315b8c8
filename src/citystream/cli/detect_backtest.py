"""``citystream detect backtest``: what a detector would have said of a dataset's past."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.backtesting import Backtest, Fared, backtest_rule, read_past
from citystream.app.backtesting import backtest as backtested
from citystream.cli.alerts import known
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json
from citystream.cli.shown import count, for_person
from citystream.errors import ConfigError

_COLUMNS = ("", "alerts", "a week", "delay h", "withdrawn", "revised", "joined", "provisional")
_FEW = 15


def backtest(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="For example chicago/crimes")],
    *,
    start: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Alerts raised then or later.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Alerts raised then or earlier.")] = None,
    budget: Annotated[float | None, typer.Option(help="False alerts a week that are expected.")] = None,
    detector: Annotated[str, typer.Option(metavar="NAME", help="Else the first that follows the store.")] = "",
) -> None:
    """Replay a dataset's past as it was published, and say how the alerts of a detector would have fared.

    Records that came live count when they were first seen, those of an archive a lag after they occurred. The store
    stays as it is. Days are UTC.
    """
    said = invocation(ctx)
    first, last = day("--from", start), day("--to", end)
    with App(said.settings()).reader() as reader:
        name = known(reader, dataset)
        rule = backtest_rule(reader.datasets[name], detector, budget)
        past = read_past(reader, name, rule)
    # closed, because it takes a while, and a writer waits for readers
    found = backtested(past, first, last)
    put_json(_fields(found)) if said.json else _show(found)


def _fields(found: Backtest) -> dict[str, object]:
    groups = {"all": _said(found.all), "years": list(map(_said, found.years)), "types": list(map(_said, found.types))}
    asked = {"dataset": found.dataset, "detector": found.rule.model_dump()}
    return {**asked, "from": found.first, "until": found.until, **groups}


def _said(one: Fared) -> dict[str, object]:
    return {**asdict(one), "a_week": one.a_week}


def _show(found: Backtest) -> None:
    asked = ", ".join(f"{name} {for_person(value)}" for name, value in found.rule.parameters.items())
    put(f"{found.dataset}, {found.rule.name}{f' ({asked})' if asked else ''}: {found.first:%F} to {found.until:%F}")
    lines = [("all", found.all), *((each.name, each) for each in found.years)]
    lines += [(each.name, each) for each in found.types[:_FEW]]
    Grid(_COLUMNS, [_row(name, one) for name, one in lines]).show()
    if len(found.types) > _FEW:
        put(f"and {count(len(found.types) - _FEW)} types with fewer alerts: --json")


def _row(name: str, one: Fared) -> tuple[object, ...]:
    delay = None if one.delay_hours is None else round(one.delay_hours, 1)
    shares = [f"{value} ({value / one.alerts:.0%})" if one.alerts else "0" for value in (one.withdrawn, one.revised)]
    rate = None if one.a_week is None else round(one.a_week, 2)
    return (name, one.alerts, rate, delay, *shares, one.joined, one.provisional)


def day(option: str, text: str | None) -> date | None:
    """The day that an option names. Raises `ConfigError` if it is none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise ConfigError(f"{option}: '{text}' is no date", "write it like 2026-03-01") from error
