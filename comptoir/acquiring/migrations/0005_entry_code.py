"""The codes that hang on stores' walls."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("acquiring", "0004_agreements"),
    ]

    operations = [
        migrations.CreateModel(
            name="EntryCode",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "merchant_id", "ref", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("merchant_id", models.UUIDField()),
                ("ref", models.CharField(max_length=22)),
                ("store_id", models.UUIDField()),
                ("client_ref", models.CharField(max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("created_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "acquiring_entry_code",
                "indexes": [models.Index(fields=["ref"], name="acquiring_entry_code_ref")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=("merchant_id", "store_id", "currency"),
                        name="acquiring_entry_code_live",
                    )
                ],
            },
        ),
    ]
