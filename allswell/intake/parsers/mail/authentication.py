"""Whether the sender of a mail is who they say, as far as a server we trust has checked it (RFC 8601)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .message import ParsedMail

_TOKEN = re.compile(r'\\.|[()"]|[^()"\\]+|\\', re.DOTALL)
#: what divides results; inside quotation marks it divides nothing
_DIVIDING = re.compile(r"[\s;=()]")
_RESULT = re.compile(r"(?:^|;)\s*+([a-z0-9-]{1,30})(?:/\d{1,3})?\s*=\s*([a-z]{2,20})\b([^;]*+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b((?:header|smtp|policy)\.[a-z0-9-]{1,30})\s*=\s*((?:\"[^\"]*\"|[^\s;\"])+)", re.IGNORECASE)
_AUTHSERV = re.compile(r"\s*(\"[^\"]*\"|[^\s;]+)(?:\s+\d{1,3})?\s*(?=;|$)")


@dataclass(frozen=True, slots=True)
class Authentication:
    """What was checked. `is_checked`: our server said anything; `is_aligned`: the address in From is proven."""

    is_checked: bool = False
    is_aligned: bool = False
    dmarc: str = ""
    spf: str = ""
    dkim: str = ""
    why: str = "no result of a trusted server"


def authenticate(mail: ParsedMail, trusted: str, *, hops: int = 2) -> Authentication:
    """Reads the results of the server called `trusted` (its authserv-id).

    Anybody can write such a header; only one that stands above the last `hops` Received was put there by our own servers.
    """
    said = _trusted(mail, trusted.strip().lower(), hops)
    if not said:
        return Authentication()
    results = [one for text in said for one in _results(text)]
    dmarc, spf, dkim = (_told(results, name) for name in ("dmarc", "spf", "dkim"))
    if any(found == "pass" for method, found, _ in results if method == "dkim"):
        dkim = "pass"
    aligned, why = _aligned(mail, dmarc, results)
    return Authentication(True, aligned, dmarc, spf, dkim, why)


def _trusted(mail: ParsedMail, trusted: str, hops: int) -> list[str]:
    found: list[str] = []
    passed = 0
    for name, value in mail.trace:
        if name == "received":
            passed += 1
            if passed > hops or found:
                break
            continue
        text = _plain(value)
        server = _AUTHSERV.match(text)
        if trusted and server and server.group(1).strip('"').lower() == trusted:
            found.append(text[server.end() :])
    return found


def _plain(value: str) -> str:
    """A header without its comments, and with nothing inside quotation marks that divides results: senders choose what stands there."""
    depth, is_quoted, kept = 0, False, []
    for token in _TOKEN.findall(value):
        if is_quoted:
            is_quoted = token != '"'
            kept.append('"' if token == '"' else _DIVIDING.sub("_", token).replace('"', "_"))
        elif token == "(":
            depth += 1
        elif token == ")":
            depth = max(0, depth - 1)
        elif not depth:
            is_quoted = token == '"'
            kept.append(token)
    return "".join(kept)


def _told(results: list[tuple[str, str, dict[str, str]]], method: str) -> str:
    """What a check came to. Of DMARC the first that is not a pass: there is one of it, and a second is not by the server."""
    found = [one for name, one, _ in results if name == method]
    if method == "dmarc":
        return next((one for one in found if one != "pass"), found[0] if found else "")
    return found[0] if found else ""


def _results(text: str) -> list[tuple[str, str, dict[str, str]]]:
    return [
        (method.lower(), found.lower(), {name.lower(): value.strip('"').lower() for name, value in _PROPERTY.findall(rest)})
        for method, found, rest in _RESULT.findall(text)
    ]


def _aligned(mail: ParsedMail, dmarc: str, results: list[tuple[str, str, dict[str, str]]]) -> tuple[bool, str]:
    domain = mail.from_.domain
    if not domain or "several senders" in mail.defects or "more than one from" in mail.defects:
        return False, "the mail names no sender, or several"
    if dmarc and dmarc not in ("pass", "none", "bestguesspass"):
        return False, f"dmarc={dmarc}"
    for method, found, given in results:
        if found != "pass":
            continue
        if method == "dmarc" and given.get("header.from", domain).rpartition("@")[2] == domain:
            return True, "dmarc=pass"
        signer = given.get("header.d") or given.get("header.i", "").rpartition("@")[2]
        if method == "dkim" and signer == domain:
            return True, f"dkim=pass for {domain}"
        if method == "spf" and given.get("smtp.mailfrom", given.get("smtp.mail", "")).rpartition("@")[2] == domain:
            return True, f"spf=pass for {domain}"
    return False, "nothing that passed belongs to the domain of the sender"
