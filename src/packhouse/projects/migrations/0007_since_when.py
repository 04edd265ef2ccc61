from django.db import migrations, models


class Migration(migrations.Migration):
    """Null, and no defaults: see ``0006_vulnerabilities``."""

    dependencies = [("projects", "0006_vulnerabilities")]
    operations = [
        migrations.AddField("project", "status_changed", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("release", "yanked_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("release", "quarantined_at", models.DateTimeField(editable=False, null=True)),
    ]
