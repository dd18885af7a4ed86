"""An index for lists: a merchant's payments by the instant at which they were made."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("acquiring", "0009_disputes")]

    operations = [
        AddIndexConcurrently(
            model_name="payment",
            index=models.Index(fields=["merchant_id", "created_at", "id"], name="acquiring_payment_made"),
        ),
    ]
