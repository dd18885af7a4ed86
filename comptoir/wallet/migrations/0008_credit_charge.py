from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallet", "0007_authorization_acted_on"),
    ]

    operations = [
        migrations.AddField(
            model_name="walletcredit",
            name="charge",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="walletcredit",
            name="charge_currency",
            field=models.CharField(max_length=3, null=True),
        ),
        migrations.AddConstraint(
            model_name="walletcredit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("charge__isnull", True), ("charge_currency__isnull", True)),
                    models.Q(
                        ("authorization_id__isnull", False),
                        ("charge__gt", 0),
                        ("charge_currency__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="wallet_credit_charge",
            ),
        ),
    ]
