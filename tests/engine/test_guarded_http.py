"""No address a user types in reaches a private machine, however it is written, and probing tells nothing (abuse test A36)."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from allswell.notifications.channels import guarded_http
from allswell.notifications.channels.guarded_http import Allowed, Unreachable
from tests.support.receiver import Receiver

NOBODY = Allowed()
LOCAL = Allowed.parse(["127.0.0.1"])


@pytest.fixture
def canary() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def post(url: str, allowed: Allowed = NOBODY, **more: Any) -> guarded_http.Reply:
    return guarded_http.post(url, body=b"{}", headers={}, allowed=allowed, **more)


PRIVATE = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST.:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://example.org@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.org/",
    "http://１２７.０.０.１:{port}/",
    "http://127。0。0。1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "ftp://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "//127.0.0.1:{port}/",
    "http://",
    "http:///x",
    "http://[::1",
    "http://127.0.0.1:99999/",
    "",
]


@pytest.mark.parametrize("pattern", PRIVATE)
def test_a_private_address_is_not_called_however_it_is_written(pattern: str, canary: Receiver) -> None:
    with pytest.raises(Unreachable) as refused:
        post(pattern.replace("{port}", str(canary.port)))
    assert str(refused.value) == guarded_http.UNREACHABLE
    assert (canary.connections, canary.calls) == (0, [])


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.254", "0.0.0.0", "224.0.0.1", "255.255.255.255",
     "192.0.2.1", "198.18.0.1", "fc00::1", "fd12:3456::1", "fe80::1", "ff02::1", "::", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
     "64:ff9b:1::1", "2001:db8::1", "2002:a00:1::", "2001::1", "fec0::1", "100::1"],
)  # fmt: skip
def test_what_is_not_the_open_internet(address: str) -> None:
    assert not guarded_http.is_open(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "172.32.0.1", "100.128.0.1"]
)
def test_what_is(address: str) -> None:
    assert guarded_http.is_open(ipaddress.ip_address(address))


def test_one_private_address_among_many_forbids_the_name(canary: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    def both(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(Unreachable):
        post(f"http://rebind.example:{canary.port}/")
    assert canary.connections == 0


def test_a_name_that_changes_its_mind_is_connected_where_it_was_checked(
    canary: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    connected: list[str] = []

    def flipping(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, 1, 6, "", (address, port))]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", flipping)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        post(f"http://rebind.example:{canary.port}/")
    assert asked == ["rebind.example"]
    assert connected == ["93.184.215.14"]
    assert canary.connections == 0


def test_a_redirect_is_an_answer_not_an_errand(canary: Receiver) -> None:
    with Receiver() as door:
        door.answers["/hook"] = (302, {"Location": canary.url("/secret")}, b"")
        assert post(door.url(), Allowed.parse(["127.0.0.0/8"])).status == 302
    assert canary.connections == 0


def test_the_operator_may_allow_a_network_or_a_name(canary: Receiver) -> None:
    assert post(canary.url(), LOCAL).status == 204
    assert post(f"http://localhost:{canary.port}/x", Allowed.parse(["LOCALHOST"])).status == 204
    with pytest.raises(Unreachable):
        post(canary.url(), Allowed.parse(["10.0.0.0/8", "example.org"]))


def test_the_environment_cannot_send_it_through_a_proxy(canary: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", canary.url(""))
    monkeypatch.setenv("ALL_PROXY", canary.url(""))
    with pytest.raises(Unreachable):
        post("http://10.255.255.1:9/", deadline=1.0)
    assert canary.connections == 0


def test_an_endless_answer_is_cut(canary: Receiver) -> None:
    canary.answers["/hook"] = (200, {}, b"x" * 1_000_000)
    assert len(post(canary.url(), LOCAL).body) == guarded_http.READ_LIMIT


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        peer, _ = listening.accept()
        with peer:
            peer.recv(65536)
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 1000:
                try:
                    peer.sendall(bytes([byte]))
                except OSError:
                    return
                time.sleep(0.05)

    slow = threading.Thread(target=drip, daemon=True)
    slow.start()
    begun = time.monotonic()
    with listening, pytest.raises(Unreachable):
        post(f"http://127.0.0.1:{listening.getsockname()[1]}/", LOCAL, deadline=0.6)
    assert time.monotonic() - begun < 3
    slow.join(5)


def test_a_name_that_is_looked_up_for_ever_does_not_hold_up_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    may_answer, answered = threading.Event(), threading.Event()

    def never(*_args: Any, **_more: Any) -> list[Any]:
        may_answer.wait(30)
        answered.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    with pytest.raises(Unreachable) as refused:
        post("http://slow.example.org/", deadline=0.3)
    assert refused.value.is_certain
    assert not answered.is_set()
    may_answer.set()
