import django.db.models.deletion
import packhouse.base.clock
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("projects", "0006_vulnerabilities"),
    ]

    operations = [
        migrations.CreateModel(
            name="Feed",
            fields=[
                ("source", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("updated", models.DateTimeField(default=packhouse.base.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Vulnerability",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=64)),
                ("identifier", models.CharField(max_length=200)),
                ("link", models.TextField(blank=True)),
                ("aliases", models.JSONField(blank=True, default=list)),
                ("summary", models.TextField(blank=True)),
                ("details", models.TextField(blank=True)),
                ("fixed_in", models.JSONField(blank=True, default=list)),
                ("withdrawn", models.DateTimeField(blank=True, null=True)),
                ("versions", models.JSONField(blank=True, default=list)),
                ("ranges", models.JSONField(blank=True, default=list)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="projects.project"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["identifier"], name="vulnerability_by_identifier")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("project", "source", "identifier"), name="vulnerability_unique_report"
                    )
                ],
            },
        ),
    ]
