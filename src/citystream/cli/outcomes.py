"""What a command did to datasets: one line each, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from citystream.app import Outcome
from citystream.cli.grid import Grid
from citystream.cli.output import put_json, say
from citystream.ports import Ledger

COUNTS = tuple(field.name for field in fields(Ledger))


@dataclass(frozen=True, slots=True)
class Done:
    """One *outcome* and the *seconds* it took; *what* is the dataset, or the file that was taken in."""

    what: str
    outcome: Outcome
    seconds: float

    def row(self) -> list[Any]:
        """For the table."""
        changed = change(self.outcome)
        return [self.what, self.outcome.state, *(changed[name] for name in COUNTS), f"{self.seconds:.1f} s"]

    def fields(self) -> dict[str, Any]:
        """For a program."""
        return {
            "what": self.what,
            "dataset": self.outcome.dataset,
            "state": self.outcome.state,
            **change(self.outcome),
            "pending": self.outcome.pending,
            "detail": self.outcome.detail,
            "drift": self.outcome.drift,
            "seconds": round(self.seconds, 3),
            "ledger": asdict(self.outcome.after),
        }


def change(outcome: Outcome) -> dict[str, int]:
    """What this command added to the ledger."""
    before, after = asdict(outcome.before), asdict(outcome.after)
    return {name: after[name] - before[name] for name in COUNTS}


def show(done: Sequence[Done], *, json: bool) -> None:
    """All of them on stdout; what a publisher did unexpectedly on stderr."""
    if json:
        put_json([each.fields() for each in done])
        return
    if done:
        Grid(["", "state", *COUNTS, "time"], [each.row() for each in done]).show()
    for each in done:
        remark(each)


def remark(done: Done) -> None:
    """What is worth a sentence."""
    outcome = done.outcome
    for word, text in (("detail", outcome.detail), ("columns changed", outcome.drift)):
        if text:
            say(f"{done.what}: {word}: {text}")
