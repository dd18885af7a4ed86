"""`verify` finds what a superuser does to the books with the triggers off, and names it first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from comptoir.ledger import api as ledger
from comptoir.ledger import rules
from comptoir.ledger.api import Phase, Side
from tests.ledger import books

pytestmark = pytest.mark.usefixtures("module_database")


@pytest.fixture(scope="module")
def accounts(module_database: object) -> dict[str, UUID]:
    """Five batches, the third of two transfers; the fourth holds, the fifth posts the hold in part."""
    till, ann, shop = books.account(Side.DEBIT), books.account(floor=0), books.account(floor=0)
    ledger.post_now([books.transfer(till, ann, 100)])
    ledger.post_now([books.transfer(ann, shop, 20, effective_at=datetime(2026, 2, 1, tzinfo=UTC))])
    ledger.post_now([books.transfer(ann, shop, 5), books.transfer(ann, shop, 6)])
    hold = books.transfer(ann, shop, 40, phase=Phase.PENDING)
    ledger.post_now([hold])
    ledger.post_now([books.transfer(ann, shop, 30, owner_id=ann, phase=Phase.POST, pending_id=hold.id)])
    return {"till": till, "ann": ann, "shop": shop}


def test_untouched_books_are_whole_and_counted(accounts: dict[str, UUID]) -> None:
    report = ledger.verify()
    assert report.differences == []
    assert (report.batches, report.transfers) == (5, 6)
    (total,) = report.totals
    assert (total.currency, total.debits_posted, total.credits_posted) == ("CNY", 161, 161)
    assert (total.debits_pending, total.credits_pending) == (0, 0)
    assert total.balanced


COPY_FIRST = """
    INSERT INTO ledger_transfer
    SELECT owner_id, gen_random_uuid(), debit_id, credit_id, amount, currency, kind, phase, subject_id,
        pending_id, reverses_id, effective_at, %(at)s FROM ledger_transfer WHERE batch_seq = 1
