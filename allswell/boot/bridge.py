"""From the web server's asynchronous interface (RSGI) to Django's synchronous one (WSGI), in a few threads.

One port serves pages and live streams, so the server speaks RSGI; pages stay synchronous. A request body is read before a thread
is taken (over 1 MB into a temporary file), so a slow sender holds no thread; a long answer is sent from threads of its own, so a
slow reader holds none either.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import queue
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

from .proxies import Network, caller

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[str, str]]

IN_MEMORY = 1_000_000
MOST_WAITING = 1000
PIECE = 32_768
#: how much and how long is read of a body that is too large: who sends all of it before reading sees the answer, not a broken connection
READ_ON_BYTES = 64_000_000
READ_ON_SECONDS = 10
_NOT_FOR_DJANGO = frozenset(
    {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded", "proxy"}
)
_TEXTS = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")


class TooLarge(Exception):
    """The body is longer than this server takes."""


class FileToSend:
    """Django's answers that are files (wsgi.file_wrapper): the server sends the file itself, without Python."""

    def __init__(self, file: IO[bytes], block_size: int = PIECE) -> None:
        self.file = file
        self._block_size = block_size

    def __iter__(self) -> FileToSend:
        return self

    def __next__(self) -> bytes:
        piece = self.file.read(self._block_size)
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Close the file, and with it Django's answer."""
        self.file.close()

    def path(self) -> str | None:
        """The path of the whole file; None when it is only a part of one, or none on disk."""
        name = getattr(self.file, "name", None)
        try:
            if isinstance(name, str) and self.file.tell() == 0 and os.path.samestat(os.fstat(self.file.fileno()), os.stat(name)):
                return os.path.abspath(name)
        except (OSError, AttributeError, io.UnsupportedOperation):
            pass
        return None


@dataclass(slots=True)
class Turn:
    """One request waiting for its answer."""

    scope: Any
    proto: Any
    body: IO[bytes]
    length: int
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    status: int = 500

    def settle(self) -> None:
        """Tell the loop that the answer is on its way."""

        def finish() -> None:
            if not self.done.done():
                self.done.set_result(None)

        self.body.close()
        try:
            self.loop.call_soon_threadsafe(finish)
        except RuntimeError:  # the loop has ended; nobody waits any more
            log.debug("A request was answered after the end.")


