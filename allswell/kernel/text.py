"""Every text from outside passes here once, so that both databases take it and screens can show it."""

from __future__ import annotations

import re
import unicodedata

from .errors import Invalid

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_INVISIBLE = re.compile(r"[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
_SPACE = re.compile(r"\s+")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_FORMULA = re.compile(r" *[=+\-@\t\r\n＝＋－＠]")
_FORMULA_LATER = re.compile(r"([;\t\n\r] *)(?=[=+\-@＝＋－＠])")
#: so many characters are composed (NFC) at a time
_PIECE = 1_000
_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+\.[^@\s<>,;:\"()\[\]\\.]+")


def clean(text: str) -> str:
    """Text that both databases store alike: no NUL or other control characters, no lone surrogates, NFC, LF line ends.

    SQLite would take a NUL or a lone surrogate, PostgreSQL answers an error.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _composed(_SURROGATE.sub("\ufffd", _CONTROL.sub("", text)))


def _composed(text: str) -> str:
    """NFC, in pieces where the text is long: a row of thousands of accents costs the library the square of its length.

    The pieces end before a plain character, or else before one that goes with nothing; nothing composes across such a place.
    """
    if len(text) <= _PIECE or text.isascii():
        return unicodedata.normalize("NFC", text)
    pieces, at = [], 0
    while at < len(text):
        end = min(len(text), at + _PIECE)
        while at < end < len(text) and end > at + _PIECE - 100 and not _begins(text[end]):
            end -= 1
        pieces.append(unicodedata.normalize("NFC", text[at:end]))
        at = end
    return "".join(pieces)


def _begins(character: str) -> bool:
    """Whether nothing before this character composes with it: it is no mark, and no later letter of a Korean syllable."""
    return character.isascii() or not (unicodedata.category(character).startswith("M") or "\u1160" <= character <= "\u11ff")


def line(text: str, *, field: str, limit: int, required: bool = True) -> str:
    """One line: cleaned, invisible marks out, white space folded. Raises Invalid when empty (if required) or over `limit` characters."""
    text = _SPACE.sub(" ", _INVISIBLE.sub("", clean(text))).strip()
    if required and not text:
        raise Invalid("This is needed.", field=field)
    if len(text) > limit:
        raise Invalid("Use at most %(limit)s characters.", field=field, limit=limit)
    return text


def prose(text: str, *, field: str, limit: int = 100_000, required: bool = False) -> str:
    """Several lines: cleaned, trailing white space out. Raises Invalid when empty (if required) or over `limit` characters."""
    text = clean(text).strip()
    if required and not text:
        raise Invalid("This is needed.", field=field)
    if len(text) > limit:
        raise Invalid("Use at most %(limit)s characters.", field=field, limit=limit)
    return text


def whole(text: str, *, digits: int = 15) -> int | None:
    """A whole number in plain digits as a database can hold it, None when it is none: "²" is a digit to Python, but no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def slug(text: str) -> str:
    """A short name for addresses: "Account look-up" -> "account-look-up"; "" when nothing is left."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NOT_SLUG.sub("-", ascii_text.lower()).strip("-")[:60].strip("-")


def folded_address(address: str, *, field: str = "email") -> str:
    """An e-mail address as it is compared: trimmed, lower case. Raises Invalid when it is none."""
    address = clean(address).strip().lower()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise Invalid("This is not an e-mail address.", field=field)
    return address


def spreadsheet_cell(value: str) -> str:
    """A text that a spreadsheet shows as text: what it would take for a formula gets an apostrophe before it.

    Behind a semicolon or a tab, too: where those separate the cells (German and French Excel), a formula could begin there.
    """
    return _FORMULA_LATER.sub(r"\1'", f"'{value}" if _FORMULA.match(value) else value)
