"""The words of a ticket, as they are counted: each a text that is hashed, so that no model holds a word of a ticket. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import combinations, pairwise

from .facts import Facts

_WORD = re.compile(r"\w[\w.\-/]*\w|\w", re.UNICODE)
_PART = re.compile(r"[^\W_]+", re.UNICODE)
_DIGITS = re.compile(r"\d+")
#: the marks of UTF-8 that was read as Latin-1
_MOJIBAKE = re.compile(r"[ÃÂâ][\x80-\xbf€™œžŸ‚„…†‡ˆ‰Š‹Œ‘’“”•–—˜š›¡-¿]")
_WORD_LIMIT, _WORDS = 40, 1_200
#: fields that are looked at in pairs
_PAIRED = 14


def plain(text: str) -> str:
    """A text in small letters and one form; what was UTF-8 read as Latin-1 becomes what it was."""
    if _MOJIBAKE.search(text):
        text = _mended(text)
    return unicodedata.normalize("NFKC", text).casefold()


def _mended(text: str) -> str:
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text


def words(text: str) -> list[str]:
    """The words of a plain text in their order, at most `_WORDS`: names of hosts and jobs whole, then in parts."""
    found: list[str] = []
    for whole in _WORD.findall(text):
        parts = _PART.findall(whole)
        if len(parts) > 1:
            found.append(whole[:_WORD_LIMIT])
        found += [part[:_WORD_LIMIT] for part in parts if len(part) > 1]
        if len(found) >= _WORDS:
            break
    return found


def word_terms(facts: Facts) -> list[str]:
    """Words and pairs of neighbours of title and description; a word with digits also in the shape it shares with its like."""
    terms: list[str] = []
    for mark, text in (("t", facts.title), ("d", facts.description)):
        found = words(plain(text))
        terms += found
        terms += [f"{one} {other}" for one, other in pairwise(found)]
        terms += [f"{mark}:{word}" for word in found] if mark == "t" else []
        terms += [_DIGITS.sub("#", word) for word in found if _DIGITS.search(word)]
    if facts.title.strip():
        terms.append("title=" + _DIGITS.sub("#", " ".join(words(plain(facts.title)))))
    return terms


def letter_terms(facts: Facts, most: int) -> list[str]:
    """Runs of 3 to 5 letters within the words of the first `most` characters: they know endings, compounds and typing mistakes."""
    text = plain(f"{facts.title} {facts.description[:most]}"[:most])
    terms: list[str] = []
    for word in _PART.findall(text):
        padded = f" {word[:_WORD_LIMIT]} "
        for size in (3, 4, 5):
            terms += [padded[at : at + size] for at in range(len(padded) - size + 1)]
    return terms


def name_terms(facts: Facts) -> list[str]:
    """Every field with its value, and the hour and the day of the week."""
    terms = [f"{name}={plain(value)}" for name, value in sorted(facts.names.items())]
    if facts.opened_at is not None:
        terms += [f"hour={facts.opened_at.hour}", f"day={facts.opened_at.weekday()}"]
    return terms


def pair_terms(facts: Facts) -> list[str]:
    """Fields with their values, one by one and in pairs."""
    single = [f"{name}={plain(value)}" for name, value in sorted(facts.names.items())[:_PAIRED]]
    return single + [f"{one}&{other}" for one, other in combinations(single, 2)]


def count_terms(facts: Facts) -> list[str]:
    """What the plainest member counts: pairs of fields, and each word once."""
    found = set(words(plain(f"{facts.title} {facts.description}")))
    return pair_terms(facts) + sorted(found)


def reasons(facts: Facts) -> Iterator[tuple[str, str, Facts]]:
    """(field, word, the facts without it) for everything that may have decided: each field, and the first 60 different words."""
    for name, value in sorted(facts.names.items()):
        rest = {other: its for other, its in facts.names.items() if other != name}
        yield name, value, Facts(facts.title, facts.description, rest, facts.opened_at)
    title, description = plain(facts.title), plain(facts.description)
    for word in list(dict.fromkeys(_PART.findall(f"{title} {description}")))[:60]:
        if len(word) > 1:
            whole = re.compile(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])")
            yield "", word, Facts(whole.sub(" ", title), whole.sub(" ", description), facts.names, facts.opened_at)
