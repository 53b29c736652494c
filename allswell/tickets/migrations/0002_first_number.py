"""The first ticket is number 1001."""

from django.db import migrations


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("UPDATE sqlite_sequence SET seq = 1000 WHERE name = 'tickets_ticket' AND seq < 1000")
        schema_editor.execute("INSERT INTO sqlite_sequence (name, seq) SELECT 'tickets_ticket', 1000 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'tickets_ticket')")
    else:
        schema_editor.execute("ALTER TABLE tickets_ticket ALTER COLUMN id RESTART WITH 1001")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
