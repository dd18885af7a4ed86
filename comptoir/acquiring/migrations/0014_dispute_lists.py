"""An index for lists: a merchant's disputes by the instant at which they were opened."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("acquiring", "0013_store_payments")]

    operations = [
        AddIndexConcurrently(
            model_name="dispute",
            index=models.Index(fields=["merchant_id", "created_at", "id"], name="acquiring_dispute_made"),
        ),
    ]
