"""Publishers' own labels of areas against the outlines, where a place lies in one outline only.

What lies between simplified outlines, or in two, is never filled, so it is not counted here but bounded.
"""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from citystream.catalog.boundary_file import boundary_file
from citystream.conform.polygons import polygons
from citystream.schema import DerivedArea
from tests.published import needs_shared
from tests.unit.test_conform_real import DATA, LIBRARY, conformed

pytestmark = needs_shared

CHICAGO = ("chicago/crimes", "chicago/Crimes_-_2001_to_Present_sample_2025-03.csv")
SEATTLE = ("seattle/crimes", "seattle/SPD_Crime_Data__2008-Present_robbery_etc.csv")
LOS_ANGELES = ("los-angeles/crimes", "los_angeles/Crime_Data_from_2020_to_Present_10k.csv")


@cache
def rows(dataset: str, file: str) -> pa.Table:
    return conformed(DATA / file, dataset).rows


@pytest.mark.parametrize(
    ("where", "area", "agree", "undecided"),
    [
        (CHICAGO, DerivedArea.district, 0.982, 0.02),
        (CHICAGO, DerivedArea.neighbourhood, 0.974, 0.02),
        (SEATTLE, DerivedArea.district, 0.983, 0.02),
        (SEATTLE, DerivedArea.beat, 0.91, 0.03),  # outlines of 2016, from before the beats of 2018
        (SEATTLE, DerivedArea.neighbourhood, 0.94, 0.05),
        (LOS_ANGELES, DerivedArea.district, 0.988, 0.02),
    ],
    ids=lambda said: said[0] if isinstance(said, tuple) else getattr(said, "name", None),
)
def test_labels_agree_with_outlines(where: tuple[str, str], area: DerivedArea, agree: float, undecided: float) -> None:
    table = rows(*where)
    native = pc.equal(pc.bit_wise_and(table["derived_areas"], area.value), 0)
    labelled = table.filter(pc.and_(native, pc.and_(table["lat"].is_valid(), table[area.name].is_valid())))
    assert labelled.num_rows > 9_000
    city = where[0].partition("/")[0]
    path = boundary_file(city, getattr(LIBRARY.get(where[0]).areas, area.name))
    assert path
    found = polygons(path).codes(lon=labelled["lon"].to_numpy(), lat=labelled["lat"].to_numpy())
    assert found.null_count <= undecided * len(found)
    assert pc.mean(pc.equal(labelled[area.name].combine_chunks(), found).cast(pa.int8())).as_py() >= agree


def test_labels_of_seattle_that_are_blank_are_filled() -> None:
    table = rows(*SEATTLE)
    placed = table.filter(table["lat"].is_valid())
    filled = {area.name: _count(pc.bit_wise_and(placed["derived_areas"], area.value)) for area in DerivedArea}
    assert filled == {"district": 23, "beat": 22, "neighbourhood": 62}
    blank = table.filter(table["lat"].is_null())
    assert _count(blank["derived_areas"]) == 0


def _count(bits: pa.ChunkedArray) -> int:
    return int(pc.sum(pc.not_equal(bits, 0)).as_py())
