"""How long a text is as an SMS, and how to make it short. Pure.

160 characters of the GSM 03.38 alphabet go into one message (eight more than ASCII's letters count twice), or 70 of any other.
"""

from __future__ import annotations

import unicodedata

PART = 160
OTHER_PART = 70
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyz"
    "äöñüà"
)
_TWICE = frozenset("^{}\\[~]|€")
_ALPHABET = _BASIC | _TWICE
_ALIKE = str.maketrans(
    {"–": "-", "—": "-", "‑": "-", "−": "-", "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
     "…": "...", "·": "-", "•": "-", "×": "x", "→": "->", "\u00a0": " ", "\u202f": " ", "\t": " ", "`": "'", "ç": "c"}
)  # fmt: skip


def is_gsm(text: str) -> bool:
    """Whether the whole text is written in the alphabet of which 160 characters fit."""
    return _ALPHABET.issuperset(text)


def length(text: str) -> int:
    """Characters of that alphabet a text takes."""
    return len(text) + sum(map(text.count, _TWICE))


def fits(text: str) -> bool:
    """Whether a text is one message, not two."""
    return length(text) <= PART if is_gsm(text) else _units(text) <= OTHER_PART


def _units(text: str) -> int:
    return len(text.encode("utf-16-be")) // 2


def plainer(text: str) -> str:
    """The text in that alphabet: look-alikes for dashes and quotes, letters without accents it has not; what cannot be written is "?"."""
    text = unicodedata.normalize("NFC", text).translate(_ALIKE)
    if is_gsm(text):
        return text
    made = []
    for mark in text:
        if mark in _ALPHABET:
            made.append(mark)
            continue
        bare = "".join(part for part in unicodedata.normalize("NFKD", mark) if not unicodedata.combining(part))
        made.append(bare if bare and is_gsm(bare) else "?")
    return "".join(made)


def is_readable(text: str) -> bool:
    """Whether a text still says something in that alphabet: nearly all of its letters can be written."""
    if is_gsm(text):
        return True
    letters = [mark for mark in text if mark.isalnum()]
    return "".join(letters) == "" or plainer("".join(letters)).count("?") * 5 <= len(letters)


def one_message(before: str, middle: str, after: str) -> str:
    """`before`, as much of `middle` as fits, and `after`, in one message.

    Where the alphabet cannot say the middle, it is left as it is if all fits into 70 characters, and left out if not: the link and the
    words to answer with matter more.
    """
    before, after = plainer(before), plainer(after)
    if not is_readable(middle):
        whole = f"{before} {middle} {after}"
        return whole if fits(whole) else f"{before} {after}"
    middle = " ".join(plainer(middle).split())
    room = PART - length(before) - length(after) - 2
    if length(middle) > room:
        middle = _cut(middle, room - 3)
        middle = f"{middle}..." if middle else ""
    return " ".join(part for part in (before, middle, after) if part)


def _cut(text: str, room: int) -> str:
    while text and length(text) > room:
        text = text[:-1]
    return text.rstrip()
