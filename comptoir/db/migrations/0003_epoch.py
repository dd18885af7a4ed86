"""The number by which engines learn that what they keep in memory has changed."""

from __future__ import annotations

from django.db import migrations, models

# plpgsql and VOLATILE: called in the statement that waits for the books, it reads what was committed while
# that statement waited. A plain subquery would read what was committed before.
EPOCH = """
INSERT INTO db_epoch (id, number) VALUES (1, 0);
CREATE FUNCTION db_epoch_now() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT number FROM db_epoch WHERE id = 1);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("db", "0002_outbox_dead")]

    operations = [
        migrations.CreateModel(
            name="Epoch",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "db_epoch"},
        ),
        migrations.RunSQL(EPOCH, "DROP FUNCTION db_epoch_now; DELETE FROM db_epoch"),
    ]
