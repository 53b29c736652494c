"""Writing documents anew in the background after their form changed, the newest first. Only PostgreSQL has such documents."""

from __future__ import annotations

from django.db import connection

from allswell.database.statements import ask, run


def is_due() -> bool:
    """Whether there are documents of an older form."""
    return connection.vendor == "postgresql" and bool(ask("SELECT 1 FROM search_renewal LIMIT 1"))


def take(*, limit: int) -> list[int]:
    """The next tickets whose documents are to be written anew in this transaction, the newest first; [] when somebody else is at it.

    Nobody is waited for: it ends before a document that somebody is writing, so that two who hold documents never wait for each
    other. Whoever adds to one of these waits until they are written, and adds to that.
    """
    place = ask("SELECT below FROM search_renewal FOR UPDATE SKIP LOCKED")
    if not place:
        return []
    below = place[0][0]
    wanted = _numbers("", [below, limit])
    if not wanted:
        run("DELETE FROM search_renewal")
        return []
    held = set(_numbers("FOR UPDATE SKIP LOCKED", [below, limit]))
    busy = next((place for place, number in enumerate(wanted) if number not in held), len(wanted))
    if busy:
        run("UPDATE search_renewal SET below = %s", [wanted[busy - 1]])
    return wanted[:busy]


def _numbers(lock: str, values: list[int]) -> list[int]:
    sql = f"SELECT ticket_id FROM search_document WHERE ticket_id < %s ORDER BY ticket_id DESC LIMIT %s {lock}"
    return [row[0] for row in ask(sql, values)]
