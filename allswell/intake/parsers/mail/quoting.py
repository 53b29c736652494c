"""What somebody wrote, apart from what they quoted and how they signed. Every character stays: quotes are folded, never thrown away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from . import phrases


class Role(StrEnum):
    """What a piece of a text is."""

    SAID = "said"
    QUOTED = "quoted"
    SIGNED = "signed"
    FORWARDED = "forwarded"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of a text, with their line ends."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Split:
    """A text in its pieces, in their order; joined they are the text."""

    pieces: tuple[Piece, ...]

    def _of(self, *roles: Role) -> str:
        return "".join(piece.text for piece in self.pieces if piece.role in roles).strip()

    @property
    def visible(self) -> str:
        """What was written now, with what it forwards."""
        return self._of(Role.SAID, Role.FORWARDED)

    @property
    def quoted(self) -> str:
        """What was written before."""
        return self._of(Role.QUOTED)

    @property
    def signature(self) -> str:
        """The signature, disclaimers and footers of lists included."""
        return self._of(Role.SIGNED)


_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_MARKED = re.compile(r"[ \t]{0,3}>")
_PROMPT = re.compile(r">>> ")
_BARE = re.compile(r"^[ \t>*|_]+")
_RULE = re.compile(r"[ \t]*[-_=*\u2014]{3,}[ \t]*$")
_SHARED = re.compile(
    r"(?<=\S)[ \t]*-{0,3} ?(?=On (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|\d))"
)
_SIGNATURE_MARK = re.compile(r"(?:-- ?|\u2014|__)$")
_NAME_ONLY = re.compile(r"[-\u2013~] ?[A-Z\u00c0-\u017d]\w+(?: [A-Z\u00c0-\u017d][\w.]*){0,2}$")
_LIST_RULE = re.compile(r"_{30,}$")
#: an attribution ("On … wrote:") is looked for in so many lines, and so many characters
ATTRIBUTION_LINES, ATTRIBUTION_LIMIT = 4, 500
BLOCK_LINES = 14
SIGNATURE_LINES, SIGN_OFF_LINES = 25, 8


def split(text: str, *, is_forward: bool = False) -> Split:
    """The pieces of a text. In a forward (see forwarding) the mail passed on is what it is about, and is not folded."""
    lines = [part for line in _LINES.findall(text) for part in _parted(line)]
    roles = _quotes(lines, is_forward=is_forward)
    _signatures(lines, roles)
    return Split(tuple(_joined(lines, roles)))


def _parted(line: str) -> list[str]:
    """A line in which an answer and "On … wrote:" share the place, in two."""
    if (" On " not in line and "-On " not in line) or len(line) > 2_000 or not phrases.WROTE_END.search(line.rstrip()[-60:]):
        return [line]
    found = _SHARED.search(line)
    if found is None or _MARKED.match(line) or not line[: found.start()].strip(" -"):
        return [line]
    return [line[: found.start()], line[found.start() :]]


def _quotes(lines: list[str], *, is_forward: bool) -> list[Role]:
    roles = [Role.SAID] * len(lines)
    begun = False
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if not line:
            at += 1
            continue
        if phrases.FORWARD_MARK.match(line[:100]) or (is_forward and _starts(lines, at)):
            roles[at:] = [Role.FORWARDED] * (len(lines) - at)
            break
        if _MARKED.match(lines[at]):
            until = _marked_until(lines, at)
            if begun or _is_quote(lines[at:until]):
                roles[at:until] = [Role.QUOTED] * (until - at)
            at = until
            continue
        taken = _starts(lines, at)
        if not taken:
            at += 1
            continue
        begun = True
        roles[at : at + taken] = [Role.QUOTED] * taken
        if not _has_marks_soon(lines, at + taken):
            roles[at:] = [Role.QUOTED] * (len(lines) - at)
            break
        at += taken
    return roles


def _starts(lines: list[str], at: int) -> int:
    """How many lines here say that a quote begins; 0 where none does."""
    line = lines[at].strip()
    if len(line) > ATTRIBUTION_LIMIT:
        return 0
    if phrases.ORIGINAL_MARK.match(line[:120]):
        return 1
    if _RULE.match(line):
        following = next((number for number in range(at + 1, min(at + 4, len(lines))) if lines[number].strip()), 0)
        taken = _block(lines, following) if following else 0
        return following - at + taken if taken else 0
    return _attribution(lines, at) or _block(lines, at)


def _attribution(lines: list[str], at: int) -> int:
    """How many lines "On …, … wrote:" takes here."""
    first = _BARE.sub("", lines[at].strip())
    is_dated = phrases.WROTE_START.match(first[:60]) is not None
    if not is_dated and not (phrases.WROTE_END.search(first[-60:]) and phrases.WROTE_WHO.search(first)):
        return 0
    joined = ""
    for taken, line in enumerate(lines[at : at + ATTRIBUTION_LINES], 1):
        if not line.strip():
            return 0
        joined = f"{joined} {line.strip()}".strip()
        if len(joined) > ATTRIBUTION_LIMIT:
            return 0
        if phrases.WROTE_END.search(joined[-60:]) or phrases.WROTE_INSIDE.search(joined) or phrases.DATE_WHO.fullmatch(joined):
            return taken
    return 0


def _block(lines: list[str], at: int) -> int:
    """How many lines the head of a quoted mail (From:, Sent:, To: …) takes here, in any of the languages."""
    labels: set[str] = set()
    last = 0
    for taken, line in enumerate(lines[at : at + BLOCK_LINES], 1):
        bare = _BARE.sub("", line.strip())
        if not bare:
            if not labels:
                return 0
            break
        label = phrases.label_of(bare)
        if label:
            labels.add(label)
            last = taken
        elif not labels:
            return 0
        elif taken - last > 2:
            break
    is_one = ("from" in labels and len(labels) >= 3) or ("date" in labels and len(labels & {"from", "to", "subject"}) >= 2)
    is_short = len(labels) == 2 and labels in ({"from", "date"}, {"date", "to"}) and last <= 3
    return last if is_one or is_short else 0


def _marked_until(lines: list[str], at: int) -> int:
    """Where the block of > lines ends. Lines wrapped without their mark between two marked ones belong to it."""
    last = at
    number = at + 1
    while number < len(lines) and number - last <= 2:
        if _MARKED.match(lines[number]):
            last = number
        elif not lines[number].strip():
            pass
        elif not _is_wrapped(lines, number):
            break
        number += 1
    return last + 1


def _is_wrapped(lines: list[str], at: int) -> bool:
    """Whether a line between two quoted ones is the end of the one before, which a mail program wrapped."""
    line = lines[at].strip()
    is_link = line.startswith("(http") or (
        line.endswith((")", ">")) and "(" not in line and "http" in "".join(lines[max(0, at - 1) : at])
    )
    return is_link and at + 1 < len(lines) and bool(_MARKED.match(lines[at + 1]) or lines[at + 1].strip() in (")", ""))


def _is_quote(block: list[str]) -> bool:
    """Whether marked lines that nobody announced are a quote: several of them, and not what somebody typed at a prompt."""
    marked = [line for line in block if _MARKED.match(line)]
    if phrases.WROTE_END.search(marked[0].strip()[-60:]):
        return True
    return len(marked) >= 2 and not _PROMPT.match(marked[0])


def _has_marks_soon(lines: list[str], at: int) -> bool:
    """Whether the first text after this is marked with >."""
    return next((bool(_MARKED.match(line)) for line in lines[at:] if line.strip()), False)


def _signatures(lines: list[str], roles: list[Role]) -> None:
    """Marks the signature at the end of each piece somebody said."""
    end = len(lines)
    while end > 0:
        if roles[end - 1] is not Role.SAID:
            end -= 1
            continue
        begin = end
        while begin > 0 and roles[begin - 1] is Role.SAID:
            begin -= 1
        if (at := _signature(lines, begin, end)) < end:
            roles[at:end] = [Role.SIGNED] * (end - at)
        end = begin


def _signature(lines: list[str], begin: int, end: int) -> int:
    """Where the signature of the lines from `begin` to `end` begins; `end` where there is none."""
    found = end
    for at in range(max(begin, end - SIGNATURE_LINES), end):
        line = lines[at].rstrip("\n")
        is_mark = _SIGNATURE_MARK.match(line) or _LIST_RULE.match(line) or phrases.DISCLAIMER.match(line.strip(" *_")[:80])
        if is_mark and (at > begin or at + 1 < end):
            found = at
            break
    for _ in range(3):  # a name above "Sent from my phone" above the footer of a list
        above = _above(lines, begin, found)
        if above == found:
            break
        found = above
    return found


def _above(lines: list[str], begin: int, end: int) -> int:
    """Where a sign-off that ends at `end` begins: "Regards, …", "Sent from my …", "-Name"."""
    written = [at for at in range(max(begin, end - SIGNATURE_LINES), end) if lines[at].strip()]
    if not written:
        return end
    last = lines[written[-1]].strip()
    if phrases.SENT_FROM.match(last[:200]) or (len(written) > 1 and _NAME_ONLY.match(last)):
        return written[-1]
    for at in written[-SIGN_OFF_LINES:]:
        if at > begin and at != written[0] and phrases.SIGN_OFF.fullmatch(lines[at].strip()[:60]):
            return at
    return end


def _joined(lines: list[str], roles: list[Role]) -> list[Piece]:
    """Neighboring lines of one role as one piece; blank lines go with what is before them."""
    pieces: list[Piece] = []
    waiting: list[str] = []
    role = Role.SAID
    for line, own in zip(lines, roles, strict=True):
        if own is role or (not line.strip() and own is Role.SAID):
            waiting.append(line)
            continue
        if waiting:
            pieces.append(Piece(role, "".join(waiting)))
        waiting, role = [line], own
    if waiting:
        pieces.append(Piece(role, "".join(waiting)))
    return pieces
