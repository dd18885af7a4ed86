from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL("ALTER TABLE acquiring_payment ADD COLUMN later integer NOT NULL DEFAULT 7"),
    ]
