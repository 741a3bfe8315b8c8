"""A local portal that behaves like Socrata, and like the other kinds that publish its tables (`forms`): the same
addresses, the same answers, and faults on demand.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from types import TracebackType
from typing import NamedTuple, Self

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citystream.simulate import faults as wrong
from citystream.simulate import question, reply, soda3
from citystream.simulate.asked import Asked
from citystream.simulate.dated import Dated
from citystream.simulate.faults import Fault, FaultScript
from citystream.simulate.forms import FORMS, Form
from citystream.simulate.listener import Listener
from citystream.simulate.metadata import describe
from citystream.simulate.published import PublishedTable
from citystream.simulate.reply import ErrorForm
from citystream.simulate.served import Form as TextForm
from citystream.simulate.served import ServedTable, View
from citystream.simulate.soql.failure import SoqlError

Clock = Callable[[], datetime]


class Recorded(NamedTuple):
    """A request as it came in; header names in lower case."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]


class SimulatedPortal:
    """Serves *tables* (4x4 id -> table) on 127.0.0.1; used with ``with``.

    *clock* says what time it is there (aware, or naive UTC): what was published by then is what is there. Without
    one everything has been published. *faults* go wrong as they say; more can be added to ``faults`` at any
    time. *port* 0 takes a free one. ``requests`` has every request that came in, in order.
    """

    def __init__(
        self,
        tables: Mapping[str, PublishedTable],
        clock: Clock | None = None,
        faults: Iterable[Fault] = (),
        port: int = 0,
    ) -> None:
        self._tables = dict(tables)
        self._clock = clock or self._end_of_time
        self._served: dict[str, ServedTable] = {}
        self._loading = threading.Lock()
        self.faults = FaultScript(faults)
        self.requests: list[Recorded] = []
        routes = [
            Route("/resource/{file}", self._resource),
            Route("/api/views/{file}", self._views),
            Route("/api/views/metadata/v1/{file}", self._views),
            Route("/api/v3/views/{file}/query.json", self._soda3, methods=["POST"]),
            *(Route(form.route, self._endpoint(form)) for form in FORMS),
        ]
        self._listener = Listener(Dated(Starlette(routes=routes), self.now), port)

    @property
    def url(self) -> str:
        """The address: ``http://127.0.0.1:PORT``."""
        return self._listener.url

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> Self:
        """Begin to serve; returns itself."""
        return self.__enter__()

    def close(self) -> None:
        """Stop serving and free the tables."""
        self._listener.stop()
        for served in self._served.values():
            served.close()
        self._served.clear()

    def now(self) -> datetime:
        """The time that holds at the portal."""
        at = self._clock()
        return at if at.tzinfo else at.replace(tzinfo=UTC)

    def _end_of_time(self) -> datetime:
        ends = [table.last_change() for table in self._tables.values()]
        return max(ends, default=datetime(2000, 1, 1, tzinfo=UTC)) + timedelta(seconds=1)

    def _serve(self, resource: str) -> ServedTable | None:
        with self._loading:
            if resource not in self._served and resource in self._tables:
                self._served[resource] = ServedTable(self._tables[resource])
            return self._served.get(resource)

    async def _admitted(self, request: Request) -> tuple[list[Fault], Response | None]:
        """Record the request; the faults that hit it, and the answer if one of them is the answer."""
        params = await _params(request)
        self.requests.append(Recorded(request.method, request.url.path, params, dict(request.headers)))
        struck = self.faults.strike(request.url.path, params)
        for fault in struck:
            if isinstance(fault, wrong.Slow):
                await asyncio.sleep(fault.seconds)
        return struck, _instead(request, struck, reply.numbered)

    async def _resource(self, request: Request) -> Response:
        struck, instead = await self._admitted(request)
        if instead is not None:
            return instead
        return await run_in_threadpool(self._rows, request, struck)

    async def _views(self, request: Request) -> Response:
        struck, instead = await self._admitted(request)
        if instead is not None:
            return instead
        return await run_in_threadpool(self._metadata, request, struck)

    async def _soda3(self, request: Request) -> Response:
        struck, instead = await self._admitted(request)
        if instead is not None:
            return instead
        if not request.headers.get("x-app-token"):
            return reply.tokenless()
        try:
            params = soda3.parameters(await request.json())
        except (ValueError, SoqlError):
            return reply.refused(SoqlError("query.soql.invalid", "The body is no question"))
        return await run_in_threadpool(self._rows, request, struck, params)

    def _endpoint(self, form: Form) -> Callable[[Request], Awaitable[Response]]:
        """What answers at another kind of portal's address."""

        async def endpoint(request: Request) -> Response:
            struck, _ = await self._admitted(request)
            if instead := _instead(request, struck, form.error):
                return instead
            return await run_in_threadpool(self._formed, form, request, struck)

        return endpoint

    def _formed(self, form: Form, request: Request, struck: list[Fault]) -> Response:
        served = self._serve(form.table)
        if served is None:
            return JSONResponse(form.error(404, "Not found"), 404)
        self._change(served, struck)
        return form.answer(Asked(request, served, self._view(struck), struck))

    def _change(self, served: ServedTable, struck: list[Fault]) -> None:
        """What *struck* do to the table before the answer."""
        for fault in struck:
            if isinstance(fault, wrong.Rewritten):
                served.rewrite(self.now(), insert=fault.insert, revise=fault.revise, remove=fault.remove)
            if isinstance(fault, wrong.Touched):
                served.rewrite(self.now(), touch=fault.rows)
            if isinstance(fault, wrong.Renumbered):
                served.reload()

    def _metadata(self, request: Request, struck: list[Fault]) -> Response:
        resource = PurePosixPath(request.path_params["file"]).stem
        served = self._serve(resource)
        if served is None:
            return reply.missing(resource)
        self._change(served, struck)
        view = self._view(struck)
        return Asked(request, served, view, struck).answer(json.dumps(describe(resource, served, view)).encode())

    def _rows(self, request: Request, struck: list[Fault], params: dict[str, str] | None = None) -> Response:
        file = PurePosixPath(request.path_params["file"])
        served = self._serve(file.stem)
        if served is None or file.suffix not in ("", ".json", ".csv"):
            return reply.missing(file.name)
        self._change(served, struck)
        asked = dict(request.query_params) if params is None else params
        try:
            return self._answer(request, asked, served, "csv" if file.suffix == ".csv" else "json", struck)
        except SoqlError as error:
            return reply.refused(error)

    def _answer(
        self, request: Request, params: dict[str, str], served: ServedTable, form: TextForm, struck: list[Fault]
    ) -> Response:
        view = self._view(struck)
        etag = served.etag(view, f"{form}?{sorted(params.items())}")
        if request.headers.get("if-none-match") == f'W/"{etag}"':
            return Response(status_code=304)
        answer = served.answer(question.query(params), view, form)
        stale = any(isinstance(fault, wrong.StaleReplica) for fault in struck)
        headers = reply.soda_headers(answer, served.last_change(view.now), etag, stale=stale)
        zipped = "gzip" in request.headers.get("accept-encoding", "")
        return reply.rows(answer.body, form, headers, struck, zipped=zipped)

    def _view(self, struck: list[Fault]) -> View:
        """The table as it is now, or as *struck* make it look."""
        behind = sum(f.behind for f in struck if isinstance(f, wrong.StaleReplica))
        renamed = tuple((f.old, f.new) for f in struck if isinstance(f, wrong.RenamedColumn))
        left = [f.rows for f in struck if isinstance(f, wrong.Shrunk)]
        now = min([self.now(), *(f.at for f in struck if isinstance(f, wrong.Frozen))])
        return View(now - timedelta(seconds=behind), renamed, min(left) if left else None)


async def _params(request: Request) -> dict[str, str]:
    """What is asked, by name: the query, and for a question in the body its members."""
    params = dict(request.query_params)
    if request.method == "POST" and (body := await request.body()):
        with suppress(ValueError):
            sent = json.loads(body)
            params |= {name: value if isinstance(value, str) else json.dumps(value) for name, value in sent.items()}
    return params


def _instead(request: Request, struck: list[Fault], error: ErrorForm) -> Response | None:
    """The answer of the first fault that is one."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    answers = (reply.instead(fault, asked, error) for fault in struck)
    return next((answer for answer in answers if answer is not None), None)
