"""Rule sets and the decision log are facts: rows are added, never changed or taken away."""

from __future__ import annotations

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION risk_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rule sets and the decision log are append-only: % on % is refused', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER risk_rule_set_append_only BEFORE UPDATE OR DELETE ON risk_rule_set
    FOR EACH ROW EXECUTE FUNCTION risk_refuse();
CREATE TRIGGER risk_rule_set_no_truncate BEFORE TRUNCATE ON risk_rule_set
    EXECUTE FUNCTION risk_refuse();
CREATE TRIGGER risk_entry_append_only BEFORE UPDATE OR DELETE ON risk_entry
    FOR EACH ROW EXECUTE FUNCTION risk_refuse();
CREATE TRIGGER risk_entry_no_truncate BEFORE TRUNCATE ON risk_entry
    EXECUTE FUNCTION risk_refuse();
-- Counters change all the time: room on the page keeps their updates out of the indexes.
ALTER TABLE risk_counter SET (fillfactor = 70);
"""

UNDO = "DROP FUNCTION risk_refuse CASCADE; ALTER TABLE risk_counter RESET (fillfactor)"


class Migration(migrations.Migration):
    """After the tables of 0001."""

    dependencies = [("risk", "0001_initial")]

    operations = [migrations.RunSQL(APPEND_ONLY, UNDO)]
