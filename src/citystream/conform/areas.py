"""Labels of areas that a publisher left blank, from the position that it published, and marked as made so.

The publisher's own label always stands, also where an outline says otherwise: outlines have other editions, and
positions are only good to the block. Nothing is filled whose position is withheld, missing or itself an area's.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from citystream.catalog.boundary_file import boundary_file
from citystream.catalog.dataset import Dataset
from citystream.conform.mapping import row_hash
from citystream.conform.statement import Statement
from citystream.registry import load_path
from citystream.schema import DerivedArea, PlacePrecision

Mask = npt.NDArray[np.bool_]


class BlankAreas:
    """Fills blank labels of *dataset* where the outlines of its `Areas` are known; *engine* makes the hashes."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
        self._engine = engine
        self._dataset = dataset
        self._files = _outlines(dataset)
        self._hashes: Statement | None = None

    def filled(self, rows: pa.Table) -> pa.Table:
        """*rows* of the SELECT of `mapping`, with labels, ``derived_areas`` and the row hash of what was filled."""
        open_to = [label for label in self._files if rows[label].null_count]
        if not open_to:
            return rows
        known, placed = rows, _placed(rows)
        derived = np.zeros(rows.num_rows, np.uint8)
        for label in open_to:
            blank = placed & known[label].is_null().to_numpy()
            if blank.any():
                found = self._found(label, known.filter(pa.array(blank)))
                filled = np.flatnonzero(blank)[found.is_valid().to_numpy(zero_copy_only=False)]
                derived[filled] |= DerivedArea[label].value
                rows = _replaced(rows, label, pa.array(blank), found)
        return self._marked(rows, derived) if derived.any() else known

    def _found(self, label: str, rows: pa.Table) -> pa.Array:
        polygons = load_path("citystream.conform.polygons:polygons")(self._files[label])
        return polygons.codes(lon=rows["lon"].to_numpy(), lat=rows["lat"].to_numpy())

    def _marked(self, rows: pa.Table, derived: npt.NDArray[np.uint8]) -> pa.Table:
        changed = pa.array(derived != 0)
        rows = rows.set_column(rows.column_names.index("derived_areas"), "derived_areas", pa.array(derived))
        some = rows.filter(changed)
        if self._hashes is None:
            sql = f"SELECT {row_hash(self._dataset)} AS h FROM filled"
            self._hashes = Statement(self._engine, sql, "filled", some)
        return _replaced(rows, "h", changed, self._hashes.run(some)["h"].combine_chunks())


def _outlines(dataset: Dataset) -> dict[str, Path]:
    """Where the outlines are of those areas that the publisher labels, if it publishes positions too."""
    city = dataset.name.partition("/")[0]
    found = {}
    for label in DerivedArea.__members__ if dataset.columns.placed else ():
        path = boundary_file(city, getattr(dataset.areas, label))
        if path and getattr(dataset.columns, label):
            found[label] = path
    return found


def _placed(rows: pa.Table) -> Mask:
    """Which of *rows* have a position that is finer than an area."""
    finer = pc.less(rows["place_precision"], PlacePrecision.area.value)
    return np.asarray(pc.and_(rows["lat"].is_valid(), finer.fill_null(False)).to_numpy())


def _replaced(rows: pa.Table, name: str, where: pa.Array, values: pa.Array) -> pa.Table:
    column = pc.replace_with_mask(rows[name].combine_chunks(), where, values)
    return rows.set_column(rows.column_names.index(name), name, column)
