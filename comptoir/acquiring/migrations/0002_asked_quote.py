"""The quote at which a merchant asked to be paid."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("acquiring", "0001_initial")]

    operations = [
        migrations.AddField("payment", "asked_quote_id", models.UUIDField(null=True)),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(
                name="acquiring_payment_asked_quote",
                condition=models.Q(asked_quote_id__isnull=True)
                | models.Q(quote_id__isnull=True)
                | models.Q(asked_quote_id=models.F("quote_id")),
            ),
        ),
    ]
