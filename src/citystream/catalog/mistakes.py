"""Mistakes in a city file as lines a person can act on: ``file: key.path: what is wrong (did you mean X?)``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from citystream.registry import nearest

_SAID = {
    "missing": "is missing",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "date_type": "must be a date like 2001-01-01",
    "date_parsing": "must be a date like 2001-01-01",
    "date_from_datetime_parsing": "must be a date like 2001-01-01",
    "time_delta_type": "must be an ISO duration like P10D or PT5H",
    "time_delta_parsing": "must be an ISO duration like P10D or PT5H",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "must be small letters, digits and _, beginning with a letter",
}


def lines(file: str, table: str, wrong: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line for each mistake in *wrong*, which was found while reading *table* as *model*."""
    found: dict[str, None] = {}
    for error in wrong.errors():
        path = _path(error["loc"], model)
        place = ".".join([table, *path] if table else path)
        where = f"{file}: {place}: " if place else f"{file}: "
        found[where + _message(error, path, model)] = None
    return list(found)


def _message(error: ErrorDetails, path: list[str], model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        return f"unknown key ({nearest(path[-1], _keys(path[:-1], model))})"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "literal_error":
        return _choice(error)
    if error["type"] in ("missing", "too_short") and path and path[-1].isdigit():
        return "the list is too short"
    return _SAID.get(error["type"], error["msg"][:1].lower() + error["msg"][1:])


def _choice(error: ErrorDetails) -> str:
    known = [each.strip("' ") for each in error["ctx"]["expected"].replace(" or ", ", ").split(",")]
    return f"unknown word '{error['input']}' ({nearest(str(error['input']), known)})"


def _path(loc: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """*loc* without the marks that pydantic adds for alternatives (``str``, ``TimeRule``, ``[key]``)."""
    path: list[str] = []
    for part in loc:
        if isinstance(part, int) or part in _keys(path, model) or _keys(path, model) == {"*"}:
            path.append(str(part))
        elif not _mark(part):
            path.append(part)
    return path


def _mark(part: str) -> bool:
    return part in ("str", "[key]") or part.startswith(("function-", "tuple[")) or part.endswith("Rule")


def _keys(path: Iterable[str], model: type[BaseModel]) -> set[str]:
    """The keys that are known under *path* of *model*; ``*`` where any name goes."""
    known: Any = model
    for part in path:
        if part.isdigit():
            continue
        if isinstance(known, type) and issubclass(known, BaseModel):
            field = known.model_fields.get(part)
            known = _inner(field.annotation) if field else None
        elif isinstance(known, tuple):
            known = known[0]
    if isinstance(known, tuple):
        return {"*"}
    return _said(known) if isinstance(known, type) and issubclass(known, BaseModel) else set()


def _said(model: type[BaseModel]) -> set[str]:
    """The keys of *model* as a city file says them."""
    return {field.alias or name for name, field in model.model_fields.items()}


def _inner(annotation: Any) -> Any:
    """The first model inside *annotation*; in a tuple if it is the value of a table with free names."""
    models = list(_models(annotation))
    if not models:
        return None
    return (models[0],) if getattr(annotation, "__origin__", None) is dict else models[0]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
