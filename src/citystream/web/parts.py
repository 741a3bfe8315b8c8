"""An answer with many numbers: a head of names and figures, and views; as JSON, or as one block of 32-bit numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from citystream.web.columns import Integers

#: The content type of the binary form.
BLOCK: Final = "application/vnd.citystream.block"


@dataclass(frozen=True, slots=True)
class View:
    """*counts* by number of value, leaving out the filters *own*; of complete days *compared* and *before*; *first*:
    the day of the first number, of days; *names* if they were asked for.
    """

    own: tuple[str, ...]
    counts: Integers
    compared: Integers | None = None
    before: Integers | None = None
    first: str | None = None
    names: tuple[str | None, ...] | None = None

    def numbers(self) -> dict[str, Integers | None]:
        """Its rows of numbers."""
        return {"counts": self.counts, "compared": self.compared, "before": self.before}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `docs/http.md` has the form."""

    head: dict[str, object]
    views: Mapping[str, View]
    key: str = "views"
    more: dict[str, object] = field(default_factory=dict)

    def json(self) -> bytes:
        """All in JSON."""
        views = {
            name: _said(view) | {key: each.tolist() for key, each in view.numbers().items() if each is not None}
            for name, view in self.views.items()
        }
        return json.dumps(self.head | self.more | {self.key: views}, ensure_ascii=False).encode()

    def block(self) -> bytes:
        """The head in JSON, and all numbers as little-endian Int32 behind it."""
        at, arrays, views = 0, [], {}
        for name, view in self.views.items():
            views[name] = _said(view)
            for key, each in view.numbers().items():
                if each is not None:
                    views[name][key] = {"at": at, "n": len(each)}
                    arrays.append(each.astype("<i4"))
                    at += len(each)
        head = json.dumps(self.head | self.more | {self.key: views}, ensure_ascii=False).encode()
        head += b" " * (-len(head) % 4)
        return b"".join([np.array([len(head)], "<i4").tobytes(), head, *(each.tobytes() for each in arrays)])


def _said(view: View) -> dict[str, object]:
    said: dict[str, object] = {"own": list(view.own)}
    if view.first is not None:
        said["first"] = view.first
    if view.names is not None:
        said["names"] = list(view.names)
    return said
