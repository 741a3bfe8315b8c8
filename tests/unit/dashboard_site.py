"""A served store for tests: simulated Chicago and Toronto, in memory, asked through the real application."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

import citystream
from citystream.app import App
from citystream.app.delivering import News
from citystream.config import load
from citystream.simulate.city import generate
from citystream.simulate.export import export
from citystream.web.app import create
from citystream.web.board import Board
from citystream.web.follower import Follower
from citystream.web.site import Site

CHICAGO, TORONTO = "chicago/crimes", "toronto/bicycle-thefts"
AT = datetime(2025, 12, 6, tzinfo=UTC)


@dataclass
class Served:
    """*site* over the data *folder*; `get` and `post` go through the application without a network."""

    folder: Path
    site: Site
    follower: Follower
    token: str = ""
    local: bool = True

    def ask(self, method: str, path: str, *, follow: bool = False, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(create(self.site, token=self.token, local=self.local))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", follow_redirects=follow
            ) as client:
                return await client.request(method, path, **more)

        return asyncio.run(asked())

    def get(self, path: str, params: Any = None, **headers: str) -> httpx.Response:
        return self.ask("GET", path, params=params, headers={"Accept": "application/json"} | dict(headers))

    def json(self, path: str, params: Any = None) -> Any:
        answer = self.get(path, params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def query(self, sql: str) -> list[dict[str, Any]]:
        with citystream.open(self.folder) as store:
            return list(store.query(sql))


def served(folder: Path) -> Served:
    """The store in *folder*, read in."""
    site = Site(Board(App(load({"data": folder}))))
    follower = Follower(site.board, News(), _raise)
    follower.look()
    return Served(folder, site, follower)


def simulated(folder: Path, name: str, first: date, last: date, scale: float) -> None:
    """Take in what the publisher of *name* would have exported."""
    path = folder.with_suffix(".csv")
    export(generate(name, start=first, end=last, seed=1, scale=scale), path, at=AT)
    citystream.import_files(name, path, data=folder)


def block(body: bytes) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """The head and the numbers of the binary form."""
    size = int(np.frombuffer(body[:4], "<i4")[0])
    return json.loads(body[4 : 4 + size]), np.frombuffer(body[4 + size :], "<i4")


def _raise(error: Exception) -> None:
    raise error
