from django.db import migrations

from packhouse.base.indexes import index_bytes_of


def make(apps, schema_editor):
    index_bytes_of(schema_editor, "release_by_text", "projects_release", "project_id", "version")


def drop(apps, schema_editor):
    schema_editor.execute("DROP INDEX release_by_text")


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_fewer_indexes")]
    operations = [migrations.RunPython(make, drop)]
