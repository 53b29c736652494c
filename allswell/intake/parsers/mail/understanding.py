"""All that the desk asks of a mail, asked at once: reading it needs no database, so that it can be done where it may be killed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from allswell.kernel import pictures

from . import authentication, delivery, forwarding, kinds, message, quoting, thanks
from .authentication import Authentication
from .delivery import DeliveryReport
from .files import Attachment
from .forwarding import Forwarded
from .kinds import Judgement
from .message import ParsedMail
from .references import Own

_MARK = re.compile(r"[\W\d_]+")
_INLINE = re.compile(r"\[cid:([^\]\s]{1,200})\]")
_LINK = re.compile(r"\](?=\()")
_HEADING = re.compile(r"^([ ]{0,3})(?=#{1,6}(?:[ \t]|$))", re.MULTILINE)
_UNDERLINE = re.compile(r"^([ ]{0,3})(?=(?:-+|=+)[ \t]*$)", re.MULTILINE)
#: pixels; what is smaller in one direction is an ornament of a signature or a spacer, and says nothing in the text
_SMALLEST = 50
#: so much of a text says what it is
_MARKED = 4_000


@dataclass(frozen=True, slots=True)
class Understood:
    """A mail and what it comes to. `mail` is without its page and the mails inside it, which are among its files.

    `said` is what was written now, as Markdown that shows as it was typed; `folded` what it quotes and its signature.
    `mark` is the same for mails that say the same, whatever the numbers in them; `content` only for the same mail, be it brought by
    another server: its date, its words and its files. `said_id` is the mail that a report is about.
    """

    mail: ParsedMail
    judgement: Judgement
    said: str
    folded: str
    mark: str
    content: str
    is_thanks: bool
    authentication: Authentication
    original: Forwarded | None
    reports: tuple[DeliveryReport, ...]
    said_id: str


def understand(raw: bytes, own: Own, *, authserv: str = "", hops: int = 2) -> Understood:
    """All of it. Raises TooMuch beyond the limits, and nothing else whatever the bytes are."""
    mail = _named_apart(message.parse(raw))
    judgement = kinds.classify(mail, own)
    is_forward = forwarding.is_forward(mail)
    split = quoting.split(mail.text, is_forward=is_forward)
    visible = split.visible or mail.text.strip()
    folded = "\n\n".join(part for part in (split.signature, split.quoted) if part) if split.visible else ""
    is_report = bool(mail.reports) or judgement.kind in (kinds.MailKind.BOUNCE, kinds.MailKind.DELIVERY_REPORT)
    return Understood(
        mail=replace(mail, html="", nested=(), reports=()),
        judgement=judgement,
        said=as_markdown(_in_place(visible, mail)),
        folded=folded,
        mark=_mark(mail.subject, visible),
        content=_content(mail, visible),
        is_thanks=thanks.is_thanks_only(split.visible) and not mail.attachments,
        authentication=authentication.authenticate(mail, authserv, hops=hops),
        original=forwarding.original(mail) if is_forward else None,
        reports=delivery.reports(mail) if is_report else (),
        said_id=delivery.original_message_id(mail) if is_report else "",
    )


def as_markdown(text: str) -> str:
    """Text as somebody typed it, so that Markdown shows it so: no headings nobody meant, no link under other words."""
    return _UNDERLINE.sub(r"\1\\", _HEADING.sub(r"\1\\", _LINK.sub("]\\\\", text)))


def _in_place(text: str, mail: ParsedMail) -> str:
    """The text with the names of its images where the images are, as far as they show something."""
    names = {one.content_id: "" if _is_ornament(one) else f"[{one.name}]" for one in mail.attachments if one.content_id}
    return _INLINE.sub(lambda found: names.get(found.group(1), "[…]"), text) if names else text


def _is_ornament(file: Attachment) -> bool:
    size = pictures.measured(file.payload[: pictures.HEAD])
    return size is not None and min(size) < _SMALLEST


def _named_apart(mail: ParsedMail) -> ParsedMail:
    """The mail with another name for each of its files: programs call every picture image.png, and a name says where it belongs."""
    taken: set[str] = set()
    files = []
    for one in mail.attachments:
        name, count = one.name, 1
        stem, dot, ending = name.rpartition(".")
        while name in taken:
            count += 1
            name = f"{stem or ending}-{count}{dot}{ending if stem else ''}"
        taken.add(name)
        files.append(one if name == one.name else replace(one, name=name))
    return replace(mail, attachments=tuple(files))


def _mark(subject: str, visible: str) -> str:
    words = _MARK.sub(" ", f"{subject[:250]} {visible[:_MARKED]}".lower())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:32]


def _content(mail: ParsedMail, visible: str) -> str:
    """Blanks and the ends of lines do not count: servers change them on the way."""
    date = mail.date.isoformat() if mail.date is not None else ""
    files = [f"{one.name} {hashlib.sha256(one.payload).hexdigest()}" for one in mail.attachments]
    whole = "\0".join([date, *(" ".join(said.split()) for said in (mail.subject, visible)), *files])
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:32]
