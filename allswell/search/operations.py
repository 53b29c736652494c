"""Writing the search index, in the transaction of the fact."""

from __future__ import annotations

from django.db import connection

#: characters of a text that are indexed; the rest is a log file
LIMIT = 20_000


def add(ticket: int, *, public: str = "", internal: str = "") -> None:
    """Add words to a ticket's document; the first call makes the document."""
    public, internal = public[:LIMIT], internal[:LIMIT]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "UPDATE search_document SET public = public || char(10) || %s, internal = internal || char(10) || %s WHERE rowid = %s",
                [public, internal, ticket],
            )
        else:
            cursor.execute(
                "UPDATE search_document SET public = public || to_tsvector('english', %s::text),"
                " internal = internal || to_tsvector('english', %s::text) WHERE ticket_id = %s",
                [public, internal, ticket],
            )
        if cursor.rowcount == 0:
            replace(ticket, public=public, internal=internal, is_new=True)


def replace(ticket: int, *, public: str, internal: str, is_new: bool = False) -> None:
    """Write a ticket's document anew (after an edit or a merge)."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            if not is_new:
                cursor.execute("DELETE FROM search_document WHERE rowid = %s", [ticket])
            cursor.execute(
                "INSERT INTO search_document (rowid, public, internal) VALUES (%s, %s, %s)", [ticket, public, internal]
            )
        else:
            cursor.execute(
                "INSERT INTO search_document (ticket_id, public, internal)"
                " VALUES (%s, to_tsvector('english', %s::text), to_tsvector('english', %s::text))"
                " ON CONFLICT (ticket_id) DO UPDATE SET public = EXCLUDED.public, internal = EXCLUDED.internal",
                [ticket, public, internal],
            )
