"""Who wrote a mail that somebody passed on: the desk asks whether they should be the requester."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import head, phrases
from .limits import USUAL
from .message import Address, ParsedMail

_BARE = re.compile(r"^[ \t>*|]+")
_VALUE = re.compile(r"^[^:：]{1,24}[:：]\*{0,2}[ \t]*")
_MAILTO = re.compile(r"\[mailto: ?([^\]\s]{3,254})\]|<mailto:[^<>\s]{1,254}>")
#: where the head of the mail passed on must begin, when no line announces it
EARLY_LINES, BLOCK_LINES = 40, 16


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The mail that was passed on, as far as its head tells."""

    sender: Address
    subject: str
    message_id: str = ""


def is_forward(mail: ParsedMail) -> bool:
    """Whether this mail passes another one on: by its subject, a line that says so, or a mail enclosed without an answer."""
    subject = phrases.ANSWER_SUBJECT.sub("", mail.subject)
    if phrases.FORWARD_SUBJECT.match(subject.lstrip()) or mail.has("x-forwarded-message-id"):
        return True
    return any(phrases.FORWARD_MARK.match(line[:100]) for line in mail.text.split("\n", 200)[:200] if line[:1] in "->*BADIVPF=_")


def original(mail: ParsedMail) -> Forwarded | None:
    """The mail passed on in this one; None where this is no forward, or nothing tells whose it was."""
    if not is_forward(mail):
        return None
    if mail.nested and mail.nested[0].from_.address:
        inner = mail.nested[0]
        return Forwarded(inner.from_, inner.subject, inner.message_id)
    lines = [_BARE.sub("", line.strip()) for line in mail.text.split("\n", 2_000)[:2_000]]
    marks = [
        at for at, line in enumerate(lines) if phrases.FORWARD_MARK.match(line[:100]) or phrases.ORIGINAL_MARK.match(line[:120])
    ]
    starts = [at + 1 for at in marks[:3]] or [
        at for at, line in enumerate(lines[:EARLY_LINES]) if phrases.label_of(line) == "from"
    ]
    for start in starts:
        if (found := _read(lines, start)) is not None:
            return found
    return None


def _read(lines: list[str], start: int) -> Forwarded | None:
    """The sender and subject of the head that begins about here."""
    said: dict[str, str] = {}
    last = ""
    for line in lines[start : start + BLOCK_LINES]:
        if not line:
            if said:
                break
            continue
        label = phrases.label_of(line)
        if label:
            said.setdefault(label, _VALUE.sub("", line, count=1).strip("* "))
            last = label
        elif last:
            said[last] += f" {line}"
    if "from" not in said or len(said) < 2:
        return None
    written = _MAILTO.sub(lambda found: f"<{found.group(1)}>" if found.group(1) else "", said["from"][:500])
    sender = next((one for one in head.addresses([written], USUAL) if one.address), None)
    return Forwarded(sender, head.one_line(said.get("subject", ""), 500)) if sender else None
