"""A mail as it arrived, read into what the desk asks of it: who, to whom, what about, its text, its files, what it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from . import bodies, head
from .files import Attachment
from .head import Address, Head
from .limits import USUAL, Limits, TooMuch
from .parts import Tree, tree

__all__ = ["Address", "Attachment", "Limits", "ParsedMail", "TooMuch", "parse"]

_ID = re.compile(r"<([^<>\s]{1,250})>")
_BARE_ID = re.compile(r"[^<>\s,;]{1,250}@[^<>\s,;]{1,250}")
_NOBODY = Address("", "")


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail. Addresses are lower case, ids without their brackets, texts clean; what is missing is empty.

    `html` is as the sender wrote it, to be sanitized where it is shown; it is empty, with a defect, where that would cost too much.
    In `text` and `html` inline images stay in place as `[cid:…]` and `cid:…`.
    """

    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    subject: str = ""
    from_: Address = _NOBODY
    sender: Address = _NOBODY
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    recipients: tuple[str, ...] = ()
    return_path: str | None = None
    date: datetime | None = None
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trace: tuple[tuple[str, str], ...] = ()
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    nested: tuple[ParsedMail, ...] = ()
    reports: tuple[tuple[str, str], ...] = ()
    content_type: str = "text/plain"
    report_type: str = ""
    calendar_method: str = ""
    is_encrypted: bool = False
    has_tnef: bool = False
    defects: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """The first header called `name` (lower case); "" where there is none."""
        return self.headers.get(name, ("",))[0]

    def has(self, name: str) -> bool:
        """Whether there is such a header, be it empty."""
        return name in self.headers


def parse(raw: bytes, limits: Limits = USUAL) -> ParsedMail:
    """The mail in `raw`. Raises TooMuch beyond the limits, and nothing else whatever the bytes are."""
    if len(raw) > limits.size:
        raise TooMuch("size")
    start = len(raw) - len(raw.lstrip(b"\r\n"))
    return _mail(tree(raw, start, len(raw), limits), limits)


def _mail(root: Tree, limits: Limits) -> ParsedMail:
    top = root.top.head
    content = bodies.gathered(root, limits)
    defects = [*root.defects, *content.defects]
    from_ = head.addresses(top.every("from"), limits)
    if len(from_) > 1:
        defects.append("several senders")
    defects += [f"more than one {name}" for name in ("from", "subject", "content-type", "message-id") if len(top.every(name)) > 1]
    recipients = [*top.every("to"), *top.every("cc")]
    if sum(value.count("@") for value in recipients) > limits.recipients:
        defects.append("too many recipients")
    return ParsedMail(
        message_id=next(iter(_ids(top.first("message-id"), limits)), ""),
        in_reply_to=tuple(_ids(top.first("in-reply-to"), limits)),
        references=tuple(_ids(" ".join(top.every("references")), limits)),
        subject=head.words(top.first("subject"), limits),
        from_=from_[0] if from_ else _NOBODY,
        sender=next(iter(head.addresses(top.every("sender"), limits)), _NOBODY),
        reply_to=tuple(head.addresses(top.every("reply-to"), limits)),
        to=tuple(head.addresses(top.every("to"), limits)),
        cc=tuple(head.addresses(top.every("cc"), limits)),
        recipients=_recipients(top, limits),
        return_path=_return_path(top),
        date=_date(top.first("date")),
        headers=head.kept(top.fields, limits),
        trace=_trace(top),
        text=content.text,
        html=content.html,
        attachments=tuple(content.attachments),
        nested=tuple(_mail(one, limits) for one in root.nested),
        reports=tuple(content.reports),
        content_type=root.top.content_type,
        report_type=root.top.params.get("report-type", "").strip().lower(),
        calendar_method=content.calendar_method,
        is_encrypted=content.is_encrypted,
        has_tnef=content.has_tnef,
        defects=tuple(dict.fromkeys(defects)),
    )


def _ids(value: str, limits: Limits) -> list[str]:
    """The ids in a field, in order, without their brackets. Some programs leave the brackets out."""
    value = value[: head.FIELD_LIMIT]
    found = _ID.findall(value) or _BARE_ID.findall(value)
    found = list(dict.fromkeys(head.one_line(one, 250) for one in found))
    return found if len(found) <= limits.references else [found[0], *found[1 - limits.references :]]


def _recipients(top: Head, limits: Limits) -> tuple[str, ...]:
    """The addresses this copy was delivered to, as servers noted them."""
    fields = [value for name in ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to") for value in top.every(name)]
    return tuple(dict.fromkeys(one.address for one in head.addresses(fields, limits) if one.address))


def _return_path(top: Head) -> str | None:
    """The sender of the envelope: "" for the null path of programs, None when nobody noted it."""
    for name in ("return-path", "x-envelope-from", "envelope-from"):
        if top.has(name):
            said = top.first(name).strip()
            return head.plain_address(said.strip("<> ")) or ("" if said in ("<>", "") else said.strip("<>")[:250].lower())
    return None


def _trace(top: Head) -> tuple[tuple[str, str], ...]:
    """What servers on the way noted, newest first: needed in its order to know who said it."""
    notes = [(name, value[:5_000]) for name, value in top.fields if name in ("received", "authentication-results")]
    return tuple(notes[:100])


def _date(said: str) -> datetime | None:
    """The date the sender wrote, in UTC; None where it cannot be read."""
    try:
        found = parsedate_to_datetime(said[:200])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None
