"""Indexes: a merchant's subscriptions by their start, for lists; and the coming key of their changes."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("acquiring", "0015_subscription_terms")]

    operations = [
        AddIndexConcurrently(
            model_name="subscription",
            index=models.Index(
                fields=["merchant_id", "start_at", "id"], name="acquiring_subscription_starts"
            ),
        ),
        # It keeps nothing out that the present key lets in. Left half made by a fault, it is made anew.
        migrations.RunSQL(
            [
                "DROP INDEX CONCURRENTLY IF EXISTS acquiring_subscription_change_key",
                "CREATE UNIQUE INDEX CONCURRENTLY acquiring_subscription_change_key"
                " ON acquiring_subscription_change (merchant_id, client_ref, event, request_ref)",
            ],
            "DROP INDEX CONCURRENTLY IF EXISTS acquiring_subscription_change_key",
        ),
    ]
