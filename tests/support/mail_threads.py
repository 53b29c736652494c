"""How mail programs put mails together: Jamie Zawinski's algorithm (RFC 5256, THREAD=REFERENCES), without the step by subject."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from email.message import EmailMessage

_BLOB = re.compile(r"^(?:\s|(?:re|fwd?)\s*(?:\[[^\[\]]*\])?\s*:|\[[^\[\]]*\](?=.*\S))+", re.IGNORECASE)


def base_subject(said: str) -> str:
    """The subject without "Re:" and what stands in brackets before it (RFC 5256, section 2.1)."""
    return _BLOB.sub("", said).strip()


def _ids(mail: EmailMessage, name: str) -> list[str]:
    return re.findall(r"<([^<>\s]+)>", str(mail[name] or ""))


def parents(mails: Iterable[EmailMessage]) -> dict[str, str | None]:
    """Message-ID -> the id it stands under; ids that are only named stand there too, without a mail."""
    parent: dict[str, str | None] = {}

    def leads(above: str, below: str) -> bool:
        one: str | None = above
        while one is not None:
            if one == below:
                return True
            one = parent.get(one)
        return False

    for mail in mails:
        (own,) = _ids(mail, "Message-ID")
        named = _ids(mail, "References") or _ids(mail, "In-Reply-To")[:1]
        for above, below in itertools.pairwise(named):
            parent.setdefault(above, None)
            if parent.get(below) is None and not leads(above, below):
                parent[below] = above
        parent[own] = None
        if named and not leads(named[-1], own):
            parent.setdefault(named[-1], None)
            parent[own] = named[-1]
        parent.setdefault(own, None)
    return parent


def conversations(mails: Iterable[EmailMessage]) -> list[list[str]]:
    """The Message-IDs of the mails by conversation, as a mail program shows them."""
    mails = list(mails)
    parent = parents(mails)
    found: dict[str, list[str]] = {}
    for mail in mails:
        (own,) = _ids(mail, "Message-ID")
        root = own
        while (above := parent.get(root)) is not None:
            root = above
        found.setdefault(root, []).append(own)
    return list(found.values())
