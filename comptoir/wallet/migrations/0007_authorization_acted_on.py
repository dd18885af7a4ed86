from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallet", "0006_holders_choices"),
    ]

    operations = [
        migrations.AddField(
            model_name="authorization",
            name="acted_on",
            field=models.IntegerField(null=True),
        ),
    ]
