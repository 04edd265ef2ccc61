from django.db import migrations, models

from packhouse.documents import edition

_KEEP = "SELECT shared FROM documents_document WHERE key = 'stamp'"


def add(apps, schema_editor):
    """What is there was made as the stamp says.  A constant default is no work for either database, however many rows
    there are; Django would write the whole table anew on SQLite."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_KEEP)
        found = cursor.fetchone()
        made = edition.number(found[0]) if found else 0
        cursor.execute(f"ALTER TABLE documents_document ADD COLUMN made bigint NOT NULL DEFAULT {made}")


def remove(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE documents_document DROP COLUMN made")


class Migration(migrations.Migration):
    dependencies = [("documents", "0003_segments_by_serial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField(model_name="document", name="made", field=models.BigIntegerField(default=0)),
            ],
            database_operations=[migrations.RunPython(add, remove)],
        ),
    ]
