"""The parts of a mail: a tree of places in its bytes. Nothing is decoded and nothing copied until somebody asks."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

from . import head
from .head import Head
from .limits import Limits, TooMuch

_REST = re.compile(rb"(--)?[ \t]*+(?:\r\n|\n|\r|\Z)")
_NEWLINE = re.compile(rb"[\r\n]")
_GUESS = re.compile(rb"(?:\A|[\r\n])--([^\s]{1,70})[ \t]*[\r\n]")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,120}")
_MESSAGES = {"message/rfc822", "message/global", "message/news"}
_UU = {"x-uuencode", "uuencode", "x-uue", "uue"}


@dataclass(slots=True)
class Part:
    """One part: its head, and where its body is in `raw`."""

    raw: bytes
    start: int
    end: int
    head: Head
    content_type: str
    params: dict[str, str]
    children: list[Part] = field(default_factory=list)
    message: Tree | None = None

    @property
    def encoding(self) -> str:
        """How the body is encoded, as it claims."""
        return self.head.first("content-transfer-encoding").partition(";")[0].strip().strip("\"'").lower()

    def octets(self) -> bytes:
        """The body, decoded. What is not in the encoding it claims is left as it is."""
        octets = self.raw[self.start : self.end]
        encoding = self.encoding
        if encoding == "quoted-printable":
            if b"\r" in octets and b"\n" not in octets:
                octets = octets.replace(b"\r", b"\n")
            return binascii.a2b_qp(octets)
        if encoding == "base64":
            if self.content_type.startswith("text/") and _is_no_base64(octets):
                return octets
            return head.base64(octets)
        if encoding in _UU:
            return b"".join(uu_lines(octets.splitlines()))
        return octets


def _is_no_base64(octets: bytes) -> bool:
    """Whether this is a text that only claims to be base64."""
    packed = b"".join(octets[:4_000].split())
    if not packed:
        return False
    foreign = len(packed) - len(packed.translate(None, b"-_!\"#$%&'()*,.:;<>?@[\\]^`{|}~")) + sum(octet > 127 for octet in packed)
    return foreign * 20 > len(packed) or (len(octets) < 4_000 and len(packed.rstrip(b"=")) % 4 == 1)


def uu_lines(lines: list[bytes]) -> list[bytes]:
    """The decoded lines of a uuencoded file; lines that are none are passed over."""
    found = []
    for line in lines:
        if not line or line.startswith((b"begin ", b"end")):
            continue
        try:
            found.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return found


@dataclass(slots=True)
class Tree:
    """A whole mail: its outermost part, and the mails inside."""

    top: Part
    nested: list[Tree]
    defects: list[str]


class _Reader:
    """Reads one mail with all mails inside, counting against the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.parts, self.missed = limits, 0, 0

    def tree(self, raw: bytes, start: int, end: int, depth: int) -> Tree:
        """The mail between `start` and `end`."""
        mail = Tree(Part(raw, start, end, Head([], []), "", {}), [], [])
        mail.top = self.part(raw, start, end, depth, mail, "text/plain")
        return mail

    def part(self, raw: bytes, start: int, end: int, depth: int, mail: Tree, usual: str) -> Part:
        """The part between `start` and `end`, with the parts inside."""
        self.parts += 1
        if self.parts > self.limits.parts:
            raise TooMuch("parts")
        if depth > self.limits.nesting:
            raise TooMuch("nesting")
        fields, body = head.read(raw, start, end, self.limits)
        mail.defects += fields.defects
        content_type, params = head.parameters(fields.first("content-type"))
        if not _TYPE.fullmatch(content_type):
            mail.defects += ["unreadable content type"] if fields.has("content-type") else []
            content_type = "text/plain" if content_type == "text" or fields.has("content-type") else usual
        one = Part(raw, body, end, fields, content_type, params)
        if content_type.startswith("multipart/"):
            self._divide(one, depth, mail)
        elif content_type in _MESSAGES:
            encoded = one.encoding in ("base64", "quoted-printable")
            inner = one.octets() if encoded else raw
            begin = body if not encoded else 0
            until = end if not encoded else len(inner)
            while begin < until and inner[begin] in b"\r\n":
                begin += 1
            one.message = self.tree(inner, begin, until, depth + 1)
            mail.nested.append(one.message)
        return one

    def _divide(self, one: Part, depth: int, mail: Tree) -> None:
        boundary = one.params.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")[:200]
        if not boundary and (guess := _GUESS.search(one.raw, max(0, one.start - 1), min(one.end, one.start + 20_000))):
            boundary = guess.group(1)
            mail.defects.append("no boundary")
        places, is_closed = self._places(one, boundary) if boundary else ([], False)
        usual = "message/rfc822" if one.content_type == "multipart/digest" else "text/plain"
        if not places:
            mail.defects.append("a multipart without parts")
            one.content_type, one.params = "text/plain", {}
            return
        if not is_closed:
            mail.defects.append("no closing boundary")
        one.children = [self.part(one.raw, start, end, depth + 1, mail, usual) for start, end in places]

    def _places(self, one: Part, boundary: bytes) -> tuple[list[tuple[int, int]], bool]:
        """Where the parts of a multipart are, and whether its closing line was there."""
        raw, needle, at, begun = one.raw, b"--" + boundary, one.start, -1
        found: list[tuple[int, int]] = []
        while (hit := raw.find(needle, at, one.end)) >= 0:
            rest = _REST.match(raw, hit + len(needle), one.end) if hit == one.start or raw[hit - 1] in b"\r\n" else None
            if rest is None:
                self.missed += 1
                if self.missed > self.limits.false_boundaries:
                    raise TooMuch("boundaries")
                line_end = _NEWLINE.search(raw, hit, one.end)
                at = line_end.end() if line_end else one.end
                continue
            if begun >= 0:
                found.append((begun, max(begun, hit - (2 if raw[hit - 2 : hit] == b"\r\n" else 1))))
                if self.parts + len(found) > self.limits.parts:
                    raise TooMuch("parts")
            begun = at = rest.end()
            if rest.group(1):
                return found, True
        if begun >= 0:
            found.append((begun, one.end))
        return found, False


def tree(raw: bytes, start: int, end: int, limits: Limits) -> Tree:
    """The parts of the mail between `start` and `end`. Raises TooMuch."""
    return _Reader(limits).tree(raw, start, end, 0)