class Bridge:
    """Answers RSGI requests with a WSGI application. `after` is told (status, seconds) of every answer, on the loop's thread."""

    def __init__(
        self,
        application: Application,
        *,
        threads: int = 2,
        largest_body: int,
        trusted: Sequence[Network] = (),
        after: Callable[[int, float], None] | None = None,
    ) -> None:
        self._application = application
        self._largest_body = largest_body
        self._trusted = trusted
        self._after = after
        self._turns: queue.SimpleQueue[Turn | None] = queue.SimpleQueue()
        self._threads = threads
        self._is_started = False
        self._streams = ThreadPoolExecutor(4, thread_name_prefix="stream")
        self._uploads = asyncio.Semaphore(16)
        self._base = {
            "SCRIPT_NAME": "",
            "SERVER_SOFTWARE": "Allswell",
            "GATEWAY_INTERFACE": "CGI/1.1",
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            "wsgi.file_wrapper": FileToSend,
        }

    def start(self) -> None:
        """Start the threads; in the process that serves, after it was forked."""
        if not self._is_started:
            self._is_started = True
            for number in range(self._threads):
                threading.Thread(target=self._work, name=f"page-{number}", daemon=True).start()

    def stop(self) -> None:
        """Let the threads end after what they are doing."""
        for _ in range(self._threads):
            self._turns.put(None)
        self._streams.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Any, proto: Any) -> None:
        """Answer one request."""
        started = time.perf_counter()
        if self._turns.qsize() >= MOST_WAITING:
            proto.response_str(503, [("retry-after", "1"), ("content-type", "text/plain")], "Busy. Try again in a second.\n")
            return
        try:
            body, length = await self._body(scope, proto)
        except TooLarge:
            words = f"A request may have at most {self._largest_body // 1_000_000} MB.\n"
            proto.response_str(413, [("content-type", "text/plain"), ("connection", "close")], words)
            return
        except TimeoutError:
            proto.response_str(408, [("content-type", "text/plain"), ("connection", "close")], "The request came too slowly.\n")
            return
        loop = asyncio.get_running_loop()
        turn = Turn(scope, proto, body, length, loop, loop.create_future())
        self._turns.put(turn)
        await turn.done
        if self._after:
            self._after(turn.status, time.perf_counter() - started)

    async def _body(self, scope: Any, proto: Any) -> tuple[IO[bytes], int]:
        declared = scope.headers.get("content-length")
        if declared is None and scope.headers.get("transfer-encoding") is None:
            return io.BytesIO(), 0
        if declared is not None and declared.isdigit():
            if int(declared) > self._largest_body:
                if int(declared) <= READ_ON_BYTES and scope.headers.get("expect") is None:
                    async with self._uploads:
                        await _read_on(aiter(proto))
                raise TooLarge
            if int(declared) <= IN_MEMORY:
                whole = await asyncio.wait_for(proto(), 60) if int(declared) else b""
                return io.BytesIO(whole), len(whole)
        async with self._uploads:
            return await self._spooled(proto)

    async def _spooled(self, proto: Any) -> tuple[IO[bytes], int]:
        spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed when answered
        length = 0
        try:
            pieces = aiter(proto)
            while True:
                try:
                    piece = await asyncio.wait_for(anext(pieces), 60)
                except StopAsyncIteration:
                    break
                length += len(piece)
                if length > self._largest_body:
                    await _read_on(pieces)
                    raise TooLarge
                spool.write(piece)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return spool, length

    def environ(self, turn: Turn) -> dict[str, Any]:
        """The request as WSGI describes it."""
        scope = turn.scope
        items = scope.headers.items()
        address, scheme = caller(scope.client, scope.headers.get, self._trusted)
        name, _, port = scope.server.rpartition(":")
        environ: dict[str, Any] = {
            **self._base,
            "REQUEST_METHOD": scope.method,
            "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
            "QUERY_STRING": scope.query_string,
            "REMOTE_ADDR": address,
            "SERVER_NAME": name,
            "SERVER_PORT": port,
            "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
            "wsgi.url_scheme": scheme or "http",
            "wsgi.input": turn.body,
            "allswell.is_forwarded": any(scope.headers.get(name) for name in ("x-forwarded-for", "forwarded", "via")),
        }
        for header, value in items:
            if "_" in header or header in _NOT_FOR_DJANGO:
                continue  # an underscore would be taken for a hyphen, and the spelling a proxy did not check would win
            key = "HTTP_" + header.upper().replace("-", "_")
            if key in environ:
                value = environ[key] + ("; " if key == "HTTP_COOKIE" else ", ") + value
            environ[key] = value
        if "HTTP_CONTENT_TYPE" in environ:
            environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE")
        environ.pop("HTTP_CONTENT_LENGTH", None)
        if turn.length:
            environ["CONTENT_LENGTH"] = str(turn.length)
        if scope.authority and "HTTP_HOST" not in environ:
            environ["HTTP_HOST"] = scope.authority
        return environ

    def _work(self) -> None:
        while (turn := self._turns.get()) is not None:
            is_sent = True
            try:
                is_sent = self._answer(turn)
            except Exception:
                log.exception("A request failed outside the application.")
                self._fail(turn)
            if is_sent:
                turn.settle()

    def _fail(self, turn: Turn) -> None:
        turn.status = 500
        try:
            turn.proto.response_str(500, [("content-type", "text/plain")], "Something went wrong.\n")
        except Exception:  # noqa: BLE001 - the answer had begun; the connection is closed by the server
            log.debug("The failed answer had begun.")

    def _answer(self, turn: Turn) -> bool:
        """Run the application; True when the answer is handed to the server, False when a stream goes on with it."""
        begun: list[tuple[int, Headers]] = []

        def start_response(status: str, headers: Headers, exc_info: Any = None) -> None:
            begun.append((int(status[:3]), headers))

        environ = self.environ(turn)
        result = self._application(environ, start_response)
        turn.status, headers = begun[-1]
        headers.append(("Server", "Allswell"))
        is_stream = getattr(result, "streaming", not isinstance(result, (list, tuple)))
        is_kept = False
        try:
            if environ["REQUEST_METHOD"] == "HEAD" or turn.status in (204, 304):
                turn.proto.response_empty(turn.status, headers)
            elif isinstance(result, FileToSend) and (path := result.path()):
                turn.proto.response_file(turn.status, headers, path)
            elif is_stream:
                self._streams.submit(self._drain, turn, headers, result)
                is_kept = True
            else:
                whole = packed(headers, b"".join(result), environ.get("HTTP_ACCEPT_ENCODING", ""))
                turn.proto.response_bytes(turn.status, headers, whole)
        finally:
            if not is_kept and hasattr(result, "close"):
                result.close()
        return not is_kept

    def _drain(self, turn: Turn, headers: Headers, result: Iterable[bytes]) -> None:
        try:
            transport = turn.proto.response_stream(turn.status, headers)
            for piece in gathered(result):
                asyncio.run_coroutine_threadsafe(_send(transport, piece), turn.loop).result(120)
        except Exception as error:  # noqa: BLE001 - the reader went away, or a row could not be read: the stream is cut
            log.info("A stream ended early: %r", error)
        finally:
            if hasattr(result, "close"):
                result.close()
            turn.settle()


async def _send(transport: Any, piece: bytes) -> None:
    """Send a piece; what the server answers can be awaited, but is no coroutine, which another thread could not wait for."""
    await transport.send_bytes(piece)


async def _read_on(pieces: AsyncIterator[bytes]) -> None:
    """Read what is still sent, within the limits, and keep nothing of it."""
    size = 0
    try:
        async with asyncio.timeout(READ_ON_SECONDS):
            while size <= READ_ON_BYTES:  # not `async for`: the server gives its iterator once only
                size += len(await anext(pieces))
    except (TimeoutError, StopAsyncIteration):
        return


def gathered(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """The same bytes in pieces worth a send each."""
    waiting, size = [], 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def packed(headers: Headers, body: bytes, accepted: str) -> bytes:
    """The body, gzipped when it is text worth it and the reader takes it; `headers` are changed to fit."""
    if len(body) < 1024 or "gzip" not in accepted:
        return body
    names = {name.lower(): value for name, value in headers}
    if "content-encoding" in names or not names.get("content-type", "").startswith(_TEXTS):
        return body
    press = zlib.compressobj(1, wbits=31)
    small = press.compress(body) + press.flush()
    vary = names.get("vary", "")
    headers[:] = [pair for pair in headers if pair[0].lower() not in ("content-length", "vary")]
    if "accept-encoding" not in vary.lower():
        vary = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
    headers += [("Content-Length", str(len(small))), ("Content-Encoding", "gzip"), ("Vary", vary)]
    return small
