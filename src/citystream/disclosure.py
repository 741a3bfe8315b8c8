"""What may be kept and what may leave: redaction before anything is written, notices, and who gets a point.

Precision that a person's safety needs is taken away once and for all at ingest; nothing here gives any back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from citystream.catalog.dataset import Dataset
from citystream.catalog.naming import folded
from citystream.registry import load_path
from citystream.schema import PlacePrecision

#: What follows a house number and belongs to it: a range, a half, a letter.
_REST = r"(?:\s*-\s*\d+|\s+\d/\d)?(?:-?[A-Za-z])?"
_LONG = rf"^\s*0*(\d+)\d\d{_REST}\s+(.*\S)\s*$"
_SHORT = rf"^\s*\d\d?{_REST}\s+(.*\S)\s*$"
#: Hundred blocks already, and freeways, which have the house number 0.
_NO_HOUSE = r"(?i)^\s*(\d+ block of |0+(\s*-\s*0+)?\s)"
_UNIT = r"(?i)\s*(,?\s*#|,?\s+(apt|unit|ste|suite|rm)\b).*$"
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_NO_POINT = (PlacePrecision.withheld, PlacePrecision.missing)
_METRES_PER_DEGREE = 111_320.0


def redact(dataset: Dataset, rows: pa.Table) -> pa.Table:
    """*rows* as published, without what *dataset*'s ingest rule says must not be kept. Columns in any case.

    Addresses become hundred blocks (``904 7th Av`` -> ``900 block of 7th Av``; intersections stay), degrees are
    rounded, dropped columns are gone. Text that is no number loses nothing, because it is no position. A coordinate in
    feet or metres is rounded to at least the distance that degrees are rounded to.
    """
    rule = dataset.ingest
    rows = rows.drop_columns(_matching(rows, rule.untaken))
    rows = _changed(rows, rule.block_address, _blocks)
    for column in rule.round_position:
        rows = _changed(rows, (column,), partial(_rounded, step=_step(dataset, column), decimals=rule.decimals))
    return rows


def personal(dataset: Dataset) -> list[str]:
    """The attributes of *dataset* that are made of optional columns: they are there if taken, and never leave."""
    optional = {folded(name) for name in dataset.ingest.optional}
    return [name for name, rule in dataset.attributes.items() if optional.intersection(map(folded, rule.column))]


def taking_changed(before: Dataset, now: Dataset) -> str:
    """What a replay does about columns that are taken now and were not *before*, or no longer; '' if none are."""
    had, has = before.ingest.untaken, now.ingest.untaken
    optional = {folded(name): name for name in (*before.ingest.optional, *now.ingest.optional)}
    new = [name for key, name in optional.items() if key in had - has]
    gone = [name for key, name in optional.items() if key in has - had]
    said = []
    if new:
        said.append(
            f"{', '.join(new)}: taken from now on; what was read before was never kept, so older records have none "
            "until the publisher's rows are read again"
        )
    if gone:
        said.append(
            f"{', '.join(gone)}: no longer taken, and gone from the tables; the log still has what was taken: remove "
            "the log to be rid of it"
        )
    return "; ".join(said)


def notices(datasets: Iterable[Dataset]) -> list[str]:
    """The publishers' notices that an export of *datasets* must carry, each once, in order."""
    said = (each.notice or f"{each.title}, {each.city.city}: licence not stated by the publisher." for each in datasets)
    return list(dict.fromkeys(said))


def public_points(*, codes: bool = False, prefix: str = "") -> str:
    """SQL condition for events that may be shown as a point.

    Not for sensitive offences, not for domestic ones, and not where no position was published. *codes*:
    ``place_precision`` has numbers as in conformed rows, not words as in the public tables; *prefix*: before each
    column, like ``e.``.
    """
    hidden = ", ".join(str(each.value) if codes else f"'{each.name}'" for each in _NO_POINT)
    return (
        f"({prefix}lat IS NOT NULL AND {prefix}place_precision NOT IN ({hidden}) "
        f"AND NOT coalesce({prefix}sensitive, true) AND {prefix}domestic IS NOT TRUE)"
    )


def _matching(rows: pa.Table, names: Iterable[str]) -> list[str]:
    wanted = {folded(name) for name in names}
    return [column for column in rows.column_names if folded(column) in wanted]


def _changed(rows: pa.Table, names: Iterable[str], change: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> pa.Table:
    for column in _matching(rows, names):
        place = rows.column_names.index(column)
        rows = rows.set_column(place, column, change(rows[column].cast(pa.string())))
    return rows


def _blocks(addresses: pa.ChunkedArray) -> pa.ChunkedArray:
    """Hundred blocks; what has no house number, as an intersection, stays."""
    bare = pc.replace_substring_regex(addresses, _UNIT, "")
    long = pc.replace_substring_regex(bare, _LONG, r"\100 block of \2")  # group 1, then 00
    short = pc.replace_substring_regex(bare, _SHORT, r"0 block of \1")
    blocks = pc.if_else(pc.match_substring_regex(bare, _LONG), long, short)
    return pc.if_else(pc.match_substring_regex(bare, _NO_HOUSE), bare, blocks)


def _step(dataset: Dataset, column: str) -> int:
    """How many feet or metres are as much as the decimals of degrees that are kept; 0 for a column of degrees."""
    for rule in (dataset.columns.lat, dataset.columns.lon):
        if rule and rule.crs and folded(column) in {folded(name) for name in rule.column}:
            unit = load_path("citystream.catalog.crs:metres")(rule.crs)
            return math.ceil(_METRES_PER_DEGREE / 10**dataset.ingest.decimals / unit) if unit else 0
    return 0


def _rounded(texts: pa.ChunkedArray, step: int, decimals: int) -> pa.ChunkedArray:
    """Numbers rounded to *step*, or else to *decimals*; words stay, and any other text with digits is taken away, since
    it cannot be rounded.
    """
    number = pc.match_substring_regex(texts, _NUMBER)
    exact = pc.utf8_trim_whitespace(pc.if_else(number, texts, pa.scalar(None, pa.string()))).cast(pa.float64())
    rounded = pc.round_to_multiple(exact, float(step)) if step else pc.round(exact, ndigits=decimals)
    words = pc.if_else(pc.match_substring_regex(texts, r"\d"), pa.scalar(None, pa.string()), texts)
    return pc.if_else(number, rounded.cast(pa.string()), words)
