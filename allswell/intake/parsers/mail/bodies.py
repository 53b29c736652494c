"""What a mail says: its text, its page, its files and reports, gathered from its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice, pairwise

from allswell.kernel import text as texts

from . import head, pages
from .charsets import codec_of, decode
from .files import Attachment, safe_name
from .limits import Limits
from .parts import Part, Tree, uu_lines

_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,200})$", re.MULTILINE)
_META = re.compile(rb"charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_.:-]{1,40})")
_REPORTS = {
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
    "text/rfc822-headers",
} | {
    "message/feedback-report",
    "message/global-headers",
}
_METHOD = re.compile(r"^METHOD:([A-Z]{3,20})\s*$", re.MULTILINE)
_ENCRYPTED = {"application/pgp-encrypted", "multipart/encrypted"}


@dataclass(slots=True)
class Content:
    """What was found in the parts of one mail."""

    text: str = ""
    html: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    reports: list[tuple[str, str]] = field(default_factory=list)
    calendar_method: str = ""
    is_encrypted: bool = False
    has_tnef: bool = False
    defects: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Said:
    """What one part says, as text and as a page; either may be missing."""

    plain: str = ""
    html: str = ""


def gathered(mail: Tree, limits: Limits) -> Content:
    """The content of a mail, without that of the mails inside."""
    found = Content()
    said = _walk(mail.top, found, limits, is_top=True)
    plain = [one.plain if one.plain.strip() else pages.text_of(one.html, limits) for one in said]
    whole = "\n\n".join(one.strip("\n") for one in plain if one.strip())
    if len(whole) > limits.text:
        found.defects.append("a text longer than what is read")
    found.text = texts.clean(whole[: limits.text]).strip("\n")
    if any(one.html for one in said):
        found.html = "\n".join(one.html or pages.page_of(one.plain) for one in said)
        if why := pages.too_costly(found.html, limits):
            found.html = ""
            found.defects.append(why)
    return found


def _walk(part: Part, found: Content, limits: Limits, *, is_top: bool = False) -> list[_Said]:
    kind = part.content_type
    found.is_encrypted = found.is_encrypted or kind in _ENCRYPTED or part.params.get("smime-type", "") == "enveloped-data"
    found.has_tnef = found.has_tnef or kind in ("application/ms-tnef", "application/vnd.ms-tnef")
    if part.children:
        said = [one for child in part.children for one in _walk(child, found, limits)]
        if kind == "multipart/alternative":
            plain = next((one.plain for one in said if one.plain.strip()), "")
            html = next((one.html for one in reversed(said) if one.html.strip()), "")
            return [_Said(plain, html)] if plain or html else []
        return said
    if kind in _REPORTS:
        found.reports.append((kind, _text(part, found, limits.report)))
        return []
    disposition, given = head.parameters(part.head.first("content-disposition"))
    name = given.get("filename", "") or part.params.get("name", "")
    if kind in ("text/plain", "text/html") and disposition != "attachment" and not name:
        return _body(part, found, limits)
    if kind == "text/calendar" and (method := _METHOD.search(_text(part, found, 100_000))):
        found.calendar_method = method.group(1)
    if is_top and kind.startswith("text/") and disposition != "attachment" and kind != "text/calendar":
        return _body(part, found, limits)
    _attach(part, name, disposition, found, limits)
    return []


def _body(part: Part, found: Content, limits: Limits) -> list[_Said]:
    if part.content_type == "text/html":
        return [_Said(html=_text(part, found, limits.html * 2))]
    octets = part.octets()
    if b"begin " in octets and _UU_BEGIN.search(octets):
        octets = _without_uu(octets, found, limits)
    text = _decoded(octets[: limits.text * 4], part, found)
    if part.params.get("format", "").lower() == "flowed":
        text = _flowed(text.split("\n"), joined_without_blank=part.params.get("delsp", "").lower() == "yes")
    return [_Said(plain=text)]


def _flowed(lines: list[str], *, joined_without_blank: bool) -> str:
    """A text with format=flowed: a line that ends in a blank goes on in the next one. Quoted lines are left as they are."""
    pieces = []
    for line, following in pairwise([*lines, ""]):
        is_open = (
            line.endswith(" ")
            and line != "-- "
            and line[:1] != ">"
            and following[:1] not in ("", ">", " ")
            and following != "-- "
        )
        pieces.append((line[:-1] if joined_without_blank else line) if is_open else f"{line}\n")
    return "".join(pieces)


def _text(part: Part, found: Content, limit: int) -> str:
    return _decoded(part.octets()[:limit], part, found)


def _decoded(octets: bytes, part: Part, found: Content) -> str:
    declared = part.params.get("charset", "").strip("\"' ")
    if part.content_type == "text/html" and not codec_of(declared) and (meta := _META.search(octets, 0, 2_000)):
        declared = meta.group(1).decode("ascii")
    text, is_true = decode(octets, declared)
    if not is_true and declared:
        found.defects.append("not in the character set it claims")
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def _attach(part: Part, name: str, disposition: str, found: Content, limits: Limits) -> None:
    number = len(found.attachments) + 1
    if part.message is not None:
        name = name or f"{head.words(part.message.top.head.first('subject'), limits, 100)}.eml".replace("/", "_")
        payload = part.raw[part.start : part.end] if part.encoding not in ("base64", "quoted-printable") else part.octets()
    else:
        payload = part.octets()
        if part.encoding == "base64" and not payload and part.end - part.start > 4:
            found.defects.append("an attachment that cannot be decoded")
    content_id = head.one_line(part.head.first("content-id").strip("<> "), 200)
    is_inline = (bool(content_id) and disposition != "attachment") or (
        disposition == "inline" and part.content_type.startswith("image/")
    )
    kind = part.content_type
    found.attachments.append(
        Attachment(safe_name(name, kind, number, limits), kind, content_id, len(payload), payload, is_inline)
    )


def _without_uu(octets: bytes, found: Content, limits: Limits) -> bytes:
    """The text without the uuencoded files in it, which become attachments."""
    begins = list(islice(_UU_BEGIN.finditer(octets), limits.parts))
    rest = [octets[: begins[0].start()]]
    ends = [(begin, following.start()) for begin, following in pairwise(begins)] + [(begins[-1], len(octets))]
    for begin, until in ends:
        lines = octets[begin.end() : until].split(b"\n")
        last = next((number for number, line in enumerate(lines) if line.rstrip(b"\r") == b"end"), -1)
        if last < 0:
            rest.append(octets[begin.start() : until])
            continue
        payload = b"".join(uu_lines([line.rstrip(b"\r") for line in lines[:last]]))
        said = decode(begin.group(1))[0]
        name = safe_name(said, "application/octet-stream", len(found.attachments) + 1, limits)
        found.attachments.append(Attachment(name, "application/octet-stream", "", len(payload), payload, False))
        rest.append(b"\n".join(lines[last + 1 :]))
    return b"".join(rest)
