"""The language and the theme that somebody chose, on whichever device."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0007_people_by_role")]

    operations = [
        migrations.AddField(
            model_name="person", name="language", field=models.CharField(max_length=16, null=True)
        ),
        migrations.AddField(
            model_name="person", name="theme", field=models.CharField(max_length=16, null=True)
        ),
    ]
