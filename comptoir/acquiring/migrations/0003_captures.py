from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("acquiring", "0002_asked_quote"),
    ]

    operations = [
        migrations.CreateModel(
            name="AmountUpdate",
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
                ("before_currency", models.CharField(max_length=3)),
                ("before", models.BigIntegerField()),
                ("state", models.CharField(max_length=10)),
                ("failure_code", models.CharField(max_length=64, null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "acquiring_amount_update",
            },
        ),
        migrations.CreateModel(
            name="Capture",
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
                ("wallet_currency", models.CharField(max_length=3, null=True)),
                ("wallet_amount", models.BigIntegerField(null=True)),
                ("wallet_margin", models.BigIntegerField(null=True)),
                ("settlement_currency", models.CharField(max_length=3, null=True)),
                ("settlement", models.BigIntegerField(null=True)),
                ("refunded", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "acquiring_capture",
            },
        ),
        migrations.AddField(
            model_name="payment",
            name="auth_expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="capture_mode",
            field=models.CharField(max_length=9, null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="captured",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="hold_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="margin_captured",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="settlement_captured",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="wallet_captured",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="refund",
            name="capture_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("hold_id__isnull", False)),
                fields=["auth_expires_at"],
                name="acquiring_payment_held",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("capture_mode__isnull", True), ("captured", 0), ("hold_id__isnull", True)),
                    models.Q(("capture_mode", "AUTOMATIC"), ("hold_id__isnull", True)),
                    ("capture_mode", "MANUAL"),
                    _connector="OR",
                ),
                name="acquiring_payment_capture_mode",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("capture_mode__isnull", True),
                    models.Q(
                        ("captured", 0),
                        ("margin_captured", 0),
                        ("refunded", 0),
                        ("settlement_captured", 0),
                        ("wallet_captured", 0),
                    ),
                    models.Q(
                        ("captured__gt", 0),
                        ("captured__lte", models.F("amount")),
                        ("refunded__lte", models.F("captured")),
                        ("wallet_captured__gte", models.F("wallet_refunded")),
                        ("wallet_captured__lte", models.F("wallet_total")),
                        ("margin_captured__gte", models.F("margin_refunded")),
                        ("margin_captured__lte", models.F("wallet_margin")),
                        ("settlement_captured__gte", models.F("settlement_refunded")),
                        ("settlement_captured__lte", models.F("settlement")),
                    ),
                    _connector="OR",
                ),
                name="acquiring_payment_captured",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hold_id__isnull", True),
                    models.Q(
                        ("auth_expires_at__isnull", False),
                        ("captured__lt", models.F("amount")),
                        ("state", "SUCCESS"),
                        ("wallet_id__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="acquiring_payment_hold",
            ),
        ),
        migrations.AddIndex(
            model_name="amountupdate",
            index=models.Index(fields=["merchant_id", "payment_id"], name="acquiring_amount_update_of"),
        ),
        migrations.AddConstraint(
            model_name="amountupdate",
            constraint=models.UniqueConstraint(
                fields=("merchant_id", "client_ref", "request_ref"), name="acquiring_amount_update_request"
            ),
        ),
        migrations.AddConstraint(
            model_name="amountupdate",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["SUCCESS", "FAIL"])), name="acquiring_amount_update_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="amountupdate",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="acquiring_amount_update_amount"
            ),
        ),
        migrations.AddIndex(
            model_name="capture",
            index=models.Index(fields=["merchant_id", "payment_id"], name="acquiring_capture_payment"),
        ),
        migrations.AddConstraint(
            model_name="capture",
            constraint=models.UniqueConstraint(
                fields=("merchant_id", "client_ref", "request_ref"), name="acquiring_capture_request"
            ),
        ),
        migrations.AddConstraint(
            model_name="capture",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["SUCCESS", "FAIL"])), name="acquiring_capture_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="capture",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gt", 0), ("refunded__gte", 0), ("refunded__lte", models.F("amount"))
                ),
                name="acquiring_capture_amount",
            ),
        ),
    ]