"""

# What is done behind the walls (%(ann)s is the wallet's id), and how the first difference begins.
TAMPERED = {
    "an amount changed": (
        "UPDATE ledger_transfer SET amount = amount + 1 WHERE batch_seq = 3 AND position = 1",
        "batch 3: its hash is not that of its transfers",
    ),
    "a transfer sent to another account": (
        "UPDATE ledger_transfer SET debit_id = (SELECT debit_id FROM ledger_transfer WHERE batch_seq = 1)"
        " WHERE batch_seq = 2",
        "batch 2: its hash is not",
    ),
    "a transfer given another purpose": (
        "UPDATE ledger_transfer SET kind = 'gift' WHERE batch_seq = 1",
        "batch 1: its hash is not",
    ),
    "a transfer re-dated": (
        "UPDATE ledger_transfer SET effective_at = effective_at - interval '1 day' WHERE batch_seq = 2",
        "batch 2: its hash is not",
    ),
    "a transfer dated that was not": (
        "UPDATE ledger_transfer SET effective_at = now() WHERE batch_seq = 3 AND position = 0",
        "batch 3: its hash is not",
    ),
    "the order within a batch": (
        "UPDATE ledger_transfer SET position = 2 WHERE batch_seq = 3 AND position = 0",
        "batch 3: its hash is not",
    ),
    "a transfer deleted": (
        "DELETE FROM ledger_transfer WHERE batch_seq = 3 AND position = 0",
        "batch 3 holds 1 transfers, it recorded 2",
    ),
    "a transfer deleted and the count made to fit": (
        "DELETE FROM ledger_transfer WHERE batch_seq = 3 AND position = 0;"
        "UPDATE ledger_batch SET transfers = 1 WHERE seq = 3",
        "batch 3: its hash is not",
    ),
    "a transfer slipped into a batch": (
        COPY_FIRST.replace("%(at)s", "batch_seq, 9"),
        "batch 1 holds 2 transfers, it recorded 1",
    ),
    "a transfer of no batch": (
        COPY_FIRST.replace("%(at)s", "99, 0"),
        "transfer ",
    ),
    "a batch deleted": ("DELETE FROM ledger_batch WHERE seq = 2", "batch 2 is missing from the chain"),
    "the last batch deleted, with all it did": (
        "DELETE FROM ledger_batch WHERE seq = 5; DELETE FROM ledger_transfer WHERE batch_seq = 5;"
        "DELETE FROM ledger_balance WHERE batch_seq = 5",
        "the book's head names batch 5",
    ),
    "a batch re-dated": (
        "UPDATE ledger_batch SET recorded_at = recorded_at - interval '1 microsecond' WHERE seq = 4",
        "batch 4: its hash is not",
    ),
    "a link cut": (
        "UPDATE ledger_batch SET previous = sha256('x') WHERE seq = 4",
        "batch 4: its hash is not",
    ),
    "the head moved back": ("UPDATE ledger_book SET seq = 4", "the book's head names batch 4"),
    "the head given another hash": (
        "UPDATE ledger_book SET hash = sha256('x')",
        "the book's head names batch 5",
    ),
    "the head's clock moved": (
        "UPDATE ledger_book SET recorded_at = recorded_at + interval '1 day'",
        "the book's head names batch 5",
    ),
    "the head deleted": ("DELETE FROM ledger_book", "the book's head is gone"),
    "an account given money": (
        "UPDATE ledger_account SET credits_posted = credits_posted + 1000 WHERE id = %(ann)s",
        "account %(ann_hex)s (wallet.balance, CNY): debits/credits/held debits/held credits are 61/100/0/0"
        " by its transfers, the account says 61/1100/0/0",
    ),
    "money given on both sides of two accounts": (
        "UPDATE ledger_account"
        " SET credits_posted = credits_posted + 1000, debits_posted = debits_posted + 1000",
        "account ",
    ),
    "a hold invented": (
        "UPDATE ledger_account SET debits_pending = 3 WHERE id = %(ann)s",
        "account %(ann_hex)s (wallet.balance, CNY): debits/credits/held debits/held credits are 61/100/0/0"
        " by its transfers, the account says 61/100/3/0",
    ),
    "an account deleted": (
        "DELETE FROM ledger_account WHERE id = %(ann)s",
        "account %(ann_hex)s (not in the books)",
    ),
    "a past balance changed": (
        "UPDATE ledger_balance SET credits_posted = credits_posted + 1"
        " WHERE account_id = %(ann)s AND batch_seq = 2",
        "account %(ann_hex)s: its recorded balance at batch 2 is not its transfers'",
    ),
    "a past balance deleted": (
        "DELETE FROM ledger_balance WHERE account_id = %(ann)s AND batch_seq = 3",
        "account %(ann_hex)s: its recorded balance at batch 3",
    ),
    "a past balance invented": (
        "INSERT INTO ledger_balance VALUES (%(ann)s, 77, 0, 9, 0, 0)",
        "account %(ann_hex)s: its recorded balance at batch 77",
    ),
    "a floor broken": (
        "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_floor;"
        "UPDATE ledger_account SET floor = 40 WHERE id = %(ann)s",
        "account %(ann_hex)s (wallet.balance, CNY): 39 is under its floor 40",
    ),
    "an account's currency changed": (
        "UPDATE ledger_account SET currency = 'EUR' WHERE id = %(ann)s",
        "transfer ",
    ),
}


@pytest.mark.parametrize(("sql", "first"), TAMPERED.values(), ids=TAMPERED.keys())
def test_tampering_is_found_and_named(accounts: dict[str, UUID], sql: str, first: str) -> None:
    with transaction.atomic():
        books.query("SET LOCAL session_replication_role = replica")
        for one in sql.split(";"):
            books.query(one.replace("%(ann)s", f"'{accounts['ann']}'"))
        books.query("SET LOCAL session_replication_role = origin")
        differences = ledger.verify().differences
        transaction.set_rollback(True)
    assert differences
    assert differences[0].startswith(first.replace("%(ann_hex)s", accounts["ann"].hex))
    assert ledger.verify().differences == []


def test_a_whole_new_chain_over_changed_transfers_is_found_by_its_kept_head(
    accounts: dict[str, UUID],
) -> None:
    """Whoever holds the whole database can chain anew: so keep the head's hash elsewhere."""
    ((kept,),) = books.query("SELECT hash FROM ledger_book")
    with transaction.atomic():
        books.query("SET LOCAL session_replication_role = replica")
        books.query("UPDATE ledger_transfer SET kind = 'gift' WHERE batch_seq = 5")
        books.query(
            "UPDATE ledger_batch b SET hash = ledger_link(b.previous, b.seq, b.recorded_at, b.transfers,"
            " (SELECT ledger_canonical(t.id, t.owner_id, t.debit_id, t.credit_id, t.amount, t.currency,"
            " t.kind, t.phase, t.subject_id, t.pending_id, t.reverses_id, t.effective_at)"
            " FROM ledger_transfer t WHERE t.batch_seq = 5)) WHERE b.seq = 5"
        )
        books.query("UPDATE ledger_book SET hash = (SELECT hash FROM ledger_batch WHERE seq = 5)")
        assert ledger.verify().differences == []
        assert books.query("SELECT hash FROM ledger_book") != [(kept,)]
        transaction.set_rollback(True)


