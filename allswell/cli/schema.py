"""The schema of the database against the one this version knows."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
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
            raise CannotStart(f"{len(self.pending)} migrations are pending. Run: allswell migrate (after a backup).")


def look() -> Schema:
    """Compare the database with this version."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    ours = {app for app, _ in loader.disk_migrations}
    applied = MigrationRecorder(connection).applied_migrations()
    unknown = sorted(f"{app}.{name}" for app, name in applied if app in ours and (app, name) not in loader.disk_migrations)
    if unknown:
        return Schema((), tuple(unknown))
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return Schema(tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan), ())


def bring_up() -> None:
    """Apply what is pending."""
    call_command("migrate", verbosity=0, interactive=False)
