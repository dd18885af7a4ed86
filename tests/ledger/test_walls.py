"""Nobody but the posting function writes to the books, and no floor gives way."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from comptoir.kernel.ids import new_id
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Side
from tests.ledger import books

pytestmark = pytest.mark.usefixtures("module_database")

TABLES = ["ledger_transfer", "ledger_batch", "ledger_balance", "ledger_account", "ledger_book"]

SLIPPED_IN = {
    "a transfer": """
        INSERT INTO ledger_transfer
        SELECT owner_id, gen_random_uuid(), debit_id, credit_id, amount, currency, kind, phase, subject_id,
            pending_id, reverses_id, effective_at, batch_seq, position + 1 FROM ledger_transfer""",
    "a batch": """
        INSERT INTO ledger_batch
        SELECT seq + 1000, recorded_at, transfers, previous, hash FROM ledger_batch""",
    "a balance": """
        INSERT INTO ledger_balance
        SELECT account_id, batch_seq + 1000, debits_posted, credits_posted, debits_pending, credits_pending
        FROM ledger_balance""",
    "an account with money in it": """
        INSERT INTO ledger_account (id, owner_id, role, currency, side, debits_posted, credits_posted,
            debits_pending, credits_pending, opened_at)
        VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'CNY', 'credit', 0, 1, 0, 0, now())""",
}

EDITS = [
    "ledger_transfer SET amount = amount + 1",
    "ledger_transfer SET effective_at = now()",
    "ledger_batch SET recorded_at = now()",
    "ledger_balance SET credits_posted = credits_posted + 1",
    "ledger_book SET recorded_at = now()",
    "ledger_book SET seq = seq + 1",
    "ledger_account SET credits_posted = credits_posted + 1",
    "ledger_account SET debits_posted = debits_posted + 1, credits_posted = credits_posted + 1",
    "ledger_account SET debits_pending = debits_pending + 1",
    "ledger_account SET currency = 'EUR'",
    "ledger_account SET side = 'debit'",
    "ledger_account SET owner_id = gen_random_uuid()",
    "ledger_account SET role = 'other'",
    "ledger_account SET id = gen_random_uuid()",
]


@pytest.fixture(autouse=True)
def something_recorded(module_database: object) -> None:
    ledger.post_now([books.transfer(books.account(Side.DEBIT), books.account(floor=0), 10)])


def refused(sql: str) -> None:
    before = books.everything()
    with pytest.raises(IntegrityError, match="written by ledger_post alone"), transaction.atomic():
        books.query(sql)
    assert books.everything() == before


@pytest.mark.parametrize("edit", EDITS)
def test_what_is_recorded_is_not_edited(edit: str) -> None:
    refused(f"UPDATE {edit}")


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_deleted(table: str) -> None:
    refused(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_emptied(table: str) -> None:
    refused(f"TRUNCATE {table}")


@pytest.mark.parametrize("sql", SLIPPED_IN.values(), ids=SLIPPED_IN.keys())
def test_nothing_is_slipped_in(sql: str) -> None:
    refused(sql)


def test_after_a_posting_the_same_transaction_is_walled_in_again() -> None:
    till, ann = books.account(Side.DEBIT), books.account()
    with transaction.atomic():
        ledger.post_now([books.transfer(till, ann, 10)])
        refused("UPDATE ledger_account SET credits_posted = credits_posted + 1")


@pytest.mark.parametrize(
    ("side", "sums"),
    [
        (Side.CREDIT, "debits_posted = debits_posted + 11"),
        (Side.CREDIT, "debits_pending = debits_pending + 11"),
        (Side.DEBIT, "credits_posted = credits_posted + 11"),
        (Side.DEBIT, "credits_pending = credits_pending + 11"),
    ],
)
def test_the_last_wall_is_in_the_table(side: Side, sums: str) -> None:
    """Even a posting that believes there is money cannot take an account under its floor."""
    floored, other = books.account(side, floor=0), books.account()
    pair = (other, floored) if side is Side.CREDIT else (floored, other)
    ledger.post_now([books.transfer(*pair, 10)])
    before = books.everything()
    overdraw = f"UPDATE ledger_account SET {sums} WHERE id = '{floored}'"
    with pytest.raises(IntegrityError, match="ledger_account_floor"), transaction.atomic():
        books.query(f"SET LOCAL comptoir.posting = 'on'; {overdraw}")
    assert books.everything() == before


def test_a_floor_cannot_be_raised_over_what_is_there() -> None:
    ann = books.account(floor=0)
    with pytest.raises(IntegrityError, match="ledger_account_floor"):
        books.query("UPDATE ledger_account SET floor = 1 WHERE id = %s", (ann,))


def test_an_account_may_be_closed_and_a_credit_line_given() -> None:
    ann, shop = books.account(floor=0), books.account()
    books.query("UPDATE ledger_account SET floor = -5 WHERE id = %s", (ann,))
    assert books.post(books.transfer(ann, shop, 5)) == {}
    books.query("UPDATE ledger_account SET closed_at = now() WHERE id = %s", (ann,))
    assert books.post(books.transfer(shop, ann, 5)) == {0: "ledger.account_closed"}


def test_two_accounts_of_one_owner_role_and_currency_cannot_be() -> None:
    owner = new_id()
    books.run(ledger.open_account(owner, ledger.Role.WALLET, "CNY", books.OPENED))
    with pytest.raises(IntegrityError, match="ledger_account_one"):
        books.query(
            "INSERT INTO ledger_account (id, owner_id, role, currency, side, debits_posted, credits_posted,"
            " debits_pending, credits_pending, opened_at) SELECT gen_random_uuid(), owner_id, role, currency,"
            " side, 0, 0, 0, 0, opened_at FROM ledger_account WHERE owner_id = %s",
            (owner,),
        )
