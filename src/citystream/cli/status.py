"""``citystream status``: where every dataset stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from citystream.app import App
from citystream.cli.again import again
from citystream.cli.grid import Grid
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.outcomes import COUNTS
from citystream.cli.output import put, put_json, say
from citystream.cli.shown import ago, count
from citystream.errors import UnknownName
from citystream.registry import nearest
from citystream.store.status import DatasetStatus

app = typer.Typer(add_completion=False)
_COLUMNS = ("dataset", "events", "newest event", "last fetch", "state", "pending", "alerts", "withdrawn", "rejects")


@app.command()
def status(
    ctx: typer.Context,
    dataset: Annotated[str | None, typer.Argument(metavar="DATASET", help="Only this one")] = None,
    ledger: Annotated[bool, typer.Option("--ledger", help="Where every record of the log went.")] = False,
) -> None:
    """Where every dataset stands: its newest event, its last visit, what is pending, alerts and rejects."""
    said = invocation(ctx)
    found = _only(dataset, App(said.settings()).status())
    if said.json:
        put_json([fields(each) for each in found])
        return
    if not found:
        say(f"the store has no dataset yet: {again(said, 'import', 'DATASET', 'FILE')}")
        return
    _show(found)
    if ledger:
        _show_ledger(found)
    for each in found:
        _remark(each, said)


def fields(each: DatasetStatus) -> dict[str, Any]:
    """For a program."""
    return {**asdict(each), "ledger_balances": each.ledger.balances()}


def _only(name: str | None, found: list[DatasetStatus]) -> list[DatasetStatus]:
    if name is None:
        return found
    chosen = [each for each in found if each.dataset == name]
    if not chosen:
        known = [each.dataset for each in found]
        raise UnknownName(f"the store has no dataset '{name}'", nearest(name, known))
    return chosen


def _show(found: Sequence[DatasetStatus]) -> None:
    now = datetime.now(UTC)
    rows = [
        [
            each.dataset,
            each.events,
            each.newest_event,
            ago(each.last_fetch, now),
            each.state or "-",
            each.pending,
            each.active_alerts,
            each.withdrawn_alerts,
            sum(each.rejects.values()),
        ]
        for each in found
    ]
    Grid(_COLUMNS, rows).show()


def _show_ledger(found: Sequence[DatasetStatus]) -> None:
    put("received = inserted + revised + unchanged + rejected + vanished + returned")
    rows = [
        [each.dataset, *(getattr(each.ledger, name) for name in COUNTS), "yes" if each.ledger.balances() else "NO"]
        for each in found
    ]
    Grid(["dataset", *COUNTS, "adds up"], rows).show()


def _remark(each: DatasetStatus, said: Invocation) -> None:
    """What a person should know, a sentence each."""
    if each.state == "refused" and each.detail:
        put(f"{each.dataset}: the last visit was refused: {each.detail}")
    elif each.detail:
        put(f"{each.dataset}: {each.detail}")
    if each.drift:
        put(f"{each.dataset}: the publisher changed its columns: {each.drift}")
    if each.pending:
        put(f"{each.dataset}: {count(each.pending)} records wait in the log: {again(said, 'import', each.dataset)}")
    if each.catalog_changed:
        put(f"{each.dataset}: the catalog changed since its tables were made: {again(said, 'replay', each.dataset)}")
