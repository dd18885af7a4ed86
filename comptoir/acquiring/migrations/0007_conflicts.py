"""Contradictions of other issuers, for people to settle."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("acquiring", "0006_subscriptions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Conflict",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "merchant_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("merchant_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("payment_id", models.UUIDField()),
                ("issuer", models.CharField(max_length=32)),
                ("recorded", models.CharField(max_length=9)),
                ("claimed", models.CharField(max_length=9)),
                ("opened_at", models.DateTimeField()),
                ("verdict", models.CharField(max_length=9, null=True)),
                ("judged_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("note", models.CharField(default="", max_length=256)),
            ],
            options={
                "db_table": "acquiring_conflict",
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=["opened_at"],
                        name="acquiring_conflict_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("claimed__in", ["succeeded", "failed"]),
                            ("recorded__in", ["succeeded", "failed"]),
                            models.Q(("recorded", models.F("claimed")), _negated=True),
                        ),
                        name="acquiring_conflict_sides",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("judged_at__isnull", True), ("verdict__isnull", True)),
                            models.Q(
                                ("judged_at__isnull", False),
                                ("verdict__in", ["succeeded", "failed", "unknown"]),
                            ),
                            _connector="OR",
                        ),
                        name="acquiring_conflict_verdict",
                    ),
                ],
            },
        ),
    ]
