"""Topics of Kafka in which somebody else publishes records, as JSON objects.

In a city file::

    { portal = "kafka", url = "kafka://broker:9092/crimes", key_column = "message_key", rejects = true }

A visit reads from where the one before ended up to where the topic ends when it begins. The cursor has the offset of
each partition and is kept in the log with the records, so that nothing is lost or read twice, whatever dies; no offset
is committed to Kafka. A topic says only what is new: that a record is gone it does not say, and its tombstones are rows
that cannot be read. What a broker removed before it was read, and a topic that was made again, are said.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from citystream.brokers.kafka import PATIENCE, Kafka, Topic, read_address
from citystream.brokers.kafka_reader import TopicReader
from citystream.catalog.dataset import Dataset, Source
from citystream.catalog.look import Look
from citystream.errors import CitystreamError, PortalError
from citystream.feeds.messages import Decoded, decoded
from citystream.feeds.topic_rejects import Rejects
from citystream.feeds.topic_visit import Stretch, TopicVisit
from citystream.feeds.vector import Vector, parse
from citystream.portals.looking import sampled
from citystream.schema import UNREADABLE

#: How many of the newest messages tell which columns there are.
_LOOKED_AT: Final = 200


class KafkaFeed:
    """Topics of Kafka; connections are kept for the next visit. *client* and *token* are for other kinds of portals;
    *page_size*: messages per page; *patience*: seconds until a broker that is silent has failed.
    """

    def __init__(
        self, client: object = None, token: str = "", page_size: int = 50_000, *, patience: float = PATIENCE
    ) -> None:
        del client, token
        self._page_size, self._patience = page_size, patience
        self._clusters: dict[str, Kafka] = {}
        self._readers: dict[str, TopicReader] = {}
        self._rejects: dict[str, Rejects] = {}

    def visit(self, dataset: Dataset, source: Source, cursor: str, *, full: bool, overlap: bool) -> TopicVisit:
        """What came since *cursor*, or with *full* all that is still there; *overlap* means nothing here.

        Raises `PortalError`: also if the topic is another one than that of the cursor, unless *full* is said.
        """
        del overlap
        if dataset.columns.event_id.counter:
            raise PortalError(
                f"{source.url}: equal rows of {dataset.name} are numbered within a listing, and a topic is none",
                "give its event_id columns that differ, without counter",
            )
        cluster = self._cluster(source)
        topic = _found(cluster)
        begin, end = cluster.beginnings(topic), cluster.ends(topic)
        before = None if full else parse(cursor)
        if before:
            _check(before, topic, end, dataset, cluster)
        stretch = Stretch.after(before, begin, end)
        reader = self._reader(source, cluster, topic)
        return TopicVisit(
            reader, stretch, source.key_column, self._page_size, self._copying(source, cluster), full=full
        )

    def look(self, source: Source, rows: int) -> Look:
        """The columns that the newest messages have, and *rows* of them as a sample. Raises `PortalError`."""
        cluster = self._cluster(source)
        topic = _found(cluster)
        ends = cluster.ends(topic)
        start = [
            max(first, end - max(rows, _LOOKED_AT)) for first, end in zip(cluster.beginnings(topic), ends, strict=True)
        ]
        reader = TopicReader(cluster, topic)
        try:
            found = [decoded(messages, source.key_column) for messages in reader.read(start, ends, self._page_size)]
        finally:
            reader.close()
        return _seen(source, found, rows)

    def _reader(self, source: Source, cluster: Kafka, topic: Topic) -> TopicReader:
        """The open reader of a source; a new one where there is none, or where it is of another topic."""
        known = self._readers.get(source.url)
        if known and known.topic == topic and not known.broken:
            return known
        if known:
            known.close()
        self._readers[source.url] = TopicReader(cluster, topic)
        return self._readers[source.url]

    def _copying(self, source: Source, cluster: Kafka) -> Rejects | None:
        """Where messages that are no rows are copied to, if the source says so."""
        if source.rejects and source.url not in self._rejects:
            self._rejects[source.url] = Rejects(cluster)
        return self._rejects.get(source.url)

    def _cluster(self, source: Source) -> Kafka:
        if not source.url:
            raise PortalError(
                "a source in Kafka needs an address", 'say url = "kafka://broker:9092/topic" in the city file'
            )
        if source.url not in self._clusters:
            self._clusters[source.url] = Kafka(read_address(source.url, os.environ), _failure, patience=self._patience)
        return self._clusters[source.url]


def _found(cluster: Kafka) -> Topic:
    name = cluster.address.prefix
    topic = cluster.topic(name)
    if topic is None:
        raise PortalError(
            f"{cluster.address.shown}: there is no topic {name}",
            "check its name in the city file; it is not made here, because somebody else writes to it",
            url=cluster.address.shown,
            status=404,
        )
    return topic


def _check(before: Vector, topic: Topic, ends: Sequence[int], dataset: Dataset, cluster: Kafka) -> None:
    """Raises `PortalError` if what *before* counted is not what is there."""
    what = ""
    if before.topic != topic.id:
        what = "was deleted and made again since it was read: its offsets have begun anew"
    elif shrunk := [n for n, (at, end) in enumerate(zip(before.next, ends, strict=False)) if at > end]:
        what = ", ".join(f"partition {n} ends at {ends[n]} and was read up to {before.next[n]}" for n in shrunk)
    if what:
        raise PortalError(
            f"{cluster.address.shown}: topic {topic.name} {what}",
            f"ask its owner what was lost, then read all that is there: citystream run --full {dataset.name} "
            "(what is here already is counted once)",
            url=cluster.address.shown,
        )


def _seen(source: Source, found: Sequence[Decoded], rows: int) -> Look:
    """What the newest messages look like."""
    columns: dict[str, str] = {}
    for each in found:
        columns |= {name: "text" for name in each.rows.column_names if name != UNREADABLE}
    poison = sum(len(each.poison) for each in found)
    remarks = (f"{poison} of the newest messages are no rows: {found[0].poison[0].why}",) if poison else ()
    sample = found[-1].rows.slice(0, rows) if found and rows else None
    return Look(source.url, columns, sample=sampled(sample) if sample is not None else {}, remarks=remarks)


def _failure(what: str, hint: str, passing: bool) -> CitystreamError:
    del passing  # a portal is asked again either way
    return PortalError(what, hint)
