"""The days of stores: by which clock each keeps them."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from comptoir.standards import time_zones


def _set_zones(apps: Any, schema_editor: Any) -> None:
    stores = apps.get_model("acquiring", "Store").objects
    for country in stores.order_by().values_list("country", flat=True).distinct():
        stores.filter(country=country).update(time_zone=time_zones.of_country(country))


class Migration(migrations.Migration):
    dependencies = [("acquiring", "0010_lists")]

    operations = [
        migrations.AddField(
            model_name="store",
            name="time_zone",
            field=models.CharField(default="UTC", max_length=64),
            preserve_default=False,
        ),
        migrations.RunPython(_set_zones, migrations.RunPython.noop),
    ]
