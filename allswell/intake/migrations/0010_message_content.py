"""What tells the same mail that comes again from another one that only reads like it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("intake", "0009_alert_stale")]
    operations = [
        migrations.AddField("inboundmessage", "content", models.CharField(blank=True, db_default="", default="", max_length=32)),
    ]
