"""What every route has in common: filters and views from an address, and answers with what identifies them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Annotated, Final, Literal

from fastapi import Query, Request
from starlette.responses import Response

from citystream.errors import QueryError
from citystream.registry import nearest
from citystream.web.board import Held
from citystream.web.filters import Filters, parse
from citystream.web.parts import BLOCK, Answer, View
from citystream.web.site import Site

Cells = Literal["coarse", "fine", "none"]
DatasetName = Annotated[str, Query(description="name of a dataset, as in /api/meta")]
After = Annotated[str, Query(description="`next` of the answer before")]

#: What means something else than a filter, in some address.
_KNOWN: Final = (
    *("dataset", "views", "compare", "cells", "names", "limit", "after", "order", "offset"),
    *("by", "grain", "top", "until", "hours", "token"),
)


def tag(*said: object) -> str:
    return f'"{hashlib.sha256(repr(said).encode()).hexdigest()[:24]}"'


def same(request: Request, tag: str) -> bool:
    return tag in {each.strip() for each in request.headers.get("if-none-match", "").split(",")}


def tagged(request: Request, tag: str, body: Callable[[], bytes], kind: str) -> Response:
    """The body, unless the page has it."""
    headers = {"ETag": tag, "Vary": "Accept"}
    return Response(status_code=304, headers=headers) if same(request, tag) else Response(body(), 200, headers, kind)


def filters_of(site: Site, request: Request, dataset: str) -> tuple[Held, Filters]:
    held = site.board.counted(dataset)
    return held, parse(held.engine, request.query_params.multi_items(), _KNOWN)


def views_of(held: Held, text: str, *, days: bool = True) -> list[str]:
    """The views of an address; raises `QueryError` for one that is none."""
    dims = held.engine.dims
    shown = [name for name, each in dims.items() if each.view and each.form == "names"]
    if not text:
        return [*shown, "when", *(["days"] if days else [])]
    names = list(dict.fromkeys(name for name in text.split(",") if name != "cells"))
    for name in names:
        if name != "days" and (name not in dims or dims[name].form != "names"):
            raise QueryError(f"{held.engine.dataset.name} has no view '{name}'", f"views: {', '.join([*dims, 'days'])}")
    return names if days else [name for name in names if name != "days"]


def view_of(held: Held, text: str) -> str:
    """The one dimension with names of an address; raises `QueryError` for anything else."""
    dims = held.engine.dims
    if text not in dims or dims[text].form != "names":
        known = [name for name, each in dims.items() if each.form == "names"]
        raise QueryError(f"{held.engine.dataset.name} has no view '{text}'", nearest(text, known))
    return text


def numbers(request: Request, answer: Answer, tag: str) -> Response:
    plain = "application/json" in request.headers.get("accept", "")
    kind, body = ("application/json", answer.json) if plain else (BLOCK, answer.block)
    return Response(body(), 200, {"ETag": tag, "Vary": "Accept"}, kind)


def named(held: Held, answer: Answer) -> Answer:
    """*answer* with the names of its numbers."""
    dims = held.engine.dims
    named = {
        name: View(each.own, each.counts, each.compared, each.before, each.first, held.engine.names(name).values)
        if name in dims
        else each
        for name, each in answer.views.items()
    }
    return Answer(answer.head, named, answer.key, answer.more)


def iso(day: date | None) -> str | None:
    """A day for an answer."""
    return day.isoformat() if day else None
