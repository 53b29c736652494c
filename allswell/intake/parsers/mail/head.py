"""The head of a mail: its fields, encoded words, parameters and addresses. One pass over each, whatever it holds."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from allswell.kernel import text

from .charsets import decode
from .limits import Limits, TooMuch

_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\n|\r|\Z)")
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]{0,4000})\?=")
_PARAMETER = re.compile(r";\s*+([^=;\s]{1,100}+)\s*+=\s*+(\"(?:[^\"\\]|\\.)*+\"?|[^;]*+)", re.DOTALL)
_SECTION = re.compile(r"(.+?)\*(\d{1,2})(\*)?")
_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*+\"?|<[^<>]*+>?|[(),;:>]|[^\"<(),;:>]++", re.DOTALL)
_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]{1,64}@[^@\s<>,;:\"()\[\]\\]{1,253}")
_ESCAPED = re.compile(r"\\([\"\\])")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
#: one line of a field is read up to here; what is longer is no name and no subject
FIELD_LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class Address:
    """A name and the address it goes with. The address is lower case, and "" where what was written is none."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """What follows the @."""
        return self.address.rpartition("@")[2]


class Head:
    """The fields of a mail or of one of its parts, in their order."""

    __slots__ = ("defects", "fields")

    def __init__(self, fields: list[tuple[str, str]], defects: list[str]) -> None:
        self.fields, self.defects = fields, defects

    def first(self, name: str) -> str:
        """The first field called `name`, unfolded; "" where there is none."""
        return next((value for key, value in self.fields if key == name), "")

    def every(self, name: str) -> list[str]:
        """All fields called `name`."""
        return [value for key, value in self.fields if key == name]

    def has(self, name: str) -> bool:
        """Whether there is such a field, be it empty."""
        return any(key == name for key, _ in self.fields)


def read(raw: bytes, start: int, end: int, limits: Limits) -> tuple[Head, int]:
    """The head that begins at `start`, and where the body begins. A line that is no field begins the body."""
    found: list[tuple[str, list[bytes]]] = []
    defects: list[str] = []
    at = start
    while at < end:
        match = _LINE.match(raw, at, end)
        assert match is not None
        line = match.group().rstrip(b"\r\n")
        if not line:
            return _head(found, defects), match.end()
        if match.end() - start > limits.header_bytes:
            raise TooMuch("headers")
        field = _FIELD.match(line)
        if found and (line[:1] in (b" ", b"\t") or (field is None and found[-1][1][-1].endswith(b";") and b"=" in line)):
            found[-1][1].append(line)
        elif field is not None:
            if len(found) >= limits.header_fields:
                raise TooMuch("headers")
            found.append((field.group(1).decode("ascii").lower(), [line[field.end() :]]))
        elif line.startswith((b"From ", b">From ")) and at == start:
            pass
        elif b":" in line and not line.isascii():
            defects.append("unreadable field")
        else:
            defects.append("no empty line before the body")
            return _head(found, defects), at
        at = match.end()
    return _head(found, defects), end


def _head(found: list[tuple[str, list[bytes]]], defects: list[str]) -> Head:
    fields = []
    for name, lines in found:
        value = b" ".join(line.strip() for line in lines).strip()
        fields.append((name, value.decode("ascii") if value.isascii() else decode(value, "")[0]))
    return Head(fields, defects)


def one_line(value: str, limit: int) -> str:
    """A value as a screen can show it: no control or invisible characters, white space folded, cut at `limit`."""
    return text.line(value[: limit * 2], field="", limit=limit * 8, required=False)[:limit].rstrip()


def words(value: str, limits: Limits, limit: int = 1_000) -> str:
    """A field with its encoded words decoded, on one line. Words beyond the limit stay as they are."""
    if "=?" in value:
        value = _decoded(value[:FIELD_LIMIT], limits.encoded_words)
    return one_line(value, limit)


def _decoded(value: str, most: int) -> str:
    pieces: list[str] = []
    waiting, charset, at = b"", "", 0
    for count, match in enumerate(_WORD.finditer(value)):
        if count >= most:
            break
        between = value[at : match.start()]
        said = match.group(1).partition("*")[0].lower()
        if waiting and (between.strip() or said != charset):
            pieces.append(decode(waiting, charset)[0])
            waiting = b""
        if between.strip() or (count == 0 and between):
            pieces.append(between)
        charset, at = said, match.end()
        waiting += _octets(match.group(2), match.group(3))
    if waiting:
        pieces.append(decode(waiting, charset)[0])
    return "".join(pieces) + value[at:]


def _octets(how: str, said: str) -> bytes:
    octets = said.encode("utf-8", "replace")
    if how in "qQ":
        return binascii.a2b_qp(octets, header=True)
    return base64(octets)


def base64(octets: bytes) -> bytes:
    """Base64 as it is found: with foreign characters, without its padding, several of them in a row."""
    octets = _NOT_BASE64.sub(b"", octets)
    if b"=" not in octets.rstrip(b"="):
        return _unpadded(octets.rstrip(b"="))
    return b"".join(_unpadded(piece) for piece in octets.split(b"=") if piece)


def _unpadded(octets: bytes) -> bytes:
    if len(octets) % 4 == 1:
        octets = octets[:-1]
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """`text/plain; charset=x` as ("text/plain", {"charset": "x"}), with what RFC 2231 split or encoded put together."""
    value = value[:FIELD_LIMIT]
    plain: dict[str, str] = {}
    split: dict[str, list[tuple[int, str, bool]]] = {}
    for match in _PARAMETER.finditer(value if ";" in value else ""):
        name, said = match.group(1).lower(), match.group(2)
        said = _ESCAPED.sub(r"\1", said[1:].removesuffix('"')) if said.startswith('"') else said.strip()
        section = _SECTION.fullmatch(name)
        if section is not None:
            split.setdefault(section.group(1), []).append((int(section.group(2)), said, bool(section.group(3))))
        elif name.endswith("*"):
            split.setdefault(name[:-1], []).append((0, said, True))
        else:
            plain.setdefault(name, said)
    plain.update((name, _joined(sorted(sections))) for name, sections in split.items())
    return value.partition(";")[0].strip().lower(), plain


def _joined(sections: list[tuple[int, str, bool]]) -> str:
    charset, octets = "", b""
    for number, (_, said, is_encoded) in enumerate(sections):
        if is_encoded and number == 0 and said.count("'") >= 2:
            charset, _, said = said.split("'", 2)
        octets += unquote_to_bytes(said) if is_encoded else said.encode("utf-8", "replace")
    return decode(octets, charset or "utf-8")[0]


def addresses(values: list[str], limits: Limits) -> list[Address]:
    """Every address of these fields, in order, as far as the limit of recipients goes."""
    found: list[Address] = []
    for value in values:
        for name, address in _written(value):
            if len(found) >= limits.recipients:
                return found
            found.append(Address(words(name, limits, 200), address))
    return found


def _written(value: str) -> Iterator[tuple[str, str]]:
    """(name, address) of each entry of an address field; groups are looked into."""
    name: list[str] = []
    notes: list[str] = []
    angle: str | None = None
    depth = 0
    for match in _TOKEN.finditer(value):
        token = match.group()
        if token == "(":
            depth += 1
        elif token == ")":
            depth = max(0, depth - 1)
        elif depth:
            notes.append(token)
        elif token[0] == "<":
            if angle is not None:
                yield _entry(name, notes, angle)
                name, notes = [], []
            angle = token.strip("<> ")
        elif token in ",;":
            if angle is not None or name:
                yield _entry(name, notes, angle)
            name, notes, angle = [], [], None
        elif token == ":" and angle is None and not any("@" in one for one in name):
            name = []
        elif token.strip():
            name.append(token)
    if angle is not None or name:
        yield _entry(name, notes, angle)


def _entry(name: list[str], notes: list[str], angle: str | None) -> tuple[str, str]:
    written = "".join(_ESCAPED.sub(r"\1", one[1:].removesuffix('"')) if one[0] == '"' else one for one in name).strip()
    if angle is not None:
        return (written or "".join(notes).strip()), plain_address(angle)
    if any(one[0] == '"' for one in name):
        return written, ""
    *before, last = written.split() or [""]
    if address := plain_address(last):
        return (" ".join(before) or "".join(notes).strip()), address
    return written, ""


def plain_address(said: str) -> str:
    """An address, lower case; "" where this is none, or could be read as two."""
    said = text.clean(said.strip().removeprefix("mailto:")).lower()
    return said if len(said) <= 254 and _ADDRESS.fullmatch(said) else ""


def kept(fields: list[tuple[str, str]], limits: Limits) -> Mapping[str, tuple[str, ...]]:
    """The first fields by name, cut to what is worth showing."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in fields[: limits.kept_headers]:
        found[name] = (*found.get(name, ()), one_line(value, 2_000))
    return found
