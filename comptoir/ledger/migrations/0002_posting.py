from __future__ import annotations

from pathlib import Path

from django.db import migrations

POSTING = (Path(__file__).parent.parent / "sql" / "posting.sql").read_text()

UNDO = """
DROP FUNCTION ledger_refuse CASCADE;
DROP FUNCTION ledger_post, ledger_apply, ledger_walk, ledger_tight, ledger_classify, ledger_delta,
    ledger_available, ledger_link, ledger_canonical, ledger_lock;
DROP TYPE ledger_leg, ledger_input;
ALTER TABLE ledger_account RESET (fillfactor);
DELETE FROM ledger_book;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunSQL(POSTING, UNDO)]
