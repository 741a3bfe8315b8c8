"""Arrow columns of text from numbers, without a Python object for every row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Integers = npt.NDArray[np.int64]


def words(positions: Integers, dictionary: Sequence[str | None]) -> pa.Array:
    """For each of *positions* the word there; -1 stands for no value."""
    indices = pa.array(positions.astype(np.int32), mask=positions < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(dictionary, pa.string())).cast(pa.string())


def numbers(values: Integers) -> pa.Array:
    """Whole numbers as text."""
    return pa.array(values).cast(pa.string())


def floating(us: Integers) -> pa.Array:
    """Times as ``2024-05-01T13:30:00.000``; they are microseconds since 1970."""
    return pc.replace_substring(pa.array(us // 1000, pa.timestamp("ms")).cast(pa.string()), " ", "T")


def stamps(us: Integers) -> pa.Array:
    """Times as ``2024-05-01 13:30:00``."""
    return pa.array(us // 1_000_000, pa.timestamp("s")).cast(pa.string())


def dates(days: Integers) -> pa.Array:
    """Days since 1970 as ``2024-05-01``."""
    return pa.array(days.astype(np.int32)).cast(pa.date32()).cast(pa.string())


def blanked(column: pa.Array, blank: npt.NDArray[np.bool_]) -> pa.Array:
    """*column* without a value where *blank*."""
    return pc.if_else(pa.array(blank), pa.scalar(None, pa.string()), column)


def joined(*parts: pa.Array | str) -> pa.Array:
    """Texts one after the other; no value where a part has none."""
    return pc.binary_join_element_wise(*parts, "")


def clock(minutes: Integers) -> pa.Array:
    """Minutes since midnight as a number of four digits without zeros in front: ``51`` is 00:51, ``0`` midnight."""
    return numbers(minutes // 60 * 100 + minutes % 60)


def decimal(values: Integers, places: int) -> pa.Array:
    """Whole numbers of which the last *places* digits stand behind the point: 917 with 2 is ``9.17``."""
    size, unit = np.abs(values), 10**places
    behind = pc.utf8_lpad(numbers(size % unit), places, "0")
    sign = words((values < 0).astype(np.int64), ["", "-"])
    return joined(sign, numbers(size // unit), ".", behind)


def padded(values: Integers, width: int) -> pa.Array:
    """Whole numbers as text of at least *width* digits."""
    return pc.utf8_lpad(numbers(values), width, "0")


def yes(values: npt.NDArray[np.bool_], no_yes: tuple[str, str] = ("No", "Yes")) -> pa.Array:
    """One of two words."""
    return words(values.astype(np.int64), no_yes)
