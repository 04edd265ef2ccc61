from django.db import migrations

_INDEXES = ("search_text_document", "search_entry_trigrams")


def without(apps, schema_editor):
    """What is pending goes into the index at the next vacuum."""
    if schema_editor.connection.vendor == "postgresql":
        for name in _INDEXES:
            schema_editor.execute(f"ALTER INDEX IF EXISTS {name} SET (fastupdate = off)")


class Migration(migrations.Migration):
    dependencies = [("search", "0003_no_pattern_indexes")]
    operations = [migrations.RunPython(without, migrations.RunPython.noop)]
