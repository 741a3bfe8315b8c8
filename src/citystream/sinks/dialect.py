"""Where the SQL of two databases differs, as data."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is said differently: *types* by Arrow type, and of ``row_key``; *month* of a column, as text;
    *temporary* ends the making of a temporary table; *take_away* and *write_by_key* move rows out of one.
    """

    quote: str
    types: dict[pa.DataType, str]
    key_type: str
    month: str
    temporary: str
    drop_temporary: str
    take_away: str
    write_by_key: str
    set_by_key: str
