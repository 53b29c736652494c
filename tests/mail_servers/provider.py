"""Who gives access tokens for a refresh token, and tells a mail server whose they are (RFC 6749, RFC 7662)."""

from __future__ import annotations

import json
import secrets
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs

from tests.mail_servers.servers import certificate

CLIENT, SECRET = "allswell", "the-secret-of-the-program"


@dataclass
class Provider:
    """Tokens of one person. `outside` (TLS) is where programs get theirs, `inside` where the mail server asks about them."""

    folder: Path
    who: str = "desk"
    refresh_token: str = "refresh-1"
    seconds: int = 3600
    valid: set[str] = field(default_factory=set)
    given: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._trust = self.folder / "provider"
        self._trust.mkdir(exist_ok=True)
        self.certificate = certificate(self._trust, "Provider of tokens")
        self._inside = _server({"/introspect": self._introspect})
        self._outside = _server({"/token": self._token})
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self._trust / "key.pem")
        self._outside.socket = context.wrap_socket(self._outside.socket, server_side=True)

    @property
    def inside(self) -> str:
        """Its address for the mail server."""
        return f"http://127.0.0.1:{self._inside.server_port}"

    @property
    def outside(self) -> str:
        """Where a program gets its token."""
        return f"https://localhost:{self._outside.server_port}/token"

    def is_trusted_with(self, file: Path) -> None:
        """Who trusts the certificates of that file trusts this one as well."""
        with file.open("ab") as trusted:
            trusted.write(self.certificate.read_bytes())

    def __enter__(self) -> Self:
        for one in (self._inside, self._outside):
            threading.Thread(target=one.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._inside, self._outside):
            one.shutdown()
            one.server_close()

    def _token(self, said: dict[str, str]) -> tuple[int, dict[str, object]]:
        known = {"client_id": CLIENT, "client_secret": SECRET, "grant_type": "refresh_token", "refresh_token": self.refresh_token}
        if any(said.get(name) != value for name, value in known.items()):
            return 400, {"error": "invalid_grant"}
        token = secrets.token_urlsafe(30)
        self.valid.add(token)
        self.given.append(token)
        self.refresh_token = f"refresh-{len(self.given) + 1}"
        return 200, {
            "access_token": token,
            "expires_in": self.seconds,
            "refresh_token": self.refresh_token,
            "token_type": "Bearer",
        }

    def _introspect(self, said: dict[str, str]) -> tuple[int, dict[str, object]]:
        return 200, {"active": True, "username": self.who} if said.get("token") in self.valid else {"active": False}


def _server(places: dict[str, Callable[[dict[str, str]], tuple[int, dict[str, object]]]]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            status, answer = places[self.path]({name: values[0] for name, values in parse_qs(body).items()})
            words = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_: object) -> None:
            return

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
