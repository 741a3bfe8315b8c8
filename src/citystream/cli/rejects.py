"""``citystream rejects``: published rows that are in no table, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from citystream.app import App
from citystream.cli.alerts import known
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json, say
from citystream.conform.reasons import Reason
from citystream.errors import UnknownName
from citystream.registry import nearest
from citystream.store.reader import Reader
from citystream.store.views import quoted

app = typer.Typer(add_completion=False)


@app.command()
def rejects(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="For example chicago/crimes")],
    reason: Annotated[str | None, typer.Option(metavar="R", help="Only rows with this reason.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many rows.")] = 20,
) -> None:
    """Published rows that are in no table: how many for which reason, and the rows themselves."""
    said = invocation(ctx)
    if reason is not None and reason not in list(Reason):
        raise UnknownName(f"no reason is called '{reason}'", nearest(reason, list(Reason)))
    with App(said.settings()).reader() as reader:
        condition = f"dataset = {quoted(known(reader, dataset))}"
        counts = _counts(reader, condition)
        condition += f" AND reason = {quoted(reason)}" if reason else ""
        rows = reader.query(
            f"SELECT log_offset, reason, detail, value FROM rejects WHERE {condition} ORDER BY log_offset LIMIT {limit}"
        ).to_pylist()
    if said.json:
        put_json({"dataset": dataset, "counts": counts, "rows": rows})
        return
    _show(dataset, counts, rows, None if reason is None else reason)


def _counts(reader: Reader, condition: str) -> list[dict[str, Any]]:
    sql = f"SELECT reason, count(*) AS n FROM rejects WHERE {condition} GROUP BY reason ORDER BY n DESC, reason"
    return [{**row, "sentence": _sentence(row["reason"])} for row in reader.query(sql).to_pylist()]


def _sentence(reason: str) -> str:
    return Reason(reason).sentence if reason in list(Reason) else ""


def _show(dataset: str, counts: list[dict[str, Any]], rows: list[dict[str, Any]], reason: str | None) -> None:
    if not counts:
        put(f"{dataset}: nothing was rejected")
        return
    Grid(["reason", "rows", "what it means"], [list(each.values()) for each in counts]).show()
    if rows:
        Grid(list(rows[0]), [list(row.values()) for row in rows], thousands=False).show()
    total = sum(each["n"] for each in counts if reason in (None, each["reason"]))
    if total > len(rows):
        say(f"{total - len(rows)} more rows: --limit {total}")
