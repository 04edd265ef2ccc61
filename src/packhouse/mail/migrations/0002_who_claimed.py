from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0001_letters"),
    ]

    operations = [
        migrations.AddField(
            model_name="letter",
            name="claimed_attempt",
            field=models.PositiveSmallIntegerField(help_text="and which attempt of it", null=True),
        ),
        migrations.AddField(
            model_name="letter",
            name="claimed_task",
            field=models.BigIntegerField(help_text="the queued task that claimed it", null=True),
        ),
    ]
