"""What a shop gives along with a refund, and gets back with what it is told of it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("acquiring", "0017_subscription_change_key")]

    operations = [
        migrations.AddField(model_name="refund", name="details", field=models.JSONField(null=True)),
    ]
