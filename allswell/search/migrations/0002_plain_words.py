"""How far down the documents of PostgreSQL are still to be written anew, in plain words (rules.plain): those below a number.

The engine does that in the background, the newest first; the row goes with the last of them. SQLite has nothing to write anew."""

from django.db import migrations

POSTGRESQL = [
    "CREATE TABLE search_renewal (below bigint NOT NULL)",
    "INSERT INTO search_renewal SELECT max(ticket_id) + 1 FROM search_document HAVING max(ticket_id) IS NOT NULL",
]


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in POSTGRESQL:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("search", "0001_initial")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
