"""An index for lists: a merchant's refunds by the instant at which they were made."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("acquiring", "0011_store_days")]

    operations = [
        AddIndexConcurrently(
            model_name="refund",
            index=models.Index(fields=["merchant_id", "created_at", "id"], name="acquiring_refund_made"),
        ),
    ]
