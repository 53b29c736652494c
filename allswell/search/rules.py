"""Which words a text holds, told alike whichever database keeps them."""

from __future__ import annotations

import string
import unicodedata
from functools import lru_cache

_JOINTS = str.maketrans(dict.fromkeys(string.punctuation, " "))


def plain(text: str) -> str:
    """The text in separate words without accents.

    The parser of PostgreSQL would keep a host name, a path or an address whole and read the number of "ORA-00060" as below zero,
    so that nobody found a part of them; SQLite separates them and folds accents by itself.
    """
    text = text.translate(_JOINTS)
    return text if text.isascii() else "".join(map(_base, text))


@lru_cache(maxsize=10_000)
def _base(character: str) -> str:
    """A letter without its marks; what is composed of letters (Korean) stays whole."""
    parts = unicodedata.normalize("NFD", character)
    return parts[0] if all(unicodedata.category(mark) == "Mn" for mark in parts[1:]) else character
