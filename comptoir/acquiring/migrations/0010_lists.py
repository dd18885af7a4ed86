"""Indexes for lists: a merchant's payments and refunds by the instant at which they were made."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("acquiring", "0009_disputes")]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["merchant_id", "created_at", "id"], name="acquiring_payment_made"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["merchant_id", "created_at", "id"], name="acquiring_refund_made"),
        ),
    ]
