from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("later", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE INDEX CONCURRENTLY later_index ON acquiring_payment (later)"),
    ]
