"""``citystream publish``: the tables delivered to databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from threading import Thread
from typing import Annotated

import typer

from citystream.app import App
from citystream.app.publishing import Publishing, kind_of, shown
from citystream.cli.grid import Grid
from citystream.cli.invocation import invocation
from citystream.cli.output import put, put_json, put_json_line, say
from citystream.cli.shown import count
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.errors import CitystreamError, ConfigError, SinkError
from citystream.publish import Difference, Published

app = typer.Typer(add_completion=False)

#: Seconds until a sink that failed is tried again: this, then twice as long each time, up to the last.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
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
        list[str],
        typer.Option(metavar="ADDRESS", help="postgresql://, mysql://, opensearch://, s3://, or a folder; repeatable."),
    ],
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
    for address in to:
        kind_of(address)
    opened = App(said.settings())
    names = list(datasets or _all(opened))
    with Stopping() as stopping:
        deliveries = [Deliveries(opened.publishing, address, names, stopping, json=said.json) for address in to]
        if verify:
            differences = [each for delivery in deliveries for each in delivery.verify()]
            raise typer.Exit(_DIFFERS if differences else 0)
        if follow:
            _follow(deliveries, every)
            raise typer.Exit(INTERRUPTED)
        failed = [error for delivery in deliveries if (error := delivery.once(rebuild=rebuild))]
    for error in failed:
        say(f"error: {error}")
    if failed:
        raise typer.Exit(failed[0].exit_code)


def _all(opened: App) -> list[str]:
    with opened.reader() as reader:
        return list(reader.datasets)


def _follow(deliveries: Sequence[Deliveries], every: float) -> None:
    """Each sink in a thread of its own: one that is down holds up no other."""
    threads = [Thread(target=delivery.follow, args=(every,)) for delivery in deliveries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Deliveries:
    """What goes to one *address*."""

    def __init__(
        self, publishing: Publishing, address: str, datasets: Sequence[str], stopping: Stopping, *, json: bool
    ) -> None:
        self._publishing, self._address, self._datasets = publishing, address, datasets
        self._stopping, self._json = stopping, json

    def once(self, *, rebuild: bool = False) -> CitystreamError | None:
        """Every dataset once; the first error, if there was one."""
        failed: CitystreamError | None = None
        for name in self._datasets:
            if self._stopping():
                break
            try:
                self._tell(self._publishing.publish(name, self._address, rebuild=rebuild))
            except SinkError as error:
                failed = failed or error
        return failed

    def follow(self, every: float) -> None:
        """Again and again, until someone says stop."""
        wait = _FIRST_WAIT
        while not self._stopping():
            failed = self.once()
            if failed:
                say(f"{shown(self._address)}: tried again in {wait:.0f} s: {failed.message}")
            self._stopping.sleep(wait if failed else every)
            wait = min(2 * wait, _LONGEST_WAIT) if failed else _FIRST_WAIT

    def verify(self) -> list[Difference]:
        """Where it differs from the store, told."""
        found: list[Difference] = []
        for name in self._datasets:
            differences = self._publishing.verify(name, self._address)
            found += differences
            if self._json:
                put_json(
                    {"sink": shown(self._address), "dataset": name, "differences": [asdict(d) for d in differences]}
                )
            elif differences:
                _show(shown(self._address), name, differences)
            else:
                put(f"{name}: {shown(self._address)} has exactly what the store has")
        return found

    def _tell(self, done: Published) -> None:
        if self._json:
            put_json_line({"sink": shown(self._address), **asdict(done)})
            return
        changed = [f"{count(n)} {table}" for table, n in done.rows.items() if n]
        gone = sum(done.gone.values())
        parts = [*changed, *([f"{count(gone)} taken away"] if gone else [])]
        if parts or done.anew:
            said = f"{', '.join(parts) or 'nothing'}{', anew' if done.anew else ''}, offset {done.position}"
            say(f"{done.dataset} -> {shown(self._address)}: {said}")


def _show(where: str, name: str, differences: Sequence[Difference]) -> None:
    put(f"{name}: {where} differs from the store; make it right with --rebuild")
    rows = [
        [each.table, each.month or "-", each.store.rows if each.store else 0, each.sink.rows if each.sink else 0]
        for each in differences
    ]
    Grid(["table", "month", "rows of the store", "rows of the sink"], rows).show()
