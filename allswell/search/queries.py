"""Searching tickets by words: one function over FTS5 and tsvector."""

from __future__ import annotations

import re

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

_WORD = re.compile(r"\w+", re.UNICODE)


def words_of(text: str) -> list[str]:
    """The words of a search, at most 8; everything else (quotes, operators) is no syntax."""
    return _WORD.findall(text)[:8]


def matching(tickets: QuerySet, text: str, *, internal: bool) -> QuerySet:  # type: ignore[type-arg]
    """Those of `tickets` whose words contain all words of `text`, the last one as a beginning. `internal` looks into notes too.

    The caller passes `internal` only for an actor who may see the notes of every ticket in `tickets`.
    """
    words = words_of(text)
    if not words:
        return tickets.none()
    if connection.vendor == "sqlite":
        query = " ".join(f'"{word}"' for word in words) + "*"
        if not internal:
            query = "{public} : (" + query + ")"
        return tickets.filter(pk__in=RawSQL("SELECT rowid FROM search_document WHERE search_document MATCH %s", [query]))
    query = " & ".join(words) + ":*"
    condition = "public @@ to_tsquery('english', %s)"
    values = [query]
    if internal:
        condition = (
            f"(public || internal) @@ to_tsquery('english', %s) AND ({condition} OR internal @@ to_tsquery('english', %s))"
        )
        values = [query, " | ".join(words) + ":*", " | ".join(words) + ":*"]
    return tickets.filter(pk__in=RawSQL(f"SELECT ticket_id FROM search_document WHERE {condition}", values))  # noqa: S608
