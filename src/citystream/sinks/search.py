"""A sink in OpenSearch or Elasticsearch: an index for the events of each dataset, and two that all datasets share.

Neither has transactions. A document's id is its row's key, and the position is written last, so that a delivery that
died is made whole by the next one: all that is behind the old position is written again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import cast

from citystream.catalog.dataset import Dataset
from citystream.errors import ConfigError, SinkError
from citystream.ports import DELIVERED_TABLES, Delivered, Delta, Partition
from citystream.sinks.documents import MONTH, Documents, properties
from citystream.sinks.order import check_order
from citystream.sinks.search_client import Json, Patience, SearchClient, quoted
from citystream.sinks.tabular import DIGEST, table_of

_NAMES = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
#: While an index is filled for the first time nobody reads it, and what is lost is delivered anew.
_FILLING = {"index.refresh_interval": "-1", "index.number_of_replicas": 0}
#: Above the templates that people make for everything.
_PRIORITY = 400
_PAGE = 1000


class SearchSink:
    """Deliveries to ``opensearch://user@host:port/prefix``; the names of all indexes begin with the prefix, which is
    ``citystream`` if none is said. The password is in ``OPENSEARCH_PASSWORD`` or ``ELASTICSEARCH_PASSWORD``.
    """

    def __init__(self, address: str, patience: Patience | None = None) -> None:
        self._client = SearchClient(address, patience or Patience())
        if not _NAMES.fullmatch(self._client.prefix):
            raise ConfigError(
                f"{self._client.shown}: '{self._client.prefix}' cannot begin the name of an index",
                "use small letters, digits, - and _",
            )
        self._positions = f"{self._client.prefix}-delivered"

    def delivered(self, dataset: Dataset) -> Delivered | None:
        """How far it has *dataset*."""
        return _delivered(self._position(dataset))

    def write(self, dataset: Dataset, deltas: Iterable[Delta], delivered: Delivered) -> None:
        """All *deltas*, and then the position; see `ports.Sink`."""
        found = self._position(dataset)
        have = _delivered(found)
        check_order(self._client.shown, dataset, have, delivered)
        for delta in deltas:
            self._prepare(dataset, delta, anew=have is None)
            self._take(dataset, delta)
        indexes = ",".join(self._index(dataset, table) for table in DELIVERED_TABLES)
        if have is None:
            self._client.ask("PUT", f"/{self._index(dataset, 'events')}/_settings", dict.fromkeys(_FILLING))
        self._client.ask("POST", f"/{indexes}/_refresh?ignore_unavailable=true")
        self._note(dataset, delivered, found)

    def clear(self, dataset: Dataset) -> None:
        """Take away everything of *dataset*, its position first."""
        self._client.ask("DELETE", f"/{self._positions}/_doc/{quoted(dataset.name)}?refresh=true", absent={})
        for table in DELIVERED_TABLES:
            self._empty(dataset, table)
        self._client.ask("DELETE", f"/_index_template/{self._index(dataset, 'events')}", absent={})

    def partitions(self, dataset: Dataset, table: str) -> list[Partition]:
        """What it has of one table, by month. A sum is exact for up to four million rows a month, beyond which the
        server's arithmetic rounds.
        """
        index = self._index(dataset, table)
        if not self._client.exists(index):
            return []
        self._client.ask("POST", f"/{index}/_refresh")
        return list(self._months(dataset, index))

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _index(self, dataset: Dataset, table: str) -> str:
        return f"{self._client.prefix}-{table_of(dataset, table)}"

    def _position(self, dataset: Dataset) -> Json:
        """The document that says how far it is, empty if there is none."""
        found = self._client.ask("GET", f"/{self._positions}/_doc/{quoted(dataset.name)}", absent={})
        return found if found.get("found") else {}

    def _prepare(self, dataset: Dataset, delta: Delta, *, anew: bool) -> None:
        """Have the index of *delta*; what a delivery that was not finished left in it is taken away."""
        index, mapping = self._index(dataset, delta.table), properties(delta.schema)
        if anew:
            self._empty(dataset, delta.table)
        template = {"template": {"mappings": {"dynamic": "strict", "properties": mapping}}}
        self._client.ask(
            "PUT", f"/_index_template/{index}", template | {"index_patterns": [index], "priority": _PRIORITY}
        )
        if self._client.exists(index):
            self._client.ask("PUT", f"/{index}/_mapping", {"properties": mapping})
        elif anew or delta.table != "events":
            self._client.ask("PUT", f"/{index}", {"settings": _FILLING if delta.table == "events" else {}})
        else:
            raise SinkError(
                f"{self._client.shown}: the index {index} is gone, and its position is not",
                f"publish {dataset.name} again with --rebuild",
            )

    def _empty(self, dataset: Dataset, table: str) -> None:
        index = self._index(dataset, table)
        if table == "events":
            self._client.ask("DELETE", f"/{index}", absent={})
        elif self._client.exists(index):
            self._client.ask("POST", f"/{index}/_refresh")
            self._client.ask("POST", f"/{index}/_delete_by_query?refresh=true&conflicts=proceed", _of(dataset))

    def _take(self, dataset: Dataset, delta: Delta) -> None:
        index = self._index(dataset, delta.table)
        with closing(Documents(delta.table, delta.schema)) as documents:
            for lines in documents.taken_away(delta.gone):
                self._client.bulk(index, lines)
            for batch in delta.rows:
                for lines in documents.written(batch):
                    self._client.bulk(index, lines)

    def _note(self, dataset: Dataset, delivered: Delivered, found: Json) -> None:
        """The position, unless somebody else wrote one since *found* was."""
        since = f"if_seq_no={found['_seq_no']}&if_primary_term={found['_primary_term']}" if found else "op_type=create"
        said = {
            "dataset": dataset.name,
            "title": dataset.title,
            "kind": dataset.kind,
            "notice": dataset.notice,
            "position": delivered.position,
            "fingerprint": delivered.fingerprint,
        }
        self._client.ask("PUT", f"/{self._positions}/_doc/{quoted(dataset.name)}?refresh=true&{since}", said)

    def _months(self, dataset: Dataset, index: str) -> Iterator[Partition]:
        pages: Json = {"size": _PAGE, "sources": [{"month": {"terms": {"field": MONTH}}}]}
        while True:
            asked = {"months": {"composite": pages, "aggs": {"digest": {"sum": {"field": DIGEST}}}}}
            found = self._client.ask("POST", f"/{index}/_search", {"size": 0, "aggs": asked} | _of(dataset))
            page = cast("dict[str, Json]", found["aggregations"])["months"]
            buckets = cast("list[dict[str, Json]]", page["buckets"])
            for bucket in buckets:
                rows, digest = int(str(bucket["doc_count"])), int(float(str(bucket["digest"]["value"])))
                yield Partition(str(bucket["key"]["month"]), rows, digest)
            if len(buckets) < _PAGE:
                return
            pages["after"] = page["after_key"]


def _of(dataset: Dataset) -> Json:
    return {"query": {"term": {"dataset": dataset.name}}}


def _delivered(found: Json) -> Delivered | None:
    if not found:
        return None
    said = cast("Json", found["_source"])
    return Delivered(int(str(said["position"])), str(said["fingerprint"]))
