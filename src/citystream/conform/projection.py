"""Published positions in any coordinate system, as degrees (WGS84).

It comes before the SELECT of `mapping`, so that what is outside the city, the row hash and all else see degrees.
(0, 0) stays what it is: a publisher who writes it means that there is none. A pair outside the reach of its system
becomes infinite, and counts as unreadable. Degrees are rounded to 7 decimals (a centimetre): the last bits differ from
one build of PROJ to the next, and a row must not change by them.
"""

from __future__ import annotations

from functools import cache

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyproj import Transformer

from citystream.catalog.rules import Mapping
from citystream.conform import places
from citystream.conform.statement import Statement
from citystream.conform.texts import Inputs

Floats = npt.NDArray[np.float64]

DECIMALS = 7


def to_degrees(crs: str, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Longitudes and latitudes of eastings *x* and northings *y*, in units of *crs*."""
    lon, lat = _transformer(crs).transform(x, y)
    nowhere = (x == 0) & (y == 0)
    lon, lat = (np.where(nowhere, 0.0, np.round(each, DECIMALS)) for each in (lon, lat))
    return lon, lat


@cache
def _transformer(crs: str) -> Transformer:
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


class Projection:
    """Adds degrees to batches whose columns *inputs* knows, where *mapping* names a coordinate system."""

    def __init__(
        self, engine: duckdb.DuckDBPyConnection, mapping: Mapping, inputs: Inputs, name: str, table: pa.Table
    ) -> None:
        self._systems = mapping.systems
        ways = places.published(mapping)
        numbers = [sql for way in self._systems for sql in ways[way]]
        texts = {f"t_{each}": inputs.first(rule.column) for each, rule in mapping.positions.items()}
        columns = ", ".join(f"{sql} AS n{place}" for place, sql in enumerate(numbers))
        source = ", ".join(f"{sql} AS {text}" for text, sql in texts.items())
        self._numbers = Statement(engine, f"SELECT {columns} FROM (SELECT {source} FROM {name})", name, table)

    def __call__(self, table: pa.Table) -> pa.Table:
        """*table* and, for each way in which positions come projected, ``lat_<way>`` and ``lon_<way>``."""
        numbers = self._numbers.run(table)
        for place, (way, crs) in enumerate(self._systems.items()):
            y, x = (numbers[f"n{2 * place + axis}"].fill_null(np.nan).to_numpy() for axis in (0, 1))
            unknown = np.isnan(x) | np.isnan(y)
            lon, lat = to_degrees(crs, x, y)
            for name, values in zip(places.projected(way), (lat, lon), strict=True):
                table = table.append_column(name, pa.array(values, mask=unknown))
        return table
