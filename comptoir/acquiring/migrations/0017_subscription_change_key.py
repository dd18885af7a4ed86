"""A request id counts for `change` and for `update` apart: what it is called is part of the key."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("acquiring", "0016_subscription_indexes")]

    operations = [
        # Nothing is read: the index is there. Older code writes a CHANGE, whatever it was.
        migrations.RunSQL(
            "ALTER TABLE acquiring_subscription_change DROP CONSTRAINT acquiring_subscription_change_pkey,"
            " ADD CONSTRAINT acquiring_subscription_change_pkey"
            " PRIMARY KEY USING INDEX acquiring_subscription_change_key",
            migrations.RunSQL.noop,
            state_operations=[
                migrations.AlterField(
                    model_name="subscriptionchange",
                    name="pk",
                    field=models.CompositePrimaryKey(
                        "merchant_id",
                        "client_ref",
                        "event",
                        "request_ref",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
    ]
