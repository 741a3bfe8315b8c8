"""Published column names as they are compared: what portals and spreadsheets do to a name makes no difference.

One column is ``AREA NAME`` in an export, ``area_name`` in the API and ``AREA `` in an older table: case, outer
blanks, and which blanks and signs stand between the words (``Part 1-2``, ``part_1_2``) say nothing.
"""

from __future__ import annotations

import re

_BETWEEN = re.compile(r"[\W_]+")


def folded(column: str) -> str:
    """*column* in small letters, its words joined by ``_``; a name of signs alone stays as it is."""
    plain = column.strip().casefold()
    return _BETWEEN.sub("_", plain).strip("_") or plain
