"""Who is calling, when proxies stand in between: only what trusted proxies say is believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address as proxies write it: bare, with a port, or bracketed. IPv4 inside IPv6 is unwrapped."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def caller(peer: str, header: Callable[[str], str | None], trusted: Sequence[Network]) -> tuple[str, str | None]:
    """The caller's address and, when a trusted proxy says so, the scheme the caller used ("http", "https" or None).

    `peer` is "address:port" of the connection. X-Forwarded-For is read from the right; the first address that is no trusted
    proxy is the caller. What stands left of it anybody may have written.
    """
    address = _address(peer)
    if address is None:
        return "", None
    if not trusted or not any(address in network for network in trusted):
        return str(address), None
    for hop in reversed((header("x-forwarded-for") or "").split(",")):
        found = _address(hop)
        if found is None:
            break
        address = found
        if not any(address in network for network in trusted):
            break
    scheme = (header("x-forwarded-proto") or "").rpartition(",")[2].strip().lower()
    return str(address), scheme if scheme in ("http", "https") else None
