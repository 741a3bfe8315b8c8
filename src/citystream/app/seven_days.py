"""What surge's model expects of the cells of a week table, from what happened before the week; see
`citystream.detect.seven_days`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from citystream.app.completeness import Known, incidents
from citystream.detect.arrays import Floats
from citystream.detect.seven_days import DAYS_SILENT, ExpectedWeek, PastDays, SevenDays
from citystream.detect.weekly import Plain
from citystream.errors import ConfigError
from citystream.ports import Integers
from citystream.store.reader import Reader

Names = npt.NDArray[np.str_]
_DAY = timedelta(days=1)
_EPOCH = date(1970, 1, 1)
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Asked:
    """The *cells* of a table, (type, district), whose district is blank where a row is of the whole city; its *monday*;
    the *first* day that counts, and the *holes* between, which are missing.
    """

    monday: date
    first: date
    holes: frozenset[date]
    cells: tuple[tuple[str, str], ...]


def expected_by_surge(reader: Reader, known: Known, asked: Asked) -> tuple[Plain, int]:
    """What is expected of each of the cells, in their order, and by how many days before. Raises `ConfigError` if there
    are fewer than seven.
    """
    days = (asked.monday - asked.first).days - len([each for each in asked.holes if each < asked.monday])
    if days < DAYS_SILENT:
        raise ConfigError(
            f"{known.dataset.name}: only {days} days before the week from {asked.monday} have records (since "
            f"{asked.first}), too few to know what is usual",
            "import older files, or see citystream alerts",
        )
    found = reader.query(
        f"SELECT day, CASE WHEN timed THEN half_hour ELSE {_UNKNOWN} END AS half_hour, type, "
        "coalesce(district, '') AS district, count(*) AS n "
        f"FROM ({incidents(known.dataset, asked.first, asked.monday - _DAY)}) GROUP BY ALL"
    )
    share = np.array([known.of_day(asked.monday + each * _DAY)[0] for each in range(7)])
    types, districts = (np.array([cell[which] for cell in asked.cells], np.str_) for which in (0, 1))
    mean, size = np.zeros((2, len(asked.cells)))
    # rows of the whole city borrow no strength from those of districts
    for part in (districts == "", districts != ""):
        if part.any():
            week, cells = _of_part(found, asked, (types[part], districts[part]), share)
            mean[part], size[part] = week.mean[cells], week.size[cells]
    return Plain(mean, size), days


def _of_part(
    found: pa.Table, asked: Asked, cells: tuple[Names, Names], share: Floats
) -> tuple[ExpectedWeek, tuple[Integers, Integers]]:
    """What is expected of all pairs of the types and districts of *cells*, and where the cells are in that."""
    (types, kind), (districts, place) = (np.unique(each, return_inverse=True) for each in cells)
    missing = frozenset((each - _EPOCH).days for each in asked.holes)
    first, monday = ((each - _EPOCH).days for each in (asked.first, asked.monday))
    of = SevenDays(len(districts), len(types))
    past = _past(found, types, districts)
    return of.expect(past, first=first, monday=monday, missing=missing, share=share), (place, kind)


def _past(found: pa.Table, types: Names, districts: Names) -> PastDays:
    """The rows of *found* that are of *types* and, unless that is the whole city, of *districts*."""
    kind = pc.index_in(found["type"], pa.array(types.tolist())).fill_null(_UNKNOWN)
    whole = pa.chunked_array([pa.repeat("", len(found))]) if districts.tolist() == [""] else found["district"]
    district = pc.index_in(whole, pa.array(districts.tolist())).fill_null(_UNKNOWN)
    day = found["day"].cast(pa.int32())
    columns = (day, found["half_hour"], district, kind, found["n"])
    rows = PastDays(*(np.asarray(each.to_numpy(), np.int64) for each in columns))
    return rows.take((rows.type >= 0) & (rows.district >= 0))
