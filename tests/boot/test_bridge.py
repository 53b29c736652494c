"""The bridge from the web server's interface to Django's."""

from __future__ import annotations

import asyncio
import gzip
import tempfile
from collections.abc import Callable, Generator, Iterable
from typing import Any

import pytest

from allswell.boot.bridge import Bridge, FileToSend, gathered


class Fields:
    """Header fields as the web server gives them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def items(self) -> list[tuple[str, str]]:
        return self.pairs

    def get(self, name: str, default: Any = None) -> Any:
        return next((value for key, value in self.pairs if key == name), default)


class Scope:
    """A request."""

    def __init__(self, method: str = "GET", path: str = "/", query: str = "", *headers: tuple[str, str]) -> None:
        self.method, self.path, self.query_string = method, path, query
        self.headers = Fields(list(headers))
        self.client, self.server, self.scheme, self.http_version = "203.0.113.9:4711", "127.0.0.1:8000", "http", "1.1"
        self.authority = None


class Sent:
    """What the web server answers when it is given a piece: it can be awaited, and is no coroutine."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def __await__(self) -> Generator[None, None, None]:
        if self.error:
            raise self.error
        yield from ()


class Proto:
    """The connection: gives the body in pieces, keeps what is answered."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.file = ""

    async def __call__(self) -> bytes:
        return b"".join(self.pieces)

    async def __aiter__(self) -> Any:
        for piece in self.pieces:
            yield piece

    def _begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        assert not self.status, "answered twice"
        self.status, self.headers = status, {name.lower(): value for name, value in headers}

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._begin(status, headers)

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._begin(status, headers)
        self.body = body

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        self.response_bytes(status, headers, body.encode())

    def response_file(self, status: int, headers: list[tuple[str, str]], file: str) -> None:
        self._begin(status, headers)
        self.file = file

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Proto:
        self._begin(status, headers)
        return self

    def send_bytes(self, piece: bytes) -> Sent:
        self.body += piece
        return Sent()


def ask(application: Callable[..., Iterable[bytes]], scope: Scope, *pieces: bytes, **options: Any) -> Proto:
    """One request through a bridge."""
    proto = options.pop("proto", None) or Proto(*pieces)

    async def once() -> None:
        bridge = Bridge(application, largest_body=options.pop("largest_body", 10_000_000), **options)
        bridge.start()
        try:
            await asyncio.wait_for(bridge(scope, proto), 10)
        finally:
            bridge.stop()

    asyncio.run(once())
    return proto


def saying(body: bytes, content_type: str = "text/plain", status: str = "200 OK") -> Callable[..., Iterable[bytes]]:
    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        start(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    return application


def seen(scope: Scope, *pieces: bytes, **options: Any) -> dict[str, Any]:
    """The environ Django gets, with the body read."""
    kept: dict[str, Any] = {}

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        kept.update(environ, body=environ["wsgi.input"].read())
        start("204 No Content", [])
        return []

    ask(application, scope, *pieces, **options)
    return kept


def test_a_request_arrives_as_wsgi_describes_it() -> None:
    environ = seen(Scope("GET", "/tickets/é", "q=1", ("host", "desk.example.org"), ("x-real", "a"), ("x-real", "b")))
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/tickets/é"
    assert environ["QUERY_STRING"] == "q=1"
    assert environ["HTTP_HOST"] == "desk.example.org"
    assert environ["HTTP_X_REAL"] == "a, b"
    assert environ["REMOTE_ADDR"] == "203.0.113.9"
    assert environ["wsgi.url_scheme"] == "http"
    assert not environ["allswell.is_forwarded"]


def test_spellings_that_would_pass_for_a_trusted_header_are_dropped() -> None:
    environ = seen(Scope("GET", "/", "", ("x_forwarded_for", "127.0.0.1"), ("x-forwarded-for", "1.2.3.4"), ("proxy", "evil")))
    assert not [name for name in environ if "FORWARDED" in name or "PROXY" in name]
    assert environ["allswell.is_forwarded"]


def test_a_small_body_a_large_one_and_one_of_unknown_length_arrive_whole() -> None:
    small = seen(Scope("POST", "/", "", ("content-length", "5"), ("content-type", "text/plain")), b"hello")
    assert (small["body"], small["CONTENT_LENGTH"], small["CONTENT_TYPE"]) == (b"hello", "5", "text/plain")
    large = [b"x" * 700_000] * 3
    assert len(seen(Scope("POST", "/", "", ("content-length", "2100000")), *large)["body"]) == 2_100_000
    chunked = seen(Scope("POST", "/", "", ("transfer-encoding", "chunked")), b"a", b"b")
    assert (chunked["body"], chunked["CONTENT_LENGTH"]) == (b"ab", "2")


@pytest.mark.parametrize("header", [("content-length", "2000"), ("transfer-encoding", "chunked")])
def test_a_body_over_the_limit_is_refused_before_the_application(header: tuple[str, str]) -> None:
    proto = ask(saying(b"never"), Scope("POST", "/", "", header), b"x" * 2000, largest_body=1000)
    assert proto.status == 413


def test_texts_are_packed_for_those_who_take_it() -> None:
    text = b"All is well. " * 200
    asked = Scope("GET", "/", "", ("accept-encoding", "br, gzip"))
    packed = ask(saying(text, "text/html; charset=utf-8"), asked)
    assert gzip.decompress(packed.body) == text
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) == len(packed.body)
    assert ask(saying(text, "text/html"), Scope()).body == text
    assert ask(saying(text, "image/png"), asked).body == text
    assert ask(saying(b"short", "text/html"), asked).body == b"short"


def test_a_question_for_the_head_gets_no_body() -> None:
    proto = ask(saying(b"hello"), Scope("HEAD"))
    assert (proto.status, proto.body, proto.headers["content-length"]) == (200, b"", "5")


def test_a_stream_is_sent_as_it_comes_and_closed() -> None:
    closed = []

    class Rows:
        def __iter__(self) -> Any:
            yield from (b"row\n" for _ in range(20_000))

        def close(self) -> None:
            closed.append(True)

    def application(environ: dict[str, Any], start: Any) -> Rows:
        start("200 OK", [("Content-Type", "text/csv")])
        return Rows()

    proto = ask(application, Scope("GET", "/", "", ("accept-encoding", "gzip")))
    assert proto.body == b"row\n" * 20_000
    assert closed == [True]
    assert [len(piece) for piece in gathered([b"x" * 20_000] * 3)] == [40_000, 20_000]


def test_a_stream_whose_reader_goes_ends_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    class Leaving(Proto):
        def send_bytes(self, piece: bytes) -> Sent:
            return Sent(ConnectionError("gone")) if self.body else super().send_bytes(piece)

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/csv")])
        return (b"row\n" for _ in range(20_000))

    with caplog.at_level("INFO", logger="allswell.boot.bridge"):
        proto = ask(application, Scope(), proto=Leaving())
    assert 0 < len(proto.body) < 80_000
    assert [record.getMessage() for record in caplog.records] == ["A stream ended early: ConnectionError('gone')"]


def test_a_file_on_disk_is_left_to_the_server() -> None:
    with tempfile.NamedTemporaryFile() as kept:
        kept.write(b"content")
        kept.flush()

        def application(environ: dict[str, Any], start: Any) -> FileToSend:
            start("200 OK", [("Content-Type", "application/octet-stream")])
            opened = open(kept.name, "rb")  # noqa: SIM115 - closed by the answer
            opened.seek(environ.get("HTTP_X_SKIP") is not None and 3)
            return FileToSend(opened)

        assert ask(application, Scope()).file == kept.name
        part = ask(application, Scope("GET", "/", "", ("x-skip", "1")))
        assert (part.file, part.body) == ("", b"tent")


def test_an_application_that_breaks_is_an_answer_and_the_next_request_is_served() -> None:
    def broken(environ: dict[str, Any], start: Any) -> list[bytes]:
        raise RuntimeError("secret of the stack")

    told: list[int] = []
    proto = ask(broken, Scope(), after=lambda status, seconds: told.append(status))
    assert (proto.status, told) == (500, [500])
    assert b"secret" not in proto.body
