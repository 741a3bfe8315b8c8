"""Commands that a person can copy: with the same data folder and settings as this one."""

from __future__ import annotations

import shlex

from citystream.cli.invocation import Invocation


def again(said: Invocation, *words: str) -> str:
    """The command line of *words*, quoted for a shell."""
    options = [f"--data={said.data}"] if said.data else []
    options += [f"--config={said.config}"] if said.config else []
    return shlex.join(["citystream", *options, *words])
