"""An outbox item keeps what was said of it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("db", "0006_outbox_about")]

    operations = [
        migrations.AddField(
            model_name="outbox",
            name="words",
            field=models.BinaryField(null=True),
        ),
    ]
