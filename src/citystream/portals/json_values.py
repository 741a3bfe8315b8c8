"""JSON values as published text, and JSON objects as columns.

Numbers stay as they are written (``41.10``, ``0.50``, ``1e5``), true and false are those words, null and absent
are null, and what is nested becomes compact JSON text. Shared by files and portals.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, Final

import pyarrow as pa

Row = dict[str, Any]


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


#: Decodes JSON with every number as a `Number`.
DECODER: Final = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)


def decode(text: str) -> Any:
    """The value of a whole JSON text; raises `json.JSONDecodeError`."""
    with _uncollected():
        return DECODER.decode(text)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles: a decoded text has none, and looking for them among its objects costs a quarter more."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def compact(value: Any) -> str:
    """*value* as JSON text without blanks, characters and numbers as written."""
    # by exact type, which is all that the decoder makes: this is called for every part of every nested value
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is Number:
        return str(value)
    if kind is dict:
        inside = [f"{encode_basestring(key)}:{compact(each)}" for key, each in value.items()]
        return "{" + ",".join(inside) + "}"
    if kind is list:
        return "[" + ",".join([compact(each) for each in value]) + "]"
    return _WORDS[value]


_OF_ANOTHER_KIND: Final = (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError)
_WORDS: Final = {None: "null", True: "true", False: "false"}


def names_of(rows: Iterable[Row]) -> list[str]:
    """All keys of *rows*, in order of first appearance."""
    return list(dict.fromkeys(chain.from_iterable(rows)))


def table_of(rows: Sequence[Row], names: Iterable[str]) -> pa.Table:
    """*rows* as text columns *names*; other keys are left out."""
    wanted = list(names)
    with _uncollected():
        flat = _flat_columns(rows, _kinds(rows, wanted))
        rest = {name: column([row.get(name) for row in rows]) for name in wanted if name not in flat}
    return pa.table({name: flat.get(name, rest.get(name)) for name in wanted})


#: Rows looked at to guess what a key's values are.
_LOOKED_AT: Final = 100


def _kinds(rows: Sequence[Row], names: Iterable[str]) -> dict[str, pa.DataType]:
    """The type of each key whose first values are texts, numbers or truths."""
    found: dict[str, pa.DataType] = {}
    for name in names:
        first = next((value for row in rows[:_LOOKED_AT] if (value := row.get(name)) is not None), "")
        if isinstance(first, str | bool):
            found[name] = pa.string() if isinstance(first, str) else pa.bool_()
    return found


def _flat_columns(rows: Sequence[Row], kinds: dict[str, pa.DataType]) -> dict[str, pa.Array]:
    """Those keys as text columns, all at once, which costs a quarter; none if a later value is of another kind."""
    try:
        made = pa.array(rows, pa.struct(kinds.items())).flatten()
    except _OF_ANOTHER_KIND:
        return {}
    return {name: each.cast(pa.string()) for name, each in zip(kinds, made, strict=True)}


def column(values: list[Any]) -> pa.Array:
    """Values of one key as text. A column of texts, numbers and nulls, the usual case, is taken as it is."""
    try:
        return pa.array(values, pa.string())
    except _OF_ANOTHER_KIND:
        return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else compact(value)
    # half of a surrogate pair is no character: it stays the escape that it was
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
