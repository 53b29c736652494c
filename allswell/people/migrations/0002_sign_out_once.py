"""Sessions now lie in the database under digests of their keys. Those under the keys themselves open nothing any more: they go."""

from django.db import migrations


def forget_sessions(apps, schema_editor):
    """Everybody signs in once more."""
    apps.get_model("usersessions", "UserSession").objects.all().delete()
    apps.get_model("sessions", "Session").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0001_initial"),
        ("sessions", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(forget_sessions, migrations.RunPython.noop)]
