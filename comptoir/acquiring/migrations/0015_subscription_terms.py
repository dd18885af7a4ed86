"""When the phase before a moved anchor began; and what the merchant calls a change: CHANGE or UPDATE.

Updates from before are taken for changes: they were told apart by nothing that was kept.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("acquiring", "0014_dispute_lists")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="before_anchor_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="subscriptionchange",
            name="event",
            field=models.CharField(db_default="CHANGE", max_length=16),
        ),
    ]
