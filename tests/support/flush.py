"""Between tests that commit, the tables are emptied; the journal's triggers refuse that, so they look away for the moment."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection


def install(patch: pytest.MonkeyPatch) -> None:
    """Make Django's flush step around the triggers of the journal."""
    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def quietly(self: Any, statements: list[str]) -> None:
        triggers = []
        if self.connection.vendor == "sqlite":
            triggers = _drop_triggers()
            statements = [*statements, "DELETE FROM search_document"]
        if self.connection.vendor == "postgresql":
            emptied = [statement.rstrip("; ") + " CASCADE" for statement in statements if statement]
            statements = ["SET session_replication_role = replica", *emptied, "SET session_replication_role = origin"]
        flush(self, statements)
        with connection.cursor() as cursor:
            for trigger in triggers:
                cursor.execute(trigger)

    patch.setattr(operations, "execute_sql_flush", quietly)


def _drop_triggers() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal_entry'")
        rows = cursor.fetchall()
        for name, _ in rows:
            cursor.execute(f"DROP TRIGGER {name}")
    return [sql for _, sql in rows]
