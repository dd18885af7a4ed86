"""The first tables of the issuer."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SpentCode",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "wallet_id",
                        "device_number",
                        "window",
                        "n",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("wallet_id", models.UUIDField()),
                ("device_number", models.IntegerField()),
                ("window", models.IntegerField()),
                ("n", models.SmallIntegerField()),
                ("at", models.DateTimeField(db_index=True)),
            ],
            options={
                "db_table": "wallet_spent_code",
            },
        ),
        migrations.CreateModel(
            name="Authorization",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "wallet_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("wallet_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("merchant_id", models.UUIDField()),
                ("payment_id", models.UUIDField()),
                ("payee", models.CharField(max_length=256)),
                ("currency", models.CharField(max_length=3)),
                ("total", models.BigIntegerField()),
                ("margin", models.BigIntegerField()),
                ("charge_currency", models.CharField(max_length=3)),
                ("charge", models.BigIntegerField()),
                ("price", models.DecimalField(decimal_places=20, max_digits=38)),
                ("quote_id", models.UUIDField()),
                ("state", models.CharField(max_length=10)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("spent_on", models.DateField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("refunded", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "wallet_authorization",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "authorised")),
                        fields=["wallet_id", "decided_at", "id"],
                        name="wallet_authorization_paid",
                    ),
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["wallet_id"],
                        name="wallet_authorization_waiting",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("charge__gt", 0),
                            ("margin__gte", 0),
                            ("margin__lte", models.F("total")),
                            ("price__gt", 0),
                            ("total__gt", 0),
                        ),
                        name="wallet_authorization_amounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("refunded__gte", 0), ("refunded__lte", models.F("total"))),
                        name="wallet_authorization_refunded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["waiting", "authorised", "declined", "expired", "cancelled", "refused"],
                            )
                        ),
                        name="wallet_authorization_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "authorised"), _negated=True),
                            ("decided_at__isnull", False),
                            _connector="OR",
                        ),
                        name="wallet_authorization_decided",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DaySpending",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "wallet_id", "on", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("wallet_id", models.UUIDField()),
                ("on", models.DateField()),
                ("spent", models.BigIntegerField()),
            ],
            options={
                "db_table": "wallet_day_spending",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("spent__gte", 0)), name="wallet_day_spending_spent"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("wallet_id", models.UUIDField(db_index=True)),
                ("name", models.CharField(max_length=64)),
                ("sealed_seed", models.BinaryField()),
                ("active", models.BooleanField(default=True)),
                ("bad_codes", models.SmallIntegerField(default=0)),
                ("locked_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "wallet_device",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("number__gte", 10000000), ("number__lte", 99999999)),
                        name="wallet_device_number",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Wallet",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("holder_id", models.UUIDField(db_index=True)),
                ("display_name", models.CharField(max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("state", models.CharField(default="active", max_length=6)),
                ("sealed_pin_hash", models.BinaryField()),
                ("pin_failures", models.SmallIntegerField(default=0)),
                ("pin_locked_until", models.DateTimeField(null=True)),
                ("no_pin_limit", models.BigIntegerField()),
                ("payment_limit", models.BigIntegerField()),
                ("day_limit", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "wallet_wallet",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("day_limit__gte", 0), ("no_pin_limit__gte", 0), ("payment_limit__gte", 0)
                        ),
                        name="wallet_wallet_limits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["active", "frozen", "closed"])),
                        name="wallet_wallet_state",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WalletCredit",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "wallet_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("wallet_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("kind", models.CharField(max_length=8)),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("authorization_id", models.UUIDField(null=True)),
                ("note", models.CharField(default="", max_length=256)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "wallet_credit",
                "indexes": [
                    models.Index(fields=["wallet_id", "created_at", "id"], name="wallet_credit_statement")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="wallet_credit_amount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("authorization_id__isnull", True), ("kind", "top_up")),
                            models.Q(
                                ("authorization_id__isnull", False), ("kind__in", ["refund", "reversal"])
                            ),
                            _connector="OR",
                        ),
                        name="wallet_credit_kind",
                    ),
                ],
            },
        ),
    ]
