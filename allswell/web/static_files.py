"""Our static files: read once, named after their content, served from memory.

CSS and JavaScript are joined into one file each, so a first page needs few requests and no build step. A name never changes its
content (`allswell.4f2a….css`), so browsers keep it for a year. Runtime needs no Node and no collecting step.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import mimetypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase

FOLDER = Path(__file__).resolve().parent / "static"
PREFIX = "/static/"
_URL = re.compile(r'url\("([^"]+)"\)')
_TEXT = {".css", ".js", ".svg", ".json", ".txt"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is answered. `squeezed` is its gzip form, None where that saves nothing."""

    content: bytes
    squeezed: bytes | None
    content_type: str
    tag: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """All static files: `urls` from logical name to address, `files` from address to file."""

    urls: dict[str, str]
    files: dict[str, StaticFile]


def _styles(urls: dict[str, str]) -> bytes:
    """All style sheets in one, tokens first; fonts under their content names."""
    paths = sorted(
        (FOLDER / "css").glob("*.css"), key=lambda path: (path.name != "tokens.css", path.name != "app.css", path.name)
    )
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    return _URL.sub(lambda found: f'url("{urls[found[1]]}")', text).encode()


def _scripts() -> bytes:
    """All scripts in one, each in a scope of its own."""
    paths = sorted((FOLDER / "js").glob("*.js"), key=lambda path: (path.name != "base.js", path.name))
    return "\n".join("(() => {\n" + path.read_text(encoding="utf-8") + "\n})();" for path in paths).encode()


def _put(shelf: Shelf, name: str, content: bytes) -> None:
    path = Path(name)
    digest = hashlib.sha256(content).hexdigest()[:12]
    url = f"{PREFIX}{path.with_suffix('')}.{digest}{path.suffix}"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if path.suffix == ".js":
        kind = "text/javascript"
    squeezed = gzip.compress(content, 9, mtime=0) if path.suffix in _TEXT else None
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    shelf.urls[name] = url
    shelf.files[url] = StaticFile(content, squeezed, kind, f'"{digest}"')


@functools.cache
def shelf() -> Shelf:
    """The files of this installation, read at the first call."""
    made = Shelf({}, {})
    for path in sorted(FOLDER.rglob("*")):
        name = path.relative_to(FOLDER).as_posix()
        if path.is_file() and not name.startswith(("css/", "js/")):
            _put(made, name, path.read_bytes())
    _put(made, "allswell.css", _styles(made.urls))
    _put(made, "allswell.js", _scripts())
    return made


def url(name: str) -> str:
    """The address of a static file. Raises KeyError for a file that does not exist."""
    return shelf().urls[name]


class ServeStatic:
    """Middleware: answers /static/ before anything else looks at the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        found = shelf().files.get(request.path_info)
        if found is None or request.method not in ("GET", "HEAD"):
            return HttpResponse("There is no such file.", status=404, content_type="text/plain; charset=utf-8")
        response: HttpResponse
        if request.headers.get("If-None-Match") == found.tag:
            response = HttpResponseNotModified()
        elif found.squeezed and "gzip" in request.headers.get("Accept-Encoding", ""):
            response = HttpResponse(found.squeezed, content_type=found.content_type, headers={"Content-Encoding": "gzip"})
        else:
            response = HttpResponse(found.content, content_type=found.content_type)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["ETag"] = found.tag
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Vary"] = "Accept-Encoding"
        return response
