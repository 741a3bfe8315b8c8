"""A question to the simulated portal, with all that decides its answer."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from citystream.simulate import reply
from citystream.simulate.faults import Fault
from citystream.simulate.served import ServedTable, View


@dataclass(frozen=True, slots=True)
class Asked:
    """*request* for the table *served*, as it is in *view*; *struck* are the faults that hit it."""

    request: Request
    served: ServedTable
    view: View
    struck: list[Fault]

    @property
    def params(self) -> dict[str, str]:
        """The query."""
        return dict(self.request.query_params)

    def answer(self, body: bytes, form: str = "json", headers: dict[str, str] | None = None) -> Response:
        """*body* as the answer, spoilt as the faults say."""
        zipped = "gzip" in self.request.headers.get("accept-encoding", "")
        return reply.rows(body, form, headers or {}, self.struck, zipped=zipped)
