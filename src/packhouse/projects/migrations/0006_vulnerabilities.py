from django.db import migrations, models


class Migration(migrations.Migration):
    """Null, and no default: SQLite would write the whole table anew, and lose the index ``release_by_text``."""

    dependencies = [("projects", "0005_what_is_in_quarantine")]
    operations = [
        migrations.AddField("release", "vulnerabilities", models.JSONField(editable=False, null=True)),
    ]