INSTANTS = st.timedeltas(timedelta(0), timedelta(days=84_000)).map(lambda passed: rules.EPOCH + passed)
AMOUNTS = st.integers(1, 10**16 - 1)


@settings(max_examples=60, deadline=None)
@given(
    ids=st.tuples(*[st.uuids()] * 5),
    rest=st.tuples(
        AMOUNTS, st.sampled_from(["CNY", "EUR"]), st.text(max_size=32).filter(lambda t: "\0" not in t)
    ),
    phase=st.sampled_from(Phase),
    references=st.tuples(st.none() | st.uuids(), st.none() | st.uuids()),
    effective=st.none() | INSTANTS,
    recorded=INSTANTS,
)
def test_python_and_sql_write_the_same_text_and_the_same_link(
    ids: tuple[UUID, ...],
    rest: tuple[int, str, str],
    phase: Phase,
    references: tuple[UUID | None, UUID | None],
    effective: datetime | None,
    recorded: datetime,
) -> None:
    columns = (*ids[:4], *rest, phase.value, ids[4], *references, effective)
    written = [str(one) if isinstance(one, UUID) else one for one in columns[:-1]]
    text = rules.canonical(*written, None if effective is None else rules.microseconds(effective))
    kinds = ["uuid"] * 4 + ["bigint", "text", "text", "text"] + ["uuid"] * 3 + ["timestamptz"]
    arguments = ", ".join(f"%s::{kind}" for kind in kinds)
    assert books.query(f"SELECT ledger_canonical({arguments})", columns) == [(text,)]
    link = books.query(
        "SELECT ledger_link(%s, %s, %s, %s, %s)", (rules.GENESIS, 7, recorded, 2, f"{text}\n{text}")
    )
    assert bytes(link[0][0]) == rules.link(rules.GENESIS, 7, recorded, [text, text])


def test_the_chain_starts_where_python_says(accounts: dict[str, UUID]) -> None:
    ((previous,),) = books.query("SELECT previous FROM ledger_batch WHERE seq = 1")
    assert bytes(previous) == rules.GENESIS


def test_recorded_time_never_runs_backwards(accounts: dict[str, UUID]) -> None:
    """A machine whose clock is set back records at the last recorded instant until time has caught up."""
    with transaction.atomic():
        books.query("SET LOCAL comptoir.posting = 'on'")
        ahead = datetime.now(UTC) + timedelta(days=1)
        books.query("UPDATE ledger_book SET recorded_at = %s", (ahead,))
        for _ in range(2):
            ledger.post_now([books.transfer(accounts["till"], accounts["ann"], 1)])
        times = books.query("SELECT recorded_at FROM ledger_batch ORDER BY seq DESC LIMIT 2")
        balance = ledger.balance_at(accounts["ann"], ahead)
        before = ledger.balance_at(accounts["ann"], ahead - timedelta(microseconds=1))
        transaction.set_rollback(True)
    assert times == [(ahead,), (ahead,)]
    assert (balance.posted, before.posted) == (41, 39)


def test_more_money_than_one_column_can_count_is_still_summed() -> None:
    """A currency's total is not bound to 64 bits: two accounts of 2^62 each must not break the proof."""
    with transaction.atomic():
        books.query("SET LOCAL session_replication_role = replica")
        for _ in range(3):
            books.query(
                "UPDATE ledger_account SET debits_posted = 4611686018427387904 WHERE id = %s",
                (books.account(),),
            )
        (total,) = ledger.verify().totals
        transaction.set_rollback(True)
    assert total.debits_posted >= 3 * 2**62
