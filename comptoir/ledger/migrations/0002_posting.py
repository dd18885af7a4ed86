from pathlib import Path

from django.db import migrations

POSTING = (Path(__file__).parent.parent / "sql" / "posting.sql").read_text()

UNDO = """
DROP TRIGGER ledger_account_by_posting ON ledger_account;
DROP FUNCTION ledger_post, ledger_seal, ledger_apply, ledger_walk, ledger_available, ledger_effects,
    ledger_spread_refusals, ledger_classify, ledger_link, ledger_canonical, ledger_lock;
DROP FUNCTION ledger_refuse CASCADE;
DROP TYPE ledger_effect, ledger_checked, ledger_input;
DELETE FROM ledger_book;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunSQL(POSTING, UNDO)]
