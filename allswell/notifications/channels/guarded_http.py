"""The one HTTP client for every outgoing call to an address somebody typed in.

The name is resolved once, every address of it is checked, and the connection goes to a checked address (no second look-up that could
answer otherwise). No redirects, no proxies of the environment, no user-info, one deadline for the whole call, a small cap on what is
read. Whoever set up a bad address learns only that it cannot be reached: a refused, a filtered and a forbidden one look alike.
"""

from __future__ import annotations

import ipaddress
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore
import httpx

log = logging.getLogger(__name__)

DEADLINE = 15.0  # seconds for the whole call
CONNECTS_WITHIN = 5.0
READ_LIMIT = 64 * 1024  # bytes of an answer
UNREACHABLE = "The address cannot be reached."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: what `is_global` lets through or judges by the outer address only
_NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip


class Unreachable(Exception):
    """The call did not get an answer; why is in the log, not in the message. `is_certain`: nothing of it was handed over."""

    def __init__(self, *, is_certain: bool = True) -> None:
        super().__init__(UNREACHABLE)
        self.is_certain = is_certain


class Forbidden(Exception):
    """The address is not one of the open internet and is not allowed by the operator."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `headers` have lower-case names; `body` is cut at READ_LIMIT."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows although it is private: networks, and host names (then whatever they resolve to)."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, words: Iterable[str]) -> Allowed:
        """From the words of ALLSWELL_OUTGOING_ALLOW."""
        networks, hosts = [], set()
        for word in words:
            try:
                networks.append(ipaddress.ip_network(word.strip("[]"), strict=False))
            except ValueError:
                hosts.add(word.lower().rstrip("."))
        return cls(tuple(networks), frozenset(hosts))


def is_open(address: Address) -> bool:
    """Whether an address belongs to the open internet. An IPv4 address mapped into IPv6 counts as what it stands for."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_global and not any(address in network for network in _NEVER if network.version == address.version)


def checked_addresses(host: str, port: int, allowed: Allowed) -> list[str]:
    """The addresses of a host, every one checked: a single forbidden one forbids the host. Raises Forbidden, OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if host.lower().rstrip(".") in allowed.hosts:
        return addresses
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped else address
        if not is_open(address) and not any(inner in net for net in allowed.networks if net.version == inner.version):
            raise Forbidden(f"{host} is {text}")
    return addresses


def _looked_up(host: str, port: int, allowed: Allowed, *, within: float) -> list[str]:
    """The same with an end: looking a name up knows no deadline of its own, so it is left alone when it takes too long."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return checked_addresses(host, port, allowed)
    told: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            told.put(checked_addresses(host, port, allowed))
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
            told.put(error)

    threading.Thread(target=ask, daemon=True, name="look-up").start()
    try:
        found = told.get(timeout=within)
    except queue.Empty:
        raise httpcore.ConnectTimeout("looking the name up took too long") from None
    if isinstance(found, Exception):
        raise found
    return found


def dial(host: str, port: int, *, allowed: Allowed, within: float) -> socket.socket:
    """A connection to a checked address, for what speaks another protocol than HTTP. Raises Unreachable, whatever the reason."""
    until = time.monotonic() + within
    try:
        for address in _looked_up(host, port, allowed, within=within)[:3]:
            left = min(CONNECTS_WITHIN, max(0.1, until - time.monotonic()))
            try:
                return socket.create_connection((address, port), left)
            except OSError as error:
                log.info("a connection failed: %s", type(error).__name__)
    except Forbidden as error:
        log.warning("refused to call a private address: %s (ALLSWELL_OUTGOING_ALLOW lists what may be called)", error)
    except (OSError, UnicodeError, httpcore.TimeoutException) as error:
        log.info("a connection failed: %s", type(error).__name__)
    raise Unreachable


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends by the deadline of the whole call."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the call took too long")
        return min(left, timeout or left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._left(timeout)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Connects to checked addresses only; the name is looked up here and nowhere else."""

    def __init__(self, allowed: Allowed, deadline: float) -> None:
        self._allowed, self._deadline, self._inner = allowed, deadline, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            left = max(0.1, self._deadline - time.monotonic())
            addresses = _looked_up(host, port, self._allowed, within=left)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses[:3]:
            try:
                left = min(CONNECTS_WITHIN, max(0.1, self._deadline - time.monotonic()))
                return _Stream(self._inner.connect_tcp(address, port, left), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise Forbidden("sockets of this machine are not called")


_READING = threading.Lock()


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def trusted() -> ssl.SSLContext:
    """Reading the certificates of this machine takes longer than most calls: once is enough for a process, however many call first."""
    with _READING:
        return _certificates()


def is_callable(url: str) -> bool:
    """Whether an address has the form of one that may be called: http or https, a host, nobody's name and password in it."""
    return _parsed(url) is not None


def _parsed(url: str) -> httpx.URL | None:
    """An address in its parts; None when it may not be called."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, UnicodeError):
        return None
    return parts if parts.scheme in ("http", "https") and parts.host and not parts.userinfo else None


#: a call that ended so was never handed over: there was no connection to hand it to
_BEFORE = (httpcore.ConnectError, httpcore.ConnectTimeout)


def post(url: str, *, body: bytes, headers: Mapping[str, str], allowed: Allowed, deadline: float = DEADLINE) -> Reply:
    """Send `body` to the address. Raises Unreachable, whatever the reason."""
    return request("POST", url, body=body, headers=headers, allowed=allowed, deadline=deadline)


def request(
    method: str, url: str, *, body: bytes, headers: Mapping[str, str], allowed: Allowed, deadline: float = DEADLINE
) -> Reply:
    """Send `body` to the address by a method. Raises Unreachable, whatever the reason."""
    parts = _parsed(url)
    if parts is None:
        raise Unreachable
    backend = _Backend(allowed, time.monotonic() + deadline)
    target = httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)
    own = {"host": parts.netloc.decode("ascii"), "accept": "*/*", "accept-encoding": "identity", "connection": "close"}
    context = trusted() if parts.scheme == "https" else None
    try:
        said = [(name.encode("ascii"), value.encode("ascii")) for name, value in (own | dict(headers)).items()]
        with (
            httpcore.HTTPConnection(target.origin, ssl_context=context, network_backend=backend) as connection,
            connection.stream(method, target, headers=said, content=body) as answer,
        ):
            return Reply(answer.status, _headers(answer.headers), _start_of(answer.iter_stream()))
    except Forbidden as error:
        log.warning("refused to call a private address: %s (ALLSWELL_OUTGOING_ALLOW lists what may be called)", error)
        raise Unreachable from None
    except (
        httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError, ValueError
    ) as error:  # fmt: skip
        log.info("a call failed: %s", type(error).__name__)
        raise Unreachable(is_certain=isinstance(error, _BEFORE)) from None


def _headers(said: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their lower-case names; what is said several times, together."""
    found: dict[str, str] = {}
    for name, value in said:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _start_of(pieces: Iterable[bytes]) -> bytes:
    """What was answered, up to READ_LIMIT."""
    kept = bytearray()
    for piece in pieces:
        kept += piece
        if len(kept) >= READ_LIMIT:
            break
    return bytes(kept[:READ_LIMIT])
