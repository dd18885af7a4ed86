# Clients that speak for merchants of their own: acquirers.

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="apiclient",
            name="acquirer",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
