"""The built pages, if there are any; else one page that says so."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER: Final = Path(__file__).parent / "static"
_INDEX: Final = "index.html"
#: Written last of the files that npm brings.
_OTHERS: Final = "vendor/licences.json"
#: Files that are named by their content.
_ASSETS: Final = "assets"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_FALLBACK: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>citystream</title></head>
<body><h1>citystream</h1>
<p>The pages of the dashboard are not built here: run <code>make assets</code>, which needs npm, or install a wheel.
Its data is served all the same:</p>
<ul><li><a href="/api/meta">/api/meta</a>: what there is</li>
<li><a href="/api/status">/api/status</a>: how it stands</li>
<li><a href="/api/openapi.json">/api/openapi.json</a>: everything that can be asked</li></ul></body></html>
"""


def static(folder: Path = FOLDER) -> ASGIApp:
    """Serves the files of *folder*; a path that is no file and has no ending is a page of the one index."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        answer = _answer(Request(scope), folder)
        await answer(scope, receive, send)

    return serve


def _answer(request: Request, folder: Path) -> Response:
    path = PurePosixPath(request.url.path.lstrip("/") or _INDEX)
    if request.method not in ("GET", "HEAD"):
        raise HTTPException(405, "pages are read only")
    if path.parts[0] == "api" or "\\" in str(path) or ".." in path.parts:
        raise HTTPException(404, f"there is no {request.url.path}")
    file = (folder / path).resolve()
    if path.name != _INDEX and file.is_file() and file.is_relative_to(folder.resolve()):
        return FileResponse(file, headers={"Cache-Control": _FOR_EVER if path.parts[0] == _ASSETS else "no-cache"})
    if path.suffix and path.name != _INDEX:
        raise HTTPException(404, f"there is no {request.url.path}")
    index = folder / _INDEX
    return FileResponse(index, headers={"Cache-Control": "no-cache"}) if _built(folder) else HTMLResponse(_FALLBACK)


def _built(folder: Path) -> bool:
    """Whether there are pages, and the files of others that they need: these are not in the sources."""
    return (folder / _INDEX).is_file() and (folder / _OTHERS).is_file()
