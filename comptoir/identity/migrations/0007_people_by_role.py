"""An index for the list of the people of a role."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("identity", "0006_logged_out_at")]

    operations = [
        AddIndexConcurrently(
            model_name="person",
            index=models.Index(fields=["role", "login"], name="identity_person_by_role"),
        ),
    ]
