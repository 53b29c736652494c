"""Running SQL that is written already, without what Django does around every statement.

A cursor of Django's costs more than most statements here: it is wrapped three times, and its text rewritten for SQLite each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX

Row = tuple[Any, ...]


@lru_cache(maxsize=1024)
def _as_sqlite_says(sql: str) -> str:
    return FORMAT_QMARK_REGEX.sub("?", sql).replace("%%", "%")


def ask(sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """The rows that a statement answers. `values` are as the driver takes them, and so are the rows."""
    on: Any = connections[DEFAULT_DB_ALIAS]
    if on.execute_wrappers or on.queries_logged:  # somebody counts or watches statements
        with on.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())
    driver = _driver(on)
    with on.wrap_database_errors:
        if on.vendor == "sqlite":
            return list(driver.execute(_as_sqlite_says(sql), values).fetchall())
        with on.create_cursor() as cursor:
            return list(cursor.execute(sql, values).fetchall())


def run(sql: str, values: Sequence[Any] = ()) -> None:
    """Run a statement that answers no rows."""
    on: Any = connections[DEFAULT_DB_ALIAS]
    if on.execute_wrappers or on.queries_logged:
        with on.cursor() as cursor:
            cursor.execute(sql, values)
        return
    driver = _driver(on)
    with on.wrap_database_errors:
        if on.vendor == "sqlite":
            driver.execute(_as_sqlite_says(sql), values)
            return
        with on.create_cursor() as cursor:
            cursor.execute(sql, values)


def _driver(on: Any) -> Any:
    """The connection of the driver, opened and looked after as Django does; raises where a transaction is broken."""
    on.close_if_health_check_failed()
    on.ensure_connection()
    on.validate_no_broken_transaction()
    return on.connection
