"""Whether a silence, or announced work, has begun: those planned for later hold back what fires when they begin."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import F, Q


def begun_at_once(apps: Any, editor: Any) -> None:
    """Those made for at once have held back what fired; those planned are looked at by the engine."""
    for name in ("Silence", "MaintenanceWindow"):
        apps.get_model("intake", name).objects.filter(starts_at__lte=F("created_at")).update(has_begun=True)


class Migration(migrations.Migration):
    dependencies = [("intake", "0007_alert_left_out")]
    operations = [
        migrations.AddField("silence", "has_begun", models.BooleanField(default=False)),
        migrations.AddField("maintenancewindow", "has_begun", models.BooleanField(default=False)),
        migrations.RunPython(begun_at_once, migrations.RunPython.noop),
        migrations.AddIndex(
            "silence",
            models.Index(fields=["starts_at"], name="silence_to_begin", condition=Q(has_begun=False, is_over=False)),
        ),
        migrations.AddIndex(
            "maintenancewindow",
            models.Index(fields=["starts_at"], name="window_to_begin", condition=Q(has_begun=False, is_over=False)),
        ),
    ]
