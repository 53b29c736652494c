"""One look at the installation: whether it says that it watches. Whatever comes back, or does not, is an answer.

With sockets of its own and one deadline for everything after the name was looked up, so that a server that dribbles, hangs or talks
nonsense costs no more than that.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import allswell
from allswell.kernel.errors import CannotStart

PATH = "/watchz"
#: bytes of an answer that are read
READ_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at. `headers` say who looks."""

    url: SplitResult
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, url: str, *, name: str = "", token: str = "") -> Target:
        """From the address of the desk. Raises CannotStart."""
        wrong = CannotStart(f"{url!r} is no address such as https://desk.example.org.", code=2)
        try:
            parts = urlsplit(url)
            host, _port = parts.hostname, parts.port
            (host or "").encode("idna")
        except ValueError:
            raise wrong from None
        if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or not url.isprintable():
            raise wrong
        path = parts.path.rstrip("/")
        parts = parts._replace(path=path if path.endswith(PATH) else path + PATH, fragment="")
        plain = "".join(mark for mark in name if mark.isascii() and mark.isprintable())
        said = [("Allswell-Watcher", plain), ("Authorization", f"Bearer {token}" if token else "")]
        return cls(parts, tuple((header, value) for header, value in said if value))


def look(target: Target, *, timeout: float) -> str:
    """Why it does not watch; "" when it says that it does."""
    try:
        answer, body = _ask(target, time.monotonic() + timeout)
    except TimeoutError:
        return f"No answer within {timeout:g} s."
    except ssl.SSLCertVerificationError as error:
        return f"Its certificate is not right: {error.verify_message}."
    except ssl.SSLError as error:
        return f"No TLS: {error.reason or 'it broke off'}."
    except socket.gaierror:
        return "Its name is not known."
    except OSError as error:
        return f"It cannot be reached: {error.strerror or type(error).__name__}."
    except (http.client.HTTPException, ValueError):
        return "It answers with something that is no HTTP."
    return _judged(answer, body)


def _judged(answer: http.client.HTTPResponse, body: bytes) -> str:
    if 300 <= answer.status < 400:
        there = "".join(mark for mark in answer.headers.get("location", "") if mark.isprintable())[:200]
        return f"It redirects to {there or 'nowhere'}: is the address right?"
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    state = said.get("state") if isinstance(said, dict) else None
    if answer.status == 200 and state == "watching":
        return ""
    if answer.status == 503 and isinstance(said, dict) and isinstance(said.get("reason"), str):
        return "".join(mark for mark in said["reason"] if mark.isprintable())[:200]
    if answer.status == 200:
        return "It answers, but not as Allswell does: is the address right?"
    return f"It answers {answer.status}."


def _ask(target: Target, deadline: float) -> tuple[http.client.HTTPResponse, bytes]:
    url = target.url
    host, is_safe = url.hostname or "", url.scheme == "https"
    request = [f"GET {url.path} HTTP/1.1", f"Host: {url.netloc}", f"User-Agent: Allswell-watch/{allswell.__version__}"]
    request += [f"{name}: {value}" for name, value in target.headers]
    request += ["Accept: application/json", "Connection: close", "", ""]
    sock: socket.socket = socket.create_connection((host, url.port or (443 if is_safe else 80)), _left(deadline))
    try:
        if is_safe:
            sock.settimeout(_left(deadline))
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        sock.settimeout(_left(deadline))
        sock.sendall("\r\n".join(request).encode("latin-1"))
        return _parsed(_read(sock, deadline))
    finally:
        sock.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read(sock: socket.socket, deadline: float) -> bytes:
    """Everything until the other side hangs up, or its answer is whole."""
    kept = bytearray()
    while len(kept) < READ_LIMIT:
        sock.settimeout(_left(deadline))
        piece = sock.recv(16 * 1024)
        kept += piece
        if not piece or _is_whole(kept):
            break
    return bytes(kept)


def _is_whole(kept: bytearray) -> bool:
    head, gap, body = bytes(kept).partition(b"\r\n\r\n")
    if not gap:
        return False
    lines = head.lower().split(b"\r\n")
    if any(line.startswith(b"transfer-encoding:") for line in lines):
        return body.endswith(b"0\r\n\r\n")
    lengths = [line.partition(b":")[2].strip() for line in lines if line.startswith(b"content-length:")]
    return bool(lengths) and lengths[0].isdigit() and len(lengths[0]) < 9 and len(body) >= int(lengths[0])


class _Received:
    """Bytes that came, where http.client looks for a socket."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, mode: str) -> io.BytesIO:
        """What http.client reads."""
        return io.BytesIO(self._received)


def _parsed(received: bytes) -> tuple[http.client.HTTPResponse, bytes]:
    answer = http.client.HTTPResponse(_Received(received))  # type: ignore[arg-type]
    answer.begin()
    return answer, answer.read(READ_LIMIT)
