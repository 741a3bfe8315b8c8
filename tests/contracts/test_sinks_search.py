"""The sink of search servers keeps the contract of sinks, on a real OpenSearch."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import date, datetime

import httpx
import pytest

from citystream.catalog.dataset import Dataset
from citystream.sinks.search import SearchSink
from citystream.sinks.tabular import table_of
from tests.contracts.sink_contract import Held, Opened, Row, SinkContract

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z?")


class TestSearchSink(SinkContract):
    """Indexes in OpenSearch."""

    @pytest.fixture
    def opened(self, opensearch: str) -> Opened:
        return lambda: closing(SearchSink(opensearch))

    @pytest.fixture
    def held(self, opensearch: str) -> Held:
        server, _, prefix = opensearch.removeprefix("opensearch+").rpartition("/")

        def reading(about: Dataset, table: str) -> list[Row]:
            index = f"{prefix}-{table_of(about, table)}"
            asked = {"size": 10_000, "query": {"term": {"dataset": about.name}}}
            found = httpx.post(f"{server}/{index}/_search", json=asked, timeout=60).raise_for_status().json()
            documents = [hit["_source"] for hit in found["hits"]["hits"]]
            return [{name: typed(value) for name, value in document.items()} for document in documents]

        return reading


def typed(value: object) -> object:
    """JSON has no times: they are texts."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        return date.fromisoformat(value)
    if isinstance(value, str) and _TIME.fullmatch(value):
        return datetime.fromisoformat(value).replace(tzinfo=None)
    return value
