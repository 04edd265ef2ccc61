from django.db import migrations

from packhouse.base.indexes import drop_pattern_indexes


def drop(apps, schema_editor):
    drop_pattern_indexes(schema_editor, "search_entry", "compact")
    drop_pattern_indexes(schema_editor, "search_word", "word")


class Migration(migrations.Migration):
    dependencies = [("search", "0002_build")]
    operations = [migrations.RunPython(drop, migrations.RunPython.noop)]
