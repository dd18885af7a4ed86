"""A payment looked up: by search, in full, and by the code that was shown for it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection

from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.standards.payment_code import Form, build, window_of
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState, CreditKind, MovementFilter, WalletCapture
from tests.wallet.support import NOW, authorization, cny, make_wallet, present, run
from tests.wallet.test_movements import credited, paid

pytestmark = pytest.mark.usefixtures("module_database")

HOUR = timedelta(hours=1)


def found(wallet_id: UUID, **wanted: object) -> list[UUID]:
    page = wallet.movements(wallet_id, wanted=MovementFilter(**wanted))  # type: ignore[arg-type]
    return [line.id for line in page.movements]


def captured(
    wallet_id: UUID, authorization_id: UUID, at: datetime, amount: int, charge: int
) -> WalletCapture:
    one = WalletCapture(
        id=new_id(),
        wallet_id=wallet_id,
        authorization_id=authorization_id,
        amount=cny(amount),
        charge=Money(charge, "EUR"),
        created_at=at,
    )
    run(wallet.store_wallet_captures([one]))
    return one


def test_a_payment_is_found_by_payee_amount_and_day() -> None:
    wallet_id = make_wallet()
    leroy = paid(wallet_id, refunded=2000)
    back = credited(wallet_id, CreditKind.REFUND, NOW + HOUR, 2000, authorization_id=leroy.id)
    tokyo = paid(
        wallet_id,
        NOW + 30 * HOUR,
        payee="100% Musée_d'Art",
        total=cny(500),
        margin=0,
        charge=Money(80, "JPY"),
    )
    top = credited(wallet_id, CreditKind.TOP_UP, NOW - 30 * HOUR, 100_00, note="Bank of China")
    assert found(wallet_id) == [tokyo.id, back.id, leroy.id, top.id]
    assert found(wallet_id, payee="leroy") == [back.id, leroy.id]
    assert found(wallet_id, payee="MUSÉE_D") == [tokyo.id]
    assert found(wallet_id, payee="100%") == [tokyo.id]
    assert found(wallet_id, payee="%") == [tokyo.id]
    assert found(wallet_id, payee="china") == [top.id]
    assert found(wallet_id, amount=Decimal("80")) == [tokyo.id, leroy.id]
    assert found(wallet_id, amount=Decimal("10.00")) == [leroy.id]
    assert found(wallet_id, amount=Decimal("20")) == [back.id]
    assert found(wallet_id, amount=Decimal("0.8")) == []
    day = date(2026, 11, 23)
    assert found(wallet_id, first=day) == [tokyo.id, back.id, leroy.id]
    assert found(wallet_id, last=day) == [back.id, leroy.id, top.id]
    assert found(wallet_id, payee="Leroy", amount=Decimal(80), first=day, last=day) == [leroy.id]
    assert found(make_wallet()) == []


def test_a_day_begins_at_midnight_in_china() -> None:
    wallet_id, midnight = make_wallet(), datetime.fromisoformat("2026-11-24T00:00:00+08:00")
    before, after = paid(wallet_id, midnight - timedelta(microseconds=1)), paid(wallet_id, midnight)
    assert found(wallet_id, first=date(2026, 11, 24)) == [after.id]
    assert found(wallet_id, last=date(2026, 11, 23)) == [before.id]


def test_a_capture_is_found_and_pages_of_a_search_go_on() -> None:
    wallet_id = make_wallet()
    hold = authorization(
        wallet_id, state=AuthorizationState.HELD, decided_at=NOW, captured=3000, payee="Hôtel Métropole"
    )
    run(wallet.store_authorizations([hold]))
    lines = [captured(wallet_id, hold.id, NOW + i * HOUR, 1000, 125) for i in range(3)]
    paid(wallet_id, NOW + HOUR)
    wanted = MovementFilter(payee="métropole", amount=Decimal("1.25"))
    first = wallet.movements(wallet_id, limit=2, wanted=wanted)
    assert [one.id for one in first.movements] == [lines[2].id, lines[1].id]
    assert {one.authorization_id for one in first.movements} == {hold.id}
    second = wallet.movements(wallet_id, first.older, 2, wanted)
    assert ([one.id for one in second.movements], second.older) == ([lines[0].id], None)


def test_a_payment_in_full_has_its_captures_and_what_came_back() -> None:
    wallet_id = make_wallet()
    hold = authorization(
        wallet_id, state=AuthorizationState.HELD, decided_at=NOW, captured=3000, refunded=500
    )
    run(wallet.store_authorizations([hold]))
    parts = (
        captured(wallet_id, hold.id, NOW, 1000, 125),
        captured(wallet_id, hold.id, NOW + HOUR, 2000, 250),
    )
    back = credited(wallet_id, CreditKind.REFUND, NOW + 2 * HOUR, 500, authorization_id=hold.id)
    credited(wallet_id, CreditKind.REFUND, NOW, 7, authorization_id=paid(wallet_id).id)
    assert wallet.payment_record(wallet_id, hold.id) == wallet.PaymentRecord(hold, parts, (back,))


def test_what_was_declined_is_looked_up_too_and_what_is_anothers_is_not() -> None:
    wallet_id, other = make_wallet(), make_wallet()
    one = authorization(wallet_id, state=AuthorizationState.DECLINED, decided_at=NOW)
    run(wallet.store_authorizations([one]))
    assert wallet.payment_record(wallet_id, one.id) == wallet.PaymentRecord(one, (), ())
    assert wallet.authorization(wallet_id, one.id) == one
    assert wallet.payment_record(other, one.id) is None
    assert wallet.authorization(other, one.id) is None


def test_a_phone_learns_what_became_of_its_codes() -> None:
    wallet_id = make_wallet()
    device = wallet.enroll_device(wallet_id, "phone", NOW)
    nothing = wallet.CodeNews(None, None, frozenset())
    assert wallet.code_news(wallet_id, device.number, NOW) == nothing
    present(build(Form.SHORT, *device, NOW, 3), NOW)
    used = frozenset({window_of(NOW) * 10 + 3})
    assert wallet.code_news(wallet_id, device.number, NOW) == wallet.CodeNews(None, NOW, used)
    a_second_later = wallet.code_news(wallet_id, device.number, NOW + timedelta(seconds=1))
    assert a_second_later == wallet.CodeNews(None, None, used)
    waits = authorization(wallet_id, device=device.number)
    run(wallet.store_authorizations([waits]))
    assert wallet.code_news(wallet_id, device.number, NOW).authorization == waits
    done = paid(wallet_id, NOW + HOUR, device=device.number, created_at=NOW + HOUR)
    assert wallet.code_news(wallet_id, device.number, NOW).authorization == done
    assert wallet.code_news(wallet_id, device.number, NOW + 2 * HOUR) == nothing


@pytest.mark.parametrize("state", [AuthorizationState.WAITING, AuthorizationState.HELD])
def test_codes_of_another_device_or_wallet_are_no_news(state: AuthorizationState) -> None:
    wallet_id, other = make_wallet(), make_wallet()
    mine, second = (wallet.enroll_device(wallet_id, "phone", NOW).number for _ in range(2))
    theirs = wallet.enroll_device(other, "phone", NOW).number
    decided = None if state is AuthorizationState.WAITING else NOW
    run(
        wallet.store_authorizations(
            [
                authorization(wallet_id, state=state, decided_at=decided, device=second),
                authorization(wallet_id, state=state, decided_at=decided),
                authorization(other, state=state, decided_at=decided, device=theirs),
            ]
        )
    )
    assert wallet.code_news(wallet_id, mine, NOW) == wallet.CodeNews(None, None, frozenset())
    assert wallet.code_news(wallet_id, theirs, NOW) == wallet.CodeNews(None, None, frozenset())
    assert wallet.code_news(wallet_id, second, NOW).authorization is not None


def test_news_are_read_from_the_indexes() -> None:
    """A page asks every few seconds: however long the statement, three short walks."""
    from comptoir.wallet.queries.engine import newest_by_device

    statement = newest_by_device(new_id(), 10_000_000, NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("EXPLAIN " + statement.sql, statement.params)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    for index in ("waiting", "held", "paid"):
        assert f"wallet_authorization_{index}" in plan
    assert "Seq Scan" not in plan
