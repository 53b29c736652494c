"""Settings of the connection for long work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import Model


@contextmanager
def hurry() -> Iterator[None]:
    """On SQLite, do not wait for the disk at every commit: a power cut loses what was written inside, nothing older.

    For what is made again by the same command (the demo company). Nothing happens on PostgreSQL or inside a transaction.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        before = int(cursor.fetchone()[0])
        cursor.execute("PRAGMA synchronous = OFF")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA synchronous = {before}")


@contextmanager
def frugal() -> Iterator[None]:
    """On SQLite, map little of the file into memory: for work that passes through all of it once."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA mmap_size")
        before = int((cursor.fetchone() or (0,))[0])
        cursor.execute("PRAGMA mmap_size = 33554432")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA mmap_size = {before}")


def recount(*models: type[Model]) -> None:
    """On PostgreSQL, let the planner know how many rows tables have now, while they grow faster than autovacuum looks.

    What is planned for an empty table reads all of it, which gets slower with every row. SQLite uses its indexes without counts.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
