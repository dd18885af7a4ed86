"""When somebody's logins were ended, on every device at once."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0005_pins_and_record")]

    operations = [
        migrations.AddField(model_name="person", name="logged_out_at", field=models.DateTimeField(null=True)),
    ]
