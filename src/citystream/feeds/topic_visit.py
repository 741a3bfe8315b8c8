"""One visit to a topic: what lies between where the last one ended and where the topic ended when this one began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from citystream.brokers.kafka_reader import TopicReader
from citystream.feeds.messages import decoded
from citystream.feeds.topic_rejects import Rejects
from citystream.feeds.vector import Vector
from citystream.ports import Listing, Page


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is read, by partition: from *start* to before *end*; *lost*: how many offsets before that are gone."""

    start: tuple[int, ...]
    end: tuple[int, ...]
    lost: tuple[int, ...]

    @classmethod
    def after(cls, before: Vector | None, begin: Sequence[int], end: Sequence[int]) -> Stretch:
        """On from *before*, or from where the topic *begin*s; a partition that is new is read from its beginning."""
        read = before.next if before else ()
        wanted = [*read, *begin[len(read) :]]
        start = [max(at, first) for at, first in zip(wanted, begin, strict=True)]
        lost = [at - due for at, due in zip(start, wanted, strict=True)]
        return cls(tuple(start), tuple(end), tuple(lost))


class TopicVisit:
    """A `Visit` to a topic. It does not say how many messages there are: offsets are more than messages."""

    def __init__(
        self,
        reader: TopicReader,
        stretch: Stretch,
        key_column: str,
        page_size: int,
        rejects: Rejects | None,
        *,
        full: bool,
    ) -> None:
        self._reader, self._stretch = reader, stretch
        self._key_column, self._page_size, self._rejects = key_column, page_size, rejects
        self._received = 0
        self._ended = stretch.start == stretch.end
        self.listing = Listing({}, None, None, False, "full" if full else "incremental")

    def pages(self) -> Iterator[Page]:
        """Pages in the order of each partition; the cursor of each is where to go on after it."""
        for messages in self._reader.read(self._stretch.start, self._stretch.end, self._page_size):
            made = decoded(messages, self._key_column)
            if made.poison and self._rejects:
                self._rejects.copy(messages, made.poison)
            self._received += made.rows.num_rows
            yield Page(made.rows, Vector(self._reader.topic.id, tuple(self._reader.at)).text())
        self._ended = True

    def verify(self, received: int) -> str:
        """'' if *received* is what came and nothing was removed from the topic before it was read."""
        home = f"topic {self._reader.topic.name}"
        if not self._ended:
            return f"{home} was not read to its end"
        if received != self._received:
            return f"{home}: {self._received} messages came, {received} were received"
        lost = [f"{count} of partition {number}" for number, count in enumerate(self._stretch.lost) if count]
        if lost:
            return (
                f"{home}: offsets were removed before they were read: {', '.join(lost)}; what was in them is missing "
                "here: have it sent again, and keep messages for longer than the longest pause"
            )
        return ""
