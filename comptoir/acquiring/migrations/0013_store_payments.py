"""An index for the day of a store: its payments by the instant at which they were made."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("acquiring", "0012_refund_lists")]

    operations = [
        AddIndexConcurrently(
            model_name="payment",
            index=models.Index(
                fields=["merchant_id", "store_ref", "created_at", "id"], name="acquiring_payment_store"
            ),
        ),
    ]
