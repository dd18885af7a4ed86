"""Writes to the books. `post` is a statement, so that engine, worker and tests use the same one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.db import connection, transaction

from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.statements import Rows, Statement
from comptoir.ledger.errors import EXISTS, LINKED, PostingRefused
from comptoir.ledger.types import MAX_AMOUNT, SIDES, Role, Transfer, account_id

#: Whoever has the books loses them, and its transaction, after so long: sooner than the engines of others
#: give up, and fifty times as long as a full batch takes.
HELD_AT_MOST: Final = "5s"

#: The limit counts from when the books are had. PostgreSQL 16 has only the one on idleness, which it forgets
#: after a pipeline of psycopg's (that ends with a Flush): there it protects from synchronous callers alone.
_LOCK: Final = f"""
SELECT ledger_lock(), CASE WHEN current_setting('server_version_num')::int >= 170000
    THEN set_config('transaction_timeout', '{HELD_AT_MOST}', true)
    ELSE set_config('idle_in_transaction_session_timeout', '{HELD_AT_MOST}', true) END, db_epoch_now()
"""


def lock() -> Statement:
    """Wait for and take the books until the transaction ends. Whoever will post takes it first.

    The server rolls a transaction back that keeps them longer than `HELD_AT_MOST`: a stopped process or a
    lost network must not keep everybody else from paying. For `epoch`.
    """
    return Statement(_LOCK)


def epoch(rows: Rows) -> int:
    """The epoch (`db.epoch`) as it stands since the books were taken, from the rows of `lock`."""
    return int(rows[0][2])


def open_account(
    owner_id: UUID, role: Role, currency: str, now: datetime, floor: int | None = None
) -> Statement:
    """Open the account of this owner, role and currency; nothing happens if it is open already.

    `floor` is the least available balance in minor units: 0 never to be overdrawn, None for no floor.
    """
    return Statement(
        "INSERT INTO ledger_account (id, owner_id, role, currency, side, floor, debits_posted,"
        " credits_posted, debits_pending, credits_pending, opened_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, 0, 0, 0, 0, %s)"
        " ON CONFLICT DO NOTHING",
        (account_id(owner_id, role, currency), owner_id, role.value, currency, SIDES[role].value, floor, now),
    )


def post(transfers: Sequence[Transfer]) -> Statement:
    """Post transfers in order; the rows name the refused ones (see `refusals`).

    Linked legs stand together in the sequence. Every other transfer stands for itself.
    """
    return Statement("SELECT posit, code FROM ledger_post(%s::json)", (_payload(transfers),))


def refusals(rows: Rows) -> dict[int, str]:
    """What `post` refused: position in the sequence -> code. Positions not named were posted."""
    return dict(rows)


def post_now(transfers: Sequence[Transfer]) -> None:
    """Post in a transaction of its own, or of the caller's: all transfers or none.

    Raises PostingRefused with the code of the first refused transfer; then nothing was posted.
    A repeat of the very same transfers posts nothing and is no error.
    """
    linked = [msgspec.structs.replace(one, group=0) for one in transfers]
    with transaction.atomic(), connection.cursor() as cursor:
        statement = post(linked)
        cursor.execute(statement.sql, statement.params)
        refused = refusals(cursor.fetchall())
        reasons = {
            code: position for position, code in sorted(refused.items(), reverse=True) if code != LINKED
        }
        if refused and set(refused.values()) != {EXISTS}:
            code, position = min(reasons.items(), key=lambda item: (item[0] == EXISTS, item[1]))
            raise PostingRefused(f"transfer {transfers[position].id.hex} was refused: {code}", code=code)


class _Leg(msgspec.Struct, gc=False, omit_defaults=True):
    """A transfer as the posting function reads it; what is not given does not travel."""

    p: int
    g: int
    id: UUID
    o: UUID
    d: UUID
    c: UUID
    a: int | None
    y: str
    k: str
    h: str
    s: UUID
    pe: UUID | None = None
    r: UUID | None = None
    e: datetime | None = None


def _payload(transfers: Iterable[Transfer]) -> str:
    """The posting function's input: positions, and groups as rising numbers.

    An amount the books cannot hold travels as null, and is refused like any other wrong amount.
    """
    legs: list[_Leg] = []
    group_numbers: dict[int, int] = {}
    number = -1
    previous: int | None = None
    for position, one in enumerate(transfers):
        if one.group is None or one.group != previous:
            number += 1
            if one.group is not None and group_numbers.setdefault(one.group, number) != number:
                raise InvariantBroken("the legs of a linked group must stand together")
        previous = one.group
        amount = one.amount if 0 < one.amount <= MAX_AMOUNT else None
        legs.append(
            _Leg(
                position,
                number,
                one.id,
                one.owner_id,
                one.debit_id,
                one.credit_id,
                amount,
                one.currency,
                one.kind,
                one.phase.value,
                one.subject_id,
                one.pending_id,
                one.reverses_id,
                one.effective_at,
            )
        )
    return msgspec.json.encode(legs).decode()
