"""One search document per ticket: FTS5 on SQLite, tsvector on PostgreSQL. Public words stand apart from internal ones.

On PostgreSQL `words` holds both and is indexed; `public` is read only for tickets that are the viewer's own, which are few."""

from django.db import migrations

SQLITE = [
    "CREATE VIRTUAL TABLE search_document USING fts5(public, internal, tokenize = 'porter unicode61 remove_diacritics 2')",
]
POSTGRESQL = [
    """CREATE TABLE search_document (
        ticket_id bigint PRIMARY KEY REFERENCES tickets_ticket (id) ON DELETE CASCADE,
        public tsvector NOT NULL, words tsvector NOT NULL)""",
    "CREATE INDEX search_document_words ON search_document USING gin (words)",
]


def forwards(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    initial = True
    dependencies = [("tickets", "0001_initial")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
