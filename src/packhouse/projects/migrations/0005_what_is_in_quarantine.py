from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("projects", "0004_releases_by_text")]
    operations = [
        migrations.AddIndex(
            "project", models.Index("id", name="project_in_quarantine", condition=Q(status="quarantined"))
        ),
        migrations.AddIndex("release", models.Index("id", name="release_in_quarantine", condition=Q(quarantined=True))),
    ]
