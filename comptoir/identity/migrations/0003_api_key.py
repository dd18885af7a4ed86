"""Secrets that stand for a client which signs nothing."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0002_acquirer")]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=4)),
                ("secret_hash", models.BinaryField()),
                (
                    "operations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), null=True, size=None
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to="identity.apiclient",
                    ),
                ),
            ],
            options={
                "db_table": "identity_api_key",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind", "isak"), ("operations__isnull", True))
                        | models.Q(("kind", "irak"), ("operations__isnull", False)),
                        name="identity_api_key_kind",
                    )
                ],
            },
        ),
    ]
