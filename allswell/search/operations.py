"""Writing the search index, in the transaction of the fact."""

from __future__ import annotations

from django.db import connection

from allswell.database.statements import run

from .rules import plain

#: characters of a text that are indexed; what is longer is a log file
LIMIT = 20_000

_SQLITE_ADD = (
    "UPDATE search_document SET public = public || char(10) || %s, internal = internal || char(10) || %s WHERE rowid = %s"
)
_SQLITE_NEW = "INSERT INTO search_document (rowid, public, internal) VALUES (%s, %s, %s)"
_POSTGRESQL_ADD = (
    "UPDATE search_document SET public = public || to_tsvector('english', %s::text),"
    " words = words || to_tsvector('english', %s::text) WHERE ticket_id = %s"
)
_POSTGRESQL_NEW = (
    "INSERT INTO search_document (ticket_id, public, words)"
    " VALUES (%s, to_tsvector('english', %s::text), to_tsvector('english', %s::text))"
    " ON CONFLICT (ticket_id) DO UPDATE SET public = EXCLUDED.public, words = EXCLUDED.words"
)


def create(ticket: int, *, public: str, internal: str = "") -> None:
    """Write the document of a new ticket."""
    public, internal = public[:LIMIT], internal[:LIMIT]
    if connection.vendor == "sqlite":
        run(_SQLITE_NEW, [ticket, public, internal])
    else:
        run(_POSTGRESQL_NEW, [ticket, *_plain(public, internal)])


def create_many(documents: list[tuple[int, str]]) -> None:
    """Write the documents of new tickets, (number, public words), at once."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany(_SQLITE_NEW, [(number, public[:LIMIT], "") for number, public in documents])
        else:
            cursor.executemany(_POSTGRESQL_NEW, [(number, *_plain(public[:LIMIT], "")) for number, public in documents])


def add(ticket: int, *, public: str = "", internal: str = "") -> None:
    """Add words to a ticket's document."""
    public, internal = public[:LIMIT], internal[:LIMIT]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(_SQLITE_ADD, [public, internal, ticket])
        else:
            cursor.execute(_POSTGRESQL_ADD, [*_plain(public, internal), ticket])
        missing = cursor.rowcount == 0
    if missing:
        create(ticket, public=public, internal=internal)


def replace(ticket: int, *, public: str, internal: str) -> None:
    """Write a ticket's document anew (after an edit or a merge)."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM search_document WHERE rowid = %s", [ticket])
    create(ticket, public=public, internal=internal)


def _plain(public: str, internal: str) -> tuple[str, str]:
    """The public words, and all of them, as PostgreSQL is to read them."""
    public = plain(public)
    return public, f"{public}\n{plain(internal)}"
