"""After how many hours without a word alerts of a source end by themselves, and when that is for each."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("intake", "0008_quiet_begins")]
    operations = [
        migrations.AddField("alertsource", "ends_after", models.PositiveIntegerField(null=True)),
        migrations.AddField("alert", "stale_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "alert",
            models.Index(fields=["stale_at"], name="alert_stale", condition=Q(state="firing", stale_at__isnull=False)),
        ),
    ]
