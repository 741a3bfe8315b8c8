"""Public tables that no publisher's log is the source of: residents and areas of the store's cities, and rates.

They are made in a reader's memory, and only when a question names one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict

import duckdb
import pyarrow as pa

from citystream.catalog.dataset import Dataset
from citystream.catalog.districts import load_districts
from citystream.catalog.population import load_population
from citystream.store.tables import statement

#: Residents by year, and the areas that publishers count by.
REFERENCES = ("populations", "districts")
#: Counts over residents; as of a date like the counts.
RATES = "rates"

_NAMED = re.compile(rf"\b({'|'.join((*REFERENCES, RATES))})\b", re.IGNORECASE)
_POPULATIONS = pa.schema(
    [
        *(("city", pa.string()), ("year", pa.int64()), ("residents", pa.int64())),
        *(("kind", pa.string()), ("status", pa.string())),
    ]
)
_DISTRICTS = pa.schema(
    [
        *(("city", pa.string()), ("scheme", pa.string()), ("code", pa.string()), ("name", pa.string())),
        *(("parent", pa.string()), ("km2", pa.float64()), ("residents", pa.int64())),
        *(("lat", pa.float64()), ("lon", pa.float64())),
    ]
)


def are_named(sql: str) -> bool:
    """Whether *sql* may ask for one of these tables."""
    return _NAMED.search(sql) is not None


def create_references(connection: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> None:
    """Make the tables `REFERENCES`, temporary, for the cities of *datasets*, named as their events name them."""
    cities = {name.partition("/")[0]: dataset.city.city for name, dataset in datasets.items()}
    listed = {
        "populations": (_POPULATIONS, [asdict(each) for each in load_population() if each.city in cities]),
        "districts": (_DISTRICTS, [asdict(each) for each in load_districts() if each.city in cities]),
    }
    for name, (shape, rows) in listed.items():
        named = [row | {"city": cities[row["city"]], "parent": row.get("parent") or None} for row in rows]
        connection.register("listed", pa.Table.from_pylist(named, shape))
        connection.execute(f"CREATE TEMP TABLE {name} AS FROM listed")
        connection.unregister("listed")


def create_rates(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the view `RATES`, temporary, over the counts as they are known now or at the reader's point of the past."""
    connection.execute(statement("rates"))
