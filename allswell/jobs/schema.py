"""The schema of the database against the one this version knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from allswell.kernel.errors import CannotStart


@dataclass(frozen=True)
class Schema:
    """`pending`: known and not applied; `unknown`: applied by a newer version. Written "app.name"."""

    pending: tuple[str, ...]
    unknown: tuple[str, ...]

    def refuse_newer(self) -> None:
        """Raise CannotStart when the database is of a newer version."""
        if self.unknown:
            raise CannotStart(
                f"The database is newer than this program (it has {self.unknown[-1]}). Upgrade Allswell, or restore a backup."
            )

    def refuse_pending(self) -> None:
        """Raise CannotStart when migrations wait."""
        self.refuse_newer()
        if self.pending:
            raise CannotStart(f"{len(self.pending)} migrations are pending. Make a backup, then run: allswell migrate")


@lru_cache(maxsize=1)
def known() -> frozenset[tuple[str, str]]:
    """The migrations this code brings, as (app, name)."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def compare(applied: set[tuple[str, str]], ours: frozenset[tuple[str, str]]) -> Schema:
    """What is missing in the database and what is unknown to the code; apps that are not ours do not count."""
    apps = {app for app, _ in ours}
    unknown = sorted(f"{app}.{name}" for app, name in applied if app in apps and (app, name) not in ours)
    return Schema(tuple(sorted(f"{app}.{name}" for app, name in ours - applied)), tuple(unknown))


def look() -> Schema:
    """Compare the database with this version; one query. Raises DatabaseError when it cannot be reached."""
    return compare(set(MigrationRecorder(connection).applied_migrations()), known())
