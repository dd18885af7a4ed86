"""An outbox item can be asked for again."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("db", "0003_epoch")]

    operations = [
        migrations.AddField(
            model_name="outbox",
            name="resent_at",
            field=models.DateTimeField(null=True),
        ),
    ]
