"""Work that only one transaction at a time may do, without making others wait."""

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
