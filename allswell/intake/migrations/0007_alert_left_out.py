"""Who told an alert last, and since when messages of its group leave it out."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("intake", "0006_system_change")]
    operations = [
        migrations.AddField("alert", "left_out_at", models.DateTimeField(null=True)),
        migrations.AddField("alert", "told_by", models.CharField(blank=True, default="", max_length=32)),
    ]
