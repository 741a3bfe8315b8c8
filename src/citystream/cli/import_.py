"""``citystream import``: exports that are already here."""

from __future__ import annotations

import codecs
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from citystream.app import App
from citystream.catalog.dataset import Dataset
from citystream.catalog.measures import READING
from citystream.cli import outcomes
from citystream.cli.again import again
from citystream.cli.invocation import Invocation, invocation
from citystream.cli.outcomes import Done
from citystream.cli.output import say, suggest
from citystream.cli.progress import Bars
from citystream.cli.shown import count
from citystream.cli.stopping import INTERRUPTED, Stopping
from citystream.errors import CitystreamError, ConfigError, FileRefused
from citystream.portals.files import looks_like

app = typer.Typer(add_completion=False)


@app.command()
def import_(
    ctx: typer.Context,
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="For example chicago/crimes; all: citystream datasets")
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help=".csv .json .geojson .parquet, .gz .zst, in the order of their age"),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of text files.")] = "utf-8",
    complete: Annotated[
        bool, typer.Option("--complete", help="Each file has all records: what it lacks is gone.")
    ] = False,
) -> None:
    """Take in published files you already have.

    Each file is kept whole or not at all. Importing one twice changes nothing. Without files, an import that was
    stopped is brought to its end.
    """
    said = invocation(ctx)
    _check(encoding)
    with Stopping() as stopping, Bars(stopping, quiet=said.json) as bars:
        found = App(said.settings(), watch=bars.watch)
        intake = _Import(found, found.library.get(dataset), encoding, complete, bars)
        done = intake.take(files or [], stopping)
    outcomes.show(done, json=said.json)
    if intake.failed:
        _say_kept(done)
        raise intake.failed
    if stopping():
        _say_how_to_go_on(said, dataset, done[-1], intake.left)
        raise typer.Exit(INTERRUPTED)
    if complete and any(each.outcome.state == "refused" for each in done):
        raise typer.Exit(FileRefused.exit_code)
    if not said.json:
        suggest(_questions(said, found.library.get(dataset), done[-1]))


@dataclass
class _Import:
    """Files on their way in; *left* are those that are not in the log, *failed* is what ended it."""

    app: App
    dataset: Dataset
    encoding: str
    complete: bool
    bars: Bars
    left: Sequence[Path] = ()
    failed: CitystreamError | None = None

    def take(self, files: Sequence[Path], stopping: Stopping) -> list[Done]:
        """Import one after the other, until one fails or someone says stop."""
        if not files:
            return [self._one(None)]
        done: list[Done] = []
        for place, path in enumerate(files):
            before = self.app.log(self.dataset).end()
            try:
                done.append(self._one(path, more=place + 1 < len(files)))
            except CitystreamError as error:
                self.failed = error
                break
            if stopping():
                kept = self.app.log(self.dataset).end() > before
                self.left = files[place + kept :]
                break
        return done

    def _one(self, path: Path | None, *, more: bool = False) -> Done:
        began = time.monotonic()
        self.bars.about(path.name if path else self.dataset.name)
        try:
            outcome = self.app.import_files(
                self.dataset.name,
                [path] if path else [],
                encoding=self.encoding,
                complete=self.complete,
                more=more,
            )
        except FileRefused as error:
            raise self._recognised(error, path) from error
        return Done(str(path or self.dataset.name), outcome, time.monotonic() - began)

    def _recognised(self, error: FileRefused, path: Path | None) -> FileRefused:
        """*error*, and of which dataset the file looks, if it is another one."""
        if path is None or not path.is_file():
            return error
        names = looks_like(path, self.app.library.datasets.values(), encoding=self.encoding)
        if not names or self.dataset.name in names:
            return error
        hint = f"it looks like {' or '.join(names)}: citystream import {names[0]} {path}"
        return FileRefused(error.message, hint)


def _check(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise ConfigError(f"there is no encoding '{encoding}'", "for example --encoding cp1252") from error


def _say_kept(done: Sequence[Done]) -> None:
    if done:
        say(f"the {count(len(done))} file(s) above were taken in")


def _say_how_to_go_on(said: Invocation, dataset: str, last: Done, left: Sequence[Path]) -> None:
    pending = last.outcome.pending
    if pending:
        say(f"stopped: {count(pending)} records are in the log and not in the tables yet")
    if left:
        say(f"stopped: nothing of {left[0]} was kept" + (f", nor of {len(left) - 1} more" if left[1:] else ""))
    say(f"go on with: {again(said, 'import', dataset, *map(str, left))}")


def _questions(said: Invocation, dataset: Dataset, last: Done) -> list[str]:
    asked = [again(said, "status", dataset.name), again(said, "query", _overview(dataset))]
    if last.outcome.after.rejected:
        asked.append(again(said, "rejects", dataset.name))
    return asked


def _overview(dataset: Dataset) -> str:
    """A first question about what was taken in."""
    if dataset.kind == READING:
        return (
            "SELECT measure, unit, count(value) AS n, min(value) AS least, max(value) AS greatest FROM readings "
            f"WHERE dataset = '{dataset.name}' GROUP BY ALL ORDER BY measure"
        )
    return (
        f"SELECT date_trunc('month', occurred_local)::DATE AS month, count(*) AS n FROM {dataset.table} "
        "GROUP BY 1 ORDER BY 1 DESC LIMIT 12"
    )
