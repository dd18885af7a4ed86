"""Outbox items are found by what they are about."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("db", "0005_cache")]

    operations = [
        AddIndexConcurrently(
            model_name="outbox",
            index=models.Index(fields=["owner_id", "subject_id"], name="db_outbox_about"),
        ),
    ]
