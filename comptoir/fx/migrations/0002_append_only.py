"""Rates and quotes are facts: rows are added, never changed or taken away."""

from __future__ import annotations

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION fx_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rates and quotes are append-only: % on % is refused', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER fx_reference_rate_append_only BEFORE UPDATE OR DELETE ON fx_reference_rate
    FOR EACH ROW EXECUTE FUNCTION fx_refuse();
CREATE TRIGGER fx_reference_rate_no_truncate BEFORE TRUNCATE ON fx_reference_rate
    EXECUTE FUNCTION fx_refuse();
CREATE TRIGGER fx_quote_append_only BEFORE UPDATE OR DELETE ON fx_quote
    FOR EACH ROW EXECUTE FUNCTION fx_refuse();
CREATE TRIGGER fx_quote_no_truncate BEFORE TRUNCATE ON fx_quote
    EXECUTE FUNCTION fx_refuse();
"""


class Migration(migrations.Migration):
    """After the tables of 0001."""

    dependencies = [("fx", "0001_initial")]

    operations = [migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION fx_refuse CASCADE")]
