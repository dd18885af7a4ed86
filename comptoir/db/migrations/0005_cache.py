"""The table of Django's cache: what all processes count together, such as wrong passwords.

It holds nothing that is missed when it is emptied, so it is not written ahead of the data (UNLOGGED).
"""

from __future__ import annotations

from django.db import migrations

CACHE = """
CREATE UNLOGGED TABLE db_cache (
    cache_key varchar(255) PRIMARY KEY,
    value text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX db_cache_expires ON db_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("db", "0004_outbox_again")]

    operations = [migrations.RunSQL(CACHE, "DROP TABLE db_cache")]
