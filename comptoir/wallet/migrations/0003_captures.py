from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallet", "0002_upstreams"),
    ]

    operations = [
        migrations.CreateModel(
            name="WalletCapture",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "wallet_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("wallet_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("authorization_id", models.UUIDField()),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("charge_currency", models.CharField(max_length=3)),
                ("charge", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "wallet_capture",
            },
        ),
        migrations.RemoveConstraint(
            model_name="authorization",
            name="wallet_authorization_state",
        ),
        migrations.RemoveConstraint(
            model_name="authorization",
            name="wallet_authorization_decided",
        ),
        migrations.AddField(
            model_name="authorization",
            name="approved",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="authorization",
            name="captured",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddIndex(
            model_name="authorization",
            index=models.Index(
                condition=models.Q(("state", "held")), fields=["wallet_id"], name="wallet_authorization_held"
            ),
        ),
        migrations.AddConstraint(
            model_name="authorization",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "waiting",
                            "authorised",
                            "held",
                            "released",
                            "declined",
                            "expired",
                            "cancelled",
                            "refused",
                        ],
                    )
                ),
                name="wallet_authorization_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="authorization",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("captured", 0), ("refunded", 0)),
                    models.Q(("captured", 0), ("state", "authorised")),
                    models.Q(
                        ("captured__gte", models.F("refunded")),
                        ("captured__lte", models.F("total")),
                        ("state__in", ["held", "released"]),
                    ),
                    _connector="OR",
                ),
                name="wallet_authorization_captured",
            ),
        ),
        migrations.AddConstraint(
            model_name="authorization",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["authorised", "held", "released"]), _negated=True),
                    ("decided_at__isnull", False),
                    _connector="OR",
                ),
                name="wallet_authorization_decided",
            ),
        ),
        migrations.AddIndex(
            model_name="walletcapture",
            index=models.Index(fields=["wallet_id", "created_at", "id"], name="wallet_capture_statement"),
        ),
        migrations.AddConstraint(
            model_name="walletcapture",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("charge__gt", 0)), name="wallet_capture_amounts"
            ),
        ),
    ]
