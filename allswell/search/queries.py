"""Searching tickets by words: one question over FTS5 and tsvector.

Newest first, because ranking must score every hit (131 ms for a common word among a million) and an agent looks for what just
happened. Candidates are read in growing chunks from the newest down and filtered by what the viewer may see, so a common word
and a rare one cost alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from .rules import plain

_WORD = re.compile(r"\w+", re.UNICODE)
#: hits looked at before a search gives up finding ones the viewer may see
DEPTH = 20_000
#: newest tickets in which the beginning of a word is looked up while somebody types: PostgreSQL cannot read a prefix newest first
#: (564 ms among a million), SQLite must merge all its words (57 ms)
TYPING_WINDOW = {"postgresql": 30_000, "sqlite": 150_000}
#: newest hits that a filter by words keeps
FILTER_DEPTH = 2_000


def words_of(text: str) -> list[str]:
    """The words of a search, at most 8; everything else (quotes, operators) is no syntax."""
    return _WORD.findall(text)[:8]


def _condition(words: list[str], *, internal: bool, is_typing: bool) -> tuple[str, str, list[Any]]:
    """(key column, SQL condition, its values). `is_typing` takes the last word as a beginning."""
    values: list[Any]
    if connection.vendor == "sqlite":
        query = " ".join(f'"{word}"' for word in words) + ("*" if is_typing else "")
        key, condition, values = "rowid", "search_document MATCH %s", [query if internal else f"{{public}} : ({query})"]
    else:
        ends = [""] * (len(words) - 1) + [":*" if is_typing else ""]
        query = " & ".join(_either(word, end) for word, end in zip(words, ends, strict=True))
        key, condition, values = "ticket_id", f"{'words' if internal else 'public'} @@ to_tsquery('english', %s)", [query]
    if is_typing:
        condition += f" AND {key} > (SELECT max(id) FROM tickets_ticket) - %s"
        values.append(TYPING_WINDOW[connection.vendor])
    return key, condition, values


def _either(word: str, end: str) -> str:
    """A word as PostgreSQL keeps it, or as it stands in documents that are not yet written anew (renewing.py)."""
    folded = " <-> ".join(plain(word).split())
    forms = [word] if folded in ("", word) else [folded, word]
    return "(" + " | ".join(form + end for form in forms) + ")"


def _candidates(words: list[str], *, internal: bool, is_typing: bool, before: int | None) -> Iterator[list[int]]:
    """Ids of tickets that contain the words, newest first, in chunks of 200, 800, 3200 …"""
    key, condition, values = _condition(words, internal=internal, is_typing=is_typing)
    size, seen = 200, 0
    while seen < DEPTH:
        below, extra = ("", []) if before is None else (f" AND {key} < %s", [before])
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {key} FROM search_document WHERE {condition}{below} ORDER BY {key} DESC LIMIT {size}",
                [*values, *extra],
            )
            chunk = [row[0] for row in cursor.fetchall()]
        if chunk:
            yield chunk
        if len(chunk) < size:
            return
        seen, before, size = seen + size, chunk[-1], size * 4


def newest(
    tickets: QuerySet[Any], text: str, *, internal: bool, limit: int, before: int | None = None, is_typing: bool = False
) -> list[int]:
    """Numbers of those of `tickets` that contain all words of `text`, newest first, at most `limit`.

    `tickets` is what the viewer may see; pass `internal` only when they may see the notes of all of them. `before` continues
    below a number. At most DEPTH hits are looked at.
    """
    words = words_of(text)
    found: list[int] = []
    if not words:
        return found
    for chunk in _candidates(words, internal=internal, is_typing=is_typing, before=before):
        found += tickets.filter(pk__in=chunk).order_by("-pk").values_list("pk", flat=True)[: limit - len(found)]
        if len(found) >= limit:
            break
    return found


def matching(tickets: QuerySet[Any], text: str, *, internal: bool) -> QuerySet[Any]:
    """Those of `tickets` that contain all words of `text`, as a filter to combine with others (the queue).

    Only the newest FILTER_DEPTH hits are kept, so that a common word among a million tickets stays fast.
    """
    words = words_of(text)
    if not words:
        return tickets.none()
    key, condition, values = _condition(words, internal=internal, is_typing=False)
    newest_hits = f"SELECT {key} FROM search_document WHERE {condition} ORDER BY {key} DESC LIMIT {FILTER_DEPTH}"
    return tickets.filter(pk__in=RawSQL(newest_hits, values))
