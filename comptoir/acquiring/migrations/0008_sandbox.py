"""Test merchants, whom only simulated wallets pay."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("acquiring", "0007_conflicts"),
    ]

    operations = [
        migrations.AddField(
            model_name="merchant",
            name="sandbox",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
