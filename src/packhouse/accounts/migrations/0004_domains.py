import django.db.models.deletion
import packhouse.base.clock
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_sign_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="addressstate",
            name="domain_checked",
            field=models.DateTimeField(db_index=True, help_text="when its domain was last asked about", null=True),
        ),
        migrations.CreateModel(
            name="ProhibitedDomain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("domain", models.CharField(max_length=253, unique=True)),
                ("comment", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField(default=packhouse.base.clock.now)),
                (
                    "prohibited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
