"""Mails to those who asked, in an organization's own words: texts with holes that are filled once. Pure.

`{{ticket.title}}` is a hole. There is a fixed list of names for each kind of mail, and a name stands for one text: no code, no
attributes, no loops. What fills a hole is never looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from allswell.journal.rules import Verb
from allswell.kernel import text as texts
from allswell.kernel.errors import Invalid

from .notices import Topic

SUBJECT_LIMIT = 200
TEXT_LIMIT = 10_000
#: holes in one text
MOST_HOLES = 40
#: what may be long, and so stands once in the text and never in the subject
LONG = frozenset({"reply", "resolution"})
_BRACES = re.compile(r"\{\{|\}\}")


class MailKind(StrEnum):
    """What a mail to those who asked tells of."""

    RECEIVED = "received"
    REPLIED = "replied"
    WAITING = "waiting"
    RESTORED = "restored"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CLOSED = "closed"
    CANCELLED = "cancelled"


_OF_VERB: dict[str, MailKind] = {
    Verb.WAITED: MailKind.WAITING,
    Verb.RESTORED: MailKind.RESTORED,
    Verb.RESOLVED: MailKind.RESOLVED,
    Verb.FULFILLED: MailKind.RESOLVED,
    Verb.REOPENED: MailKind.REOPENED,
    Verb.CLOSED: MailKind.CLOSED,
    Verb.CANCELLED: MailKind.CANCELLED,
}
_EVERYWHERE = (
    "ticket.reference",
    "ticket.title",
    "recipient.name",
    "requester.name",
    "organization.name",
    "service.name",
    "link",
)
_OF_KIND: dict[MailKind, tuple[str, ...]] = {MailKind.RECEIVED: (), MailKind.RESOLVED: ("agent.name", "reply", "resolution")}
_OF_KIND |= {MailKind.CLOSED: _OF_KIND[MailKind.RESOLVED]}


@dataclass(frozen=True, slots=True)
class Hole:
    """A place in a text that a value takes."""

    name: str


Pieces: TypeAlias = tuple[str | Hole, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A subject and a text that can be filled."""

    subject: Pieces
    text: Pieces

    @classmethod
    def parse(cls, subject: str, text: str, *, kind: MailKind) -> Template:
        """Raises Invalid, beside `subject` or `text`."""
        subject = texts.line(subject, field="subject", limit=SUBJECT_LIMIT)
        text = texts.prose(text, field="text", limit=TEXT_LIMIT, required=True)
        short = tuple(name for name in names(kind) if name not in LONG | {"link"})
        return cls(_pieces(subject, short, field="subject"), _pieces(text, names(kind), field="text"))

    @property
    def takes_reply(self) -> bool:
        """Whether what somebody wrote has a place in it."""
        return Hole("reply") in self.text


def names(kind: MailKind) -> tuple[str, ...]:
    """The names that a text of this kind may hold."""
    return _EVERYWHERE + _OF_KIND.get(kind, ("agent.name", "reply"))


def kind_of(told: Iterable[tuple[Topic, str]]) -> MailKind | None:
    """What a mail is that tells these (topic, verb) of one ticket; None: its words are always the built-in ones.

    Where it stands now counts more than what was said.
    """
    found: MailKind | None = None
    has_state = False
    for topic, verb in told:
        if topic is Topic.STATE:
            found, has_state = _OF_VERB.get(verb), True
        elif topic not in (Topic.RECEIVED, Topic.REPLIED):
            return None
        elif not has_state and found is not MailKind.REPLIED:
            found = MailKind.REPLIED if topic is Topic.REPLIED else MailKind.RECEIVED
    return found


def _pieces(text: str, known: tuple[str, ...], *, field: str) -> Pieces:
    """A text as what stands in it and its holes. Raises Invalid."""
    parts = _BRACES.split(text)
    braces = _BRACES.findall(text)
    if braces != ["{{", "}}"] * (len(braces) // 2):
        raise Invalid("Each {{ needs its }}, such as {{ticket.reference}}.", field=field)
    found: list[str | Hole] = []
    for place, part in enumerate(parts):
        if place % 2 == 0:
            found += [part] if part else []
            continue
        name = part.strip()
        if name not in known:
            listed = ", ".join(f"{{{{{one}}}}}" for one in known)
            raise Invalid("Nothing here is called “%(name)s”. There are: %(names)s.", field=field, name=name[:60], names=listed)
        if name in LONG and Hole(name) in found:
            raise Invalid("“%(name)s” may stand here once.", field=field, name=name)
        found.append(Hole(name))
    if len(braces) // 2 > MOST_HOLES:
        raise Invalid("Use at most %(limit)s of the names in braces.", field=field, limit=MOST_HOLES)
    return tuple(found)


def filled(pieces: Pieces, values: Mapping[str, str]) -> str:
    """The text with each hole taken by its value; what has no value is empty."""
    return "".join(values.get(piece.name, "") if isinstance(piece, Hole) else piece for piece in pieces)


def lines(pieces: Pieces, values: Mapping[str, str]) -> list[Pieces]:
    """The lines of a text. One that held nothing but holes without a value is left out, and no two empty ones follow each other."""
    rows: list[list[str | Hole]] = [[]]
    for piece in pieces:
        if isinstance(piece, Hole):
            rows[-1].append(piece)
            continue
        first, *others = piece.split("\n")
        rows[-1] += [first] if first else []
        rows += [[part] if part else [] for part in others]
    kept: list[Pieces] = []
    for row in rows:
        if any(isinstance(piece, Hole) for piece in row) and not filled(tuple(row), values).strip():
            continue
        if row or (kept and kept[-1]):
            kept.append(tuple(row))
    return kept[:-1] if kept and not kept[-1] else kept


def subject_of(template: Template, values: Mapping[str, str]) -> str:
    """The subject; the reference stands in it in any case, by which an answer is known."""
    mark = f"[{values.get('ticket.reference', '')}]"
    said = " ".join(filled(template.subject, values).split())
    return said if mark in said else f"{mark} {said}"


def verb_of(kind: MailKind) -> str:
    """A journal verb that such a mail tells of; "" where none does."""
    return next((str(verb) for verb, one in _OF_VERB.items() if one is kind), "")
