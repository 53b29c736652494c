"""This transaction among those of others: work that only one at a time may do, and which others write at this moment."""

from __future__ import annotations

import zlib

from django.db import connection


def is_alone(name: str) -> bool:
    """Whether this transaction is the only one that does the work of this name, until it ends. On SQLite one writes anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [zlib.crc32(name.encode())])
        return bool(cursor.fetchone()[0])


def is_shared() -> bool:
    """Whether others may be writing while this transaction does; on SQLite one writes at a time."""
    return connection.vendor == "postgresql"


def under_way() -> list[str]:
    """The other transactions that have written something and have not ended, by names that no later one has.

    What begins to write after this look reads all that was committed before it. The server's own (autovacuum) are left out: they
    write what it knows of the tables, and read nothing of ours.
    """
    if not is_shared():
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction it would answer as at the first look
        cursor.execute(
            "SELECT pid || ' ' || backend_xid FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return sorted(row[0] for row in cursor.fetchall())
