"""``python -m citystream.cli`` is the command line."""

from __future__ import annotations

from citystream.cli import main

if __name__ == "__main__":
    main()
