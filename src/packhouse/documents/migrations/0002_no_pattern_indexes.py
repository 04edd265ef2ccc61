from django.db import migrations

from packhouse.base.indexes import drop_pattern_indexes


def drop(apps, schema_editor):
    drop_pattern_indexes(schema_editor, "documents_document", "key")
    drop_pattern_indexes(schema_editor, "documents_segment", "document_id")


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]
    operations = [migrations.RunPython(drop, migrations.RunPython.noop)]
