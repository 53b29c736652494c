"""An HTTP server that keeps what it is sent and answers as told: well, badly, late, with nonsense or not at all."""

from __future__ import annotations

import contextlib
import http.server
import threading
from dataclasses import dataclass


@dataclass
class Call:
    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


class Receiver:
    """Use as a context manager. `answers` maps a path to (status, headers, body); 204 otherwise.

    To a path in `silent` it never answers (until the caller hangs up), to one in `dropped` it hangs up itself, and one in `raw` gets
    those bytes in the place of an HTTP answer.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.silent: set[str] = set()
        self.dropped: set[str] = set()
        self.raw: dict[str, bytes] = {}
        self.connections = 0
        receiver = self

        class Answering(http.server.BaseHTTPRequestHandler):
            def setup(self) -> None:
                receiver.connections += 1
                super().setup()

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                if len(body) < length:  # whoever called died in the middle
                    self.close_connection = True
                    return
                headers = {k.lower(): v for k, v in self.headers.items()}
                receiver.calls.append(Call(self.path, headers, body, self.command))
                if self.path in receiver.silent | receiver.dropped | receiver.raw.keys():
                    self._misbehave()
                    return
                status, headers, said = receiver.answers.get(self.path, (204, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):
                    self.wfile.write(said)

            def _misbehave(self) -> None:
                self.close_connection = True
                if self.path in receiver.silent:
                    self.connection.settimeout(20)
                    with contextlib.suppress(OSError):
                        self.connection.recv(1)
                elif self.path in receiver.raw:
                    self.wfile.write(receiver.raw[self.path])

            do_GET = do_PUT = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((host, port), Answering)
        self.port = self._server.server_address[1]

    def url(self, path: str = "/hook") -> str:
        """An address of it."""
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Receiver:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
