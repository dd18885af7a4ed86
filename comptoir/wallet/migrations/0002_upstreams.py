"""Accounts with those who hold other wallets."""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallet", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Upstream",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("family", models.CharField(max_length=3)),
                ("url", models.CharField(max_length=512)),
                ("client_ref", models.CharField(max_length=64)),
                ("key_version", models.IntegerField()),
                ("sealed_private_key", models.BinaryField()),
                ("public_key", models.BinaryField()),
                ("their_public_key", models.BinaryField()),
                (
                    "prefixes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), size=None
                    ),
                ),
                ("settlement_currency", models.CharField(max_length=3, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "wallet_upstream",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("family__in", ["aps", "ams"])), name="wallet_upstream_family"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("key_version__gte", 1)), name="wallet_upstream_key_version"
                    ),
                ],
            },
        ),
    ]
