"""Files deleted in quarantine were all there were: they leave at once, and which project's they were no cache needs."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("index", "0002_files_deleted_in_quarantine"),
    ]

    operations = [
        migrations.AddField("doomed", "project", models.CharField(max_length=200, default=""), preserve_default=False),
        migrations.AddField(
            "doomed",
            "due",
            models.DateTimeField(db_index=True, default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddField("doomed", "withheld", models.BooleanField(default=True), preserve_default=False),
    ]
