"""The statement of a wallet: what is in it, in which order, and that no page loses or repeats a line."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from msgspec.structs import replace

from comptoir.kernel.clock import china_day
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState, CreditKind, Movement, MovementKind
from tests.wallet.support import NOW, authorization, cny, make_wallet, run

pytestmark = pytest.mark.usefixtures("module_database")


def paid(wallet_id: UUID, at: datetime = NOW, **fields: Any) -> wallet.AuthorizationView:
    one = authorization(wallet_id, state=AuthorizationState.AUTHORISED, decided_at=at, **fields)
    run(wallet.store_authorizations([one]))
    return one


def credited(wallet_id: UUID, kind: CreditKind, at: datetime, amount: int, **fields: Any) -> wallet.Credit:
    one = wallet.Credit(
        id=fields.pop("id", None) or new_id(),
        wallet_id=wallet_id,
        kind=kind,
        amount=cny(amount),
        created_at=at,
        **fields,
    )
    run(wallet.store_credits([one]))
    return one


def all_lines(wallet_id: UUID, limit: int) -> list[Movement]:
    lines: list[Movement] = []
    page = wallet.movements(wallet_id, limit=limit)
    lines.extend(page.movements)
    while page.older is not None:
        assert len(page.movements) == limit
        page = wallet.movements(wallet_id, page.older, limit)
        assert page.movements
        assert len(lines) < 100, "the pages go round in circles"
        lines.extend(page.movements)
    return lines


def test_a_day_in_paris() -> None:
    wallet_id = make_wallet()
    minutes = [NOW + timedelta(minutes=i) for i in range(4)]
    top = credited(wallet_id, CreditKind.TOP_UP, minutes[0], 100_00, note="Bank of China 4711")
    bought = paid(wallet_id, minutes[1], refunded=2000)
    back = credited(
        wallet_id,
        CreditKind.REFUND,
        minutes[2],
        2000,
        authorization_id=bought.id,
        note="Chocolatier Leroy",
        charge=Money(250, "EUR"),
    )
    other = paid(wallet_id, minutes[3], payee="Musée", total=cny(800), margin=0, charge=Money(100, "EUR"))
    assert wallet.movements(wallet_id).movements == (
        Movement(
            id=other.id, kind=MovementKind.PAYMENT, at=minutes[3], amount=cny(-800), payee="Musée",
            payment_id=other.payment_id, charge=Money(100, "EUR"), price=Decimal("7.96"), refunded=cny(0),
            authorization_id=other.id,
        ),
        Movement(
            id=back.id, kind=MovementKind.REFUND, at=minutes[2], amount=cny(2000), payee="Chocolatier Leroy",
            payment_id=bought.payment_id, charge=Money(250, "EUR"), authorization_id=bought.id,
        ),
        Movement(
            id=bought.id, kind=MovementKind.PAYMENT, at=minutes[1], amount=cny(-8000),
            payee="Chocolatier Leroy", payment_id=bought.payment_id, charge=Money(1000, "EUR"),
            price=Decimal("7.96"), refunded=cny(2000), authorization_id=bought.id,
        ),
        Movement(
            id=top.id, kind=MovementKind.TOP_UP, at=minutes[0], amount=cny(100_00), note="Bank of China 4711"
        ),
    )  # fmt: skip
    assert str(wallet.movements(wallet_id).movements[0].price) == "7.96"
    assert wallet.movements(wallet_id).older is None


@pytest.mark.parametrize(
    "state", [state for state in AuthorizationState if state is not AuthorizationState.AUTHORISED]
)
def test_what_moved_nothing_is_not_there(state: AuthorizationState) -> None:
    wallet_id = make_wallet()
    run(wallet.store_authorizations([authorization(wallet_id, state=state, decided_at=NOW)]))
    assert wallet.movements(wallet_id).movements == ()


def test_nobody_sees_the_movements_of_another() -> None:
    wallet_id, other = make_wallet(), make_wallet()
    one = paid(other)
    # The same authorization id in another wallet does not lend its payee.
    credited(wallet_id, CreditKind.REFUND, NOW, 5, authorization_id=one.id)
    (line,) = wallet.movements(wallet_id).movements
    assert (line.payee, line.payment_id) == ("", None)
    assert wallet.movements(new_id()).movements == ()


def test_a_payment_and_its_reversal_at_one_instant_and_under_one_id() -> None:
    wallet_id = make_wallet()
    one = paid(wallet_id, refunded=8000)
    credited(wallet_id, CreditKind.REVERSAL, NOW, 8000, authorization_id=one.id, id=one.id)
    kinds = [line.kind for line in all_lines(wallet_id, 1)]
    assert kinds == [MovementKind.REVERSAL, MovementKind.PAYMENT]


@effort(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=25), st.integers(1, 9))
def test_pages_put_together_are_the_whole_statement(lines: list[tuple[int, bool]], limit: int) -> None:
    """Many movements in few instants: order and paging hold although times are shared."""
    wallet_id = make_wallet()
    expected = []
    for second, is_payment in lines:
        at = NOW + timedelta(seconds=second)
        one = paid(wallet_id, at) if is_payment else credited(wallet_id, CreditKind.TOP_UP, at, 1)
        expected.append((at, one.id))
    found = all_lines(wallet_id, limit)
    assert [(line.at, line.id) for line in found] == sorted(expected, reverse=True)


def test_what_arrives_while_reading_shifts_nothing() -> None:
    wallet_id = make_wallet()
    early = [paid(wallet_id, NOW + timedelta(seconds=i)).id for i in range(4)]
    first = wallet.movements(wallet_id, limit=2)
    paid(wallet_id, NOW + timedelta(hours=1))
    second = wallet.movements(wallet_id, first.older, 2)
    assert [line.id for page in (first, second) for line in page.movements] == early[::-1]


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_page_has_bounds(limit: int) -> None:
    with pytest.raises(InvalidValue):
        wallet.movements(make_wallet(), limit=limit)


def test_a_page_is_read_from_the_indexes() -> None:
    """However long the statement: no sort of the whole, no scan of the table."""
    from comptoir.wallet.queries.movements import _PAGE

    params = {"wallet": new_id(), "at": NOW, "id": new_id(), "place": 1, "limit": 51}
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN " + _PAGE, params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    for index in ("wallet_authorization_paid", "wallet_credit_statement"):
        assert f"Index Scan Backward using {index}" in plan
        assert "Seq Scan" not in plan


def test_only_what_can_still_be_confirmed_waits() -> None:
    wallet_id = make_wallet()
    later = authorization(wallet_id, expires_at=NOW + timedelta(minutes=9))
    sooner = authorization(wallet_id, expires_at=NOW + timedelta(minutes=1))
    past = authorization(wallet_id, expires_at=NOW)
    done = [authorization(wallet_id, state=state, decided_at=NOW) for state in list(AuthorizationState)[1:]]
    run(wallet.store_authorizations([later, sooner, past, *done, authorization(make_wallet())]))
    assert wallet.waiting(wallet_id, NOW) == (sooner, later)
    run(wallet.store_authorizations([replace(later, state=AuthorizationState.DECLINED, decided_at=NOW)]))
    assert wallet.waiting(wallet_id, NOW) == (sooner,)


def test_spent_today_is_what_was_spent_on_this_day_in_china() -> None:
    wallet_id, today = make_wallet(), china_day(NOW)
    yesterday = today - timedelta(days=1)
    spendings = [
        wallet.Spending(wallet_id, today, 300),
        wallet.Spending(wallet_id, today, 50),
        wallet.Spending(wallet_id, yesterday, 9000),
    ]
    run(wallet.add_spending(spendings))
    run(wallet.give_back_spending([wallet.Spending(wallet_id, today, 100)]))
    assert wallet.wallet_summary(wallet_id, NOW).wallet.spent == 250
    assert wallet.wallet_summary(wallet_id, NOW - timedelta(days=1)).wallet.spent == 9000
    # Midnight in China is 16:00 UTC.
    assert wallet.wallet_summary(wallet_id, NOW.replace(hour=15, minute=59)).wallet.spent == 250
    assert wallet.wallet_summary(wallet_id, NOW.replace(hour=16, minute=0)).wallet.spent == 0


@pytest.mark.parametrize(
    "change",
    [
        {"refunded": 8001},
        {"refunded": -1},
        {"margin": 8001},
        {"total": cny(0), "margin": 0},
        {"state": AuthorizationState.AUTHORISED, "decided_at": None},
    ],
)
def test_the_tables_refuse_what_cannot_be(change: dict[str, Any]) -> None:
    wallet_id = make_wallet()
    with pytest.raises(IntegrityError), transaction.atomic():
        run(wallet.store_authorizations([authorization(wallet_id, **change)]))
    assert wallet.movements(wallet_id).movements == ()


@pytest.mark.parametrize(
    ("kind", "amount", "of_payment"),
    [(CreditKind.TOP_UP, 0, False), (CreditKind.TOP_UP, 5, True), (CreditKind.REFUND, 5, False)],
)
def test_the_tables_refuse_a_credit_that_cannot_be(kind: CreditKind, amount: int, of_payment: bool) -> None:
    wallet_id = make_wallet()
    with pytest.raises(IntegrityError), transaction.atomic():
        credited(wallet_id, kind, NOW, amount, authorization_id=new_id() if of_payment else None)
    assert wallet.movements(wallet_id).movements == ()
