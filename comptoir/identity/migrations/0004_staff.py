"""Staff: a password that has to be changed, and a PIN for what a counter must not do alone."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0003_api_key")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="must_change_password",
            field=models.BooleanField(default=False, db_default=False),
        ),
        migrations.AddField(
            model_name="person",
            name="sealed_pin_hash",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="person",
            name="pin_failures",
            field=models.SmallIntegerField(default=0, db_default=0),
        ),
        migrations.AddField(
            model_name="person",
            name="pin_locked_until",
            field=models.DateTimeField(null=True),
        ),
    ]
