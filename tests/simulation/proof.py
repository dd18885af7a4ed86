"""What must be so when all is quiet: records, accounts, notices, and the other issuer's own books."""

from __future__ import annotations

from collections import Counter

from comptoir.flows.notifications.schedule import TRIES
from comptoir.ledger.api import Phase
from tests.simulation.oracle import Oracle, Wrong, disputes, subscriptions
from tests.simulation.oracle.rows import LOOKS, notice_name
from tests.simulation.outside import Issuer, Servers
from tests.simulation.statements import Store


def prove(oracle: Oracle, store: Store, servers: Servers, issuer: Issuer) -> None:
    """When all is quiet: every record, every account, every notice, and the other issuer's own books."""
    if oracle.failures:
        raise oracle.failures[0]
    for name, look in LOOKS.items():
        table = store.table(name)
        for row in table.rows.values():
            look(oracle, table.named(row))
    for what, records, kept in (
        ("payments", store.table("acquiring_payment").rows, oracle.by_id),
        ("refunds", store.table("acquiring_refund").rows, oracle.backs_by_id),
        ("captures", store.table("acquiring_capture").rows, oracle.takings_by_id),
        ("changes of amounts", store.table("acquiring_amount_update").rows, oracle.changes_by_id),
        ("agreements", store.table("acquiring_agreement").rows, oracle.agreements),
        ("disputes", store.table("acquiring_dispute").rows, oracle.disputes),
        ("subscriptions", store.table("acquiring_subscription").rows, oracle.subscriptions),
        ("changes of subscriptions", store.table("acquiring_subscription_change").rows, oracle.new_terms),
        ("papers", store.table("acquiring_dispute_document").rows, disputes.papers(oracle)),
        ("authorizations", store.table("wallet_authorization").rows, oracle.asks),
    ):
        if len(records) != len(kept):
            raise Wrong(f"there are {len(records)} {what}, and ought to be {len(kept)}")
    _prove_books(oracle, store)
    _prove_notices(oracle, store, servers)
    _prove_issuer(oracle, store, issuer)
    for payment in oracle.by_id.values():
        if payment.state == "PROCESSING":
            raise Wrong(f"payment {payment.id} never came to an end")
    disputes.prove(oracle)
    subscriptions.prove(oracle, store.table("acquiring_subscription_payment").rows)


def _prove_books(oracle: Oracle, store: Store) -> None:
    """Every account; in each currency as much debited as credited; nothing held any more."""
    sums: Counter[str] = Counter()
    for id, account in store.books.accounts.items():
        oracle.account_row(id)
        sums[account.currency] += account.debits_posted - account.credits_posted
        if account.debits_pending or account.credits_pending:
            raise Wrong(f"account {id} still holds something")
    if any(sums.values()):
        raise Wrong(f"debits and credits differ: {dict(sums)}")
    holds = [one for one in store.books.transfers.values() if one.phase is Phase.PENDING]
    if len(holds) != len(store.books.resolved):
        raise Wrong(f"{len(holds)} holds, {len(store.books.resolved)} of them ended")


def _prove_notices(oracle: Oracle, store: Store, servers: Servers) -> None:
    """What is owed was heard, or was tried as often as is promised."""
    table = store.table("db_outbox")
    rows = [table.named(row) for row in table.rows.values()]
    items = [
        ((notice_name(row["topic"], row["payload"]), row["subject_id"]), row)
        for row in rows
        if row["topic"].startswith("notify.")
    ]
    if Counter(name for name, _ in items) != oracle.owed_notices:
        raise Wrong("the notices written are not those that are owed")
    done = Counter(name for name, row in items if row["dead_at"] is None)
    for name, row in items:
        if servers.heard[name] < done[name]:
            raise Wrong(f"{name} is done, and nobody heard of it")
        if row["dead_at"] is not None and row["attempts"] - row["lost"] < TRIES:
            raise Wrong(f"{name} was given up after {row['attempts']} tries")


def _prove_issuer(oracle: Oracle, store: Store, issuer: Issuer) -> None:
    """The other issuer took from its customers exactly what our merchants were paid."""
    for payment in oracle.by_id.values():
        if payment.issuer is None:
            continue
        row = store.table("acquiring_payment").rows[payment.command.merchant_id, payment.id]
        id = store.table("acquiring_payment").value(row, "authorization_id")
        charge = issuer.charges.get(id)
        # What it charged back it has kept of what it owed us.
        taken = charge.kept - payment.charged_back if charge else 0
        ours = payment.amount.minor - payment.refunded if payment.state == "SUCCESS" else 0
        if taken != ours:
            raise Wrong(f"payment {payment.id} is {payment.state}: they took {taken}, we paid {ours}")
