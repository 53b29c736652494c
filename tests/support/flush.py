"""Between tests that commit, the tables are emptied; the journal's triggers refuse that, so they look away for the moment."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection

#: what Django would write again after each emptying, the same each time
_LEFT = frozenset({"django_content_type", "auth_permission"})


def install(patch: pytest.MonkeyPatch) -> None:
    """Make Django's flush step around the triggers of the journal."""
    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def quietly(self: Any, statements: list[str]) -> None:
        triggers = []
        tables = {table for statement in statements for table in re.findall(r'(?:FROM |TRUNCATE |, )"(\w+)"', statement)}
        # few rows are sooner deleted than a hundred tables truncated
        emptied = [f'DELETE FROM "{table}"' for table in sorted(tables - _LEFT | {"search_document"})]
        if self.connection.vendor == "sqlite":
            triggers = _drop_triggers()
        if self.connection.vendor == "postgresql":
            emptied = ["SET session_replication_role = replica", "; ".join(emptied), "SET session_replication_role = origin"]
        flush(self, emptied)
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
