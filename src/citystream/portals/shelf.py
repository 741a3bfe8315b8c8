"""What is remembered about the year files of a dataset from one visit to the next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a server tells one version of a file from another, as it writes it; '' where it does not say."""

    etag: str = ""
    modified: str = ""

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that ask for the file only if it is another one now."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class Shelf:
    """The files that were read whole.

    *files*: year (or '' where there is only one file) -> its stamp; *columns*: the header of the newest; *open*: a
    complete listing was begun and not every file of it was read; *checked*: the day on which all years were last
    asked for.
    """

    files: dict[str, Stamp] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    open: bool = False
    checked: str = ""

    def read(self, year: str, stamp: Stamp) -> Shelf:
        """With one more file."""
        return replace(self, files={**self.files, year: stamp})

    def checked_on(self) -> date:
        """The day on which all years were last asked for, long ago if never."""
        return date.fromisoformat(self.checked) if self.checked else date.min

    def text(self) -> str:
        """As compact JSON, for `Page.cursor`."""
        plain = asdict(self) | {"files": {year: [s.etag, s.modified] for year, s in self.files.items()}}
        return json.dumps(plain, separators=(",", ":"))


def parse(cursor: str) -> Shelf:
    """The shelf in *cursor*; an empty one for '' and for the cursor of another kind of portal."""
    try:
        return _shelf(**json.loads(cursor)) if cursor else Shelf()
    except (ValueError, TypeError, AttributeError):
        return Shelf()


def _shelf(files: Any, columns: Any, open: Any, checked: Any) -> Shelf:  # noqa: A002 - the name of the field
    stamps = {str(year): Stamp(*map(str, pair)) for year, pair in files.items()}
    shelf = Shelf(stamps, tuple(map(str, columns)), bool(open), str(checked))
    shelf.checked_on()
    return shelf
