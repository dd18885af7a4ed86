"""Small tools of the tests of the books: run a statement, open an account, move money, look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from comptoir.kernel.ids import new_id
from comptoir.kernel.statements import Statement
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Role, Side, Transfer

OPENED = datetime(2026, 1, 1, tzinfo=UTC)
ROLES = {Side.CREDIT: Role.WALLET, Side.DEBIT: Role.WALLET_FUNDING}


def run(statement: Statement) -> list[tuple[Any, ...]]:
    """Run one statement on Django's connection."""
    return query(statement.sql, statement.params)


def query(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run SQL on Django's connection; its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return list(cursor.fetchall()) if cursor.description else []


def post(*transfers: Transfer) -> dict[int, str]:
    """Post one call; the refused positions with their codes."""
    return ledger.refusals(run(ledger.post(transfers)))


def account(
    side: Side = Side.CREDIT, currency: str = "CNY", floor: int | None = None, closed: bool = False
) -> UUID:
    """Open an account of a new owner; its id."""
    owner, role = new_id(), ROLES[side]
    run(ledger.open_account(owner, role, currency, OPENED, floor))
    id = ledger.account_id(owner, role, currency)
    if closed:
        query("UPDATE ledger_account SET closed_at = %s WHERE id = %s", (OPENED, id))
    return id


def transfer(debit: UUID, credit: UUID, amount: int, **other: Any) -> Transfer:
    """A transfer of CNY with a new id, but for what is said otherwise."""
    values = {"id": new_id(), "owner_id": debit, "currency": "CNY", "kind": "test", "subject_id": debit}
    return Transfer(**(values | other), debit_id=debit, credit_id=credit, amount=amount)


def sums(*accounts: UUID) -> dict[UUID, tuple[int, int, int, int]]:
    """The four sums of each account."""
    rows = query(
        "SELECT id, debits_posted, credits_posted, debits_pending, credits_pending FROM ledger_account"
        " WHERE id = ANY (%s)",
        (list(accounts),),
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def everything() -> tuple[Any, ...]:
    """All that a posting can change, to show that a refusal changed none of it."""
    return tuple(
        query(f"SELECT * FROM {table} ORDER BY 1, 2")
        for table in ("ledger_book", "ledger_account", "ledger_transfer", "ledger_balance", "ledger_batch")
    )
