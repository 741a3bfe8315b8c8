"""A dataset as its publisher splits it: the sources that a run visits, each with what is remembered of it alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from citystream.app.sources import place
from citystream.catalog.dataset import Source
from citystream.ports import Listing, Page, Visit

#: From which day to which, both included; open where it is None.
Days = tuple[date | None, date | None]


@dataclass(frozen=True, slots=True)
class Part:
    """One source of a dataset, and how its visits are told from those of the others.

    *mark* stands before every cursor of a part in the log; it is made of the days that the part covers, which stay
    when it moves to another address. '' where the dataset is not split: then every visit is its own.
    """

    source: Source
    mark: str = ""

    @property
    def place(self) -> str:
        """Its source as `fetches` names it; '' (any) where the dataset is not split."""
        return place(self.source) if self.mark else ""

    @property
    def days(self) -> Days:
        """The days of which a listing of it tells what is gone; open where the dataset is not split."""
        return (self.source.covers_from, self.source.covers_until) if self.mark else (None, None)

    def marked(self, visit: Visit) -> Visit:
        """*visit*, whose cursors say that they are this part's."""
        return _Marked(visit, self.mark) if self.mark else visit

    def unmarked(self, cursor: str) -> str:
        """A cursor of this part as its portal gave it."""
        return cursor.removeprefix(self.mark)


def parts(sources: tuple[Source, ...]) -> tuple[Part, ...]:
    """The parts that *sources* are, in their order; of several that cover the same days, the first."""
    covers = {(source.covers_from, source.covers_until): source for source in reversed(sources)}
    if len(covers) < 2:
        return tuple(Part(source) for source in covers.values())
    chosen = [source for source in sources if covers[source.covers_from, source.covers_until] is source]
    return tuple(Part(source, f"{source.covers_from or ''}/{source.covers_until or ''} ") for source in chosen)


class _Marked:
    """A visit to a part."""

    def __init__(self, visit: Visit, mark: str) -> None:
        self._visit, self._mark = visit, mark

    @property
    def listing(self) -> Listing:
        """What the portal says; a visit may say less after its last page."""
        return self._visit.listing

    def pages(self) -> Iterator[Page]:
        """Its pages, with marked cursors."""
        for page in self._visit.pages():
            yield replace(page, cursor=self._mark + page.cursor if page.cursor else "")

    def verify(self, received: int) -> str:
        """As the visit says."""
        return self._visit.verify(received)
