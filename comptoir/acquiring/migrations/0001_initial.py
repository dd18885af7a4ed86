"""The first tables of the acquirer."""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Contract",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "merchant_id",
                        "settlement_currency",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("merchant_id", models.UUIDField()),
                ("settlement_currency", models.CharField(max_length=3)),
                (
                    "payment_currencies",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=3), size=None
                    ),
                ),
                ("margin_bps", models.IntegerField()),
                ("in_store_expiry_s", models.IntegerField(default=600)),
                ("online_expiry_s", models.IntegerField(default=840)),
                ("refund_window_days", models.IntegerField(default=365)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "acquiring_contract",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("margin_bps__gte", 0),
                            ("margin_bps__lte", 1000),
                            ("in_store_expiry_s__gt", 0),
                            ("in_store_expiry_s__lte", 1500),
                            ("online_expiry_s__gt", 0),
                            ("online_expiry_s__lte", 1500),
                            ("refund_window_days__gt", 0),
                        ),
                        name="acquiring_contract_terms",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Merchant",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("office_id", models.UUIDField()),
                ("ref", models.CharField(max_length=32, unique=True)),
                ("name", models.CharField(max_length=256)),
                ("mcc", models.CharField(max_length=4)),
                ("country", models.CharField(max_length=2)),
                ("status", models.CharField(default="active", max_length=9)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "acquiring_merchant",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "suspended"])),
                        name="acquiring_merchant_status",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "merchant_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("merchant_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("client_ref", models.CharField(max_length=64)),
                ("request_ref", models.CharField(max_length=64)),
                ("input_hash", models.BinaryField()),
                ("product", models.CharField(max_length=32)),
                ("scenario", models.CharField(max_length=16, null=True)),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("settlement_currency", models.CharField(max_length=3)),
                ("settlement", models.BigIntegerField()),
                ("settlement_price", models.DecimalField(decimal_places=20, max_digits=38)),
                ("state", models.CharField(max_length=10)),
                ("failure_code", models.CharField(max_length=64, null=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("cancelled_at", models.DateTimeField(null=True)),
                ("method_type", models.CharField(max_length=64)),
                ("issuer", models.CharField(max_length=32, null=True)),
                ("wallet_id", models.UUIDField(null=True)),
                ("authorization_id", models.UUIDField(null=True)),
                ("wallet_currency", models.CharField(max_length=3, null=True)),
                ("wallet_total", models.BigIntegerField(null=True)),
                ("wallet_margin", models.BigIntegerField(null=True)),
                ("quote_id", models.UUIDField(null=True)),
                ("quote_price", models.DecimalField(decimal_places=20, max_digits=38, null=True)),
                ("quote_from", models.DateTimeField(null=True)),
                ("quote_until", models.DateTimeField(null=True)),
                ("customer_ref", models.CharField(max_length=64, null=True)),
                ("order_code", models.CharField(max_length=24, null=True)),
                ("refunded", models.BigIntegerField(default=0)),
                ("wallet_refunded", models.BigIntegerField(default=0)),
                ("margin_refunded", models.BigIntegerField(default=0)),
                ("settlement_refunded", models.BigIntegerField(default=0)),
                ("store_ref", models.CharField(max_length=64, null=True)),
                ("terminal_ref", models.CharField(max_length=64, null=True)),
                ("notify_url", models.CharField(max_length=2048, null=True)),
                ("redirect_url", models.CharField(max_length=2048, null=True)),
                ("details", models.JSONField()),
            ],
            options={
                "db_table": "acquiring_payment",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "PROCESSING")),
                        fields=["expires_at"],
                        name="acquiring_payment_due",
                    ),
                    models.Index(
                        condition=models.Q(("order_code__isnull", False)),
                        fields=["order_code"],
                        name="acquiring_payment_code",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant_id", "client_ref", "request_ref"), name="acquiring_payment_request"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["PROCESSING", "SUCCESS", "FAIL", "CANCELLED"])),
                        name="acquiring_payment_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("settlement__gt", 0)),
                        name="acquiring_payment_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("refunded__gte", 0),
                            ("refunded__lte", models.F("amount")),
                            ("settlement_refunded__gte", 0),
                            ("settlement_refunded__lte", models.F("settlement")),
                        ),
                        name="acquiring_payment_refunded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("margin_refunded", 0), ("wallet_refunded", 0)),
                            models.Q(
                                ("wallet_refunded__gte", 0),
                                ("wallet_refunded__lte", models.F("wallet_total")),
                                ("margin_refunded__gte", 0),
                                ("margin_refunded__lte", models.F("wallet_margin")),
                            ),
                            _connector="OR",
                        ),
                        name="acquiring_payment_wallet_refunded",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
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
                ("client_ref", models.CharField(max_length=64)),
                ("request_ref", models.CharField(max_length=64)),
                ("input_hash", models.BinaryField()),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("state", models.CharField(max_length=10)),
                ("failure_code", models.CharField(max_length=64, null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("wallet_currency", models.CharField(max_length=3, null=True)),
                ("wallet_amount", models.BigIntegerField(null=True)),
                ("wallet_margin", models.BigIntegerField(null=True)),
                ("settlement_currency", models.CharField(max_length=3, null=True)),
                ("settlement", models.BigIntegerField(null=True)),
                ("reason", models.CharField(max_length=256, null=True)),
                ("notify_url", models.CharField(max_length=1024, null=True)),
            ],
            options={
                "db_table": "acquiring_refund",
                "indexes": [
                    models.Index(fields=["merchant_id", "payment_id"], name="acquiring_refund_payment")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant_id", "client_ref", "request_ref"), name="acquiring_refund_request"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="acquiring_refund_amount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["PROCESSING", "SUCCESS", "FAIL"])),
                        name="acquiring_refund_state",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Store",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "merchant_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("merchant_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("ref", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=256)),
                ("mcc", models.CharField(max_length=4)),
                ("city", models.CharField(max_length=64)),
                ("country", models.CharField(max_length=2)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "acquiring_store",
                "constraints": [
                    models.UniqueConstraint(fields=("merchant_id", "ref"), name="acquiring_store_ref")
                ],
            },
        ),
        migrations.CreateModel(
            name="Terminal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "merchant_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("merchant_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("store_id", models.UUIDField()),
                ("ref", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "acquiring_terminal",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant_id", "store_id", "ref"), name="acquiring_terminal_ref"
                    )
                ],
            },
        ),
    ]
