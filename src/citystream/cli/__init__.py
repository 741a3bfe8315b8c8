"""The command line: one file per command, each imported only when it is asked for.

Results go to stdout, everything else to stderr. Exit codes: 0 ok, 2 wrong use, 3 a portal failed, 4 storage failed,
130 after Ctrl-C; 1 is a bug of ours.
"""

from __future__ import annotations

from citystream.cli.group import root


def main(arguments: list[str] | None = None) -> None:
    """Run the command that *arguments* (those of the process, if None) name; always raises `SystemExit`."""
    root()(arguments, prog_name="citystream")
