"""Only what trusted proxies say about the caller is believed."""

from __future__ import annotations

import ipaddress

import pytest

from allswell.boot.proxies import caller

TRUSTED = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128")]


@pytest.mark.parametrize(
    ("peer", "said", "address"),
    [
        ("203.0.113.9:4711", {}, "203.0.113.9"),
        ("203.0.113.9:4711", {"x-forwarded-for": "127.0.0.1"}, "203.0.113.9"),  # nobody we trust says so
        ("10.0.0.1:4711", {"x-forwarded-for": "203.0.113.9"}, "203.0.113.9"),
        ("10.0.0.1:4711", {"x-forwarded-for": "127.0.0.1, 203.0.113.9"}, "203.0.113.9"),  # the caller wrote the first
        ("10.0.0.1:4711", {"x-forwarded-for": "203.0.113.9, 10.0.0.2"}, "203.0.113.9"),  # two proxies
        ("10.0.0.1:4711", {"x-forwarded-for": "203.0.113.9:1234"}, "203.0.113.9"),
        ("10.0.0.1:4711", {"x-forwarded-for": "[2001:db8::1]:443"}, "2001:db8::1"),
        ("10.0.0.1:4711", {"x-forwarded-for": "nonsense"}, "10.0.0.1"),
        ("10.0.0.1:4711", {}, "10.0.0.1"),
        ("[::ffff:10.0.0.1]:4711", {"x-forwarded-for": "203.0.113.9"}, "203.0.113.9"),
        ("[::1]:4711", {"x-forwarded-for": "203.0.113.9"}, "203.0.113.9"),
        ("", {}, ""),
    ],
)
def test_the_caller_is_the_first_address_no_trusted_proxy_wrote(peer: str, said: dict[str, str], address: str) -> None:
    assert caller(peer, said.get, TRUSTED)[0] == address


def test_the_scheme_is_believed_from_a_trusted_proxy_only() -> None:
    assert caller("10.0.0.1:1", {"x-forwarded-proto": "https"}.get, TRUSTED)[1] == "https"
    assert caller("10.0.0.1:1", {"x-forwarded-proto": "gopher"}.get, TRUSTED)[1] is None
    assert caller("203.0.113.9:1", {"x-forwarded-proto": "https"}.get, TRUSTED)[1] is None
    assert caller("10.0.0.1:1", {"x-forwarded-proto": "https"}.get, [])[1] is None
