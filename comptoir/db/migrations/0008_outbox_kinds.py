"""One owner's outbox items that are about no payment are found by what they are."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("db", "0007_outbox_words")]

    operations = [
        AddIndexConcurrently(
            model_name="outbox",
            index=models.Index(
                condition=models.Q(("topic", "notify.payment"), _negated=True),
                fields=["owner_id", "topic", "id"],
                name="db_outbox_kinds",
            ),
        ),
    ]
