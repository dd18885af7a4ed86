"""Refunds at the counter, with a manager's PIN."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentView, RefundState, RefundView
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.identity import api as identity
from tests.flows.support import assert_books_hold
from tests.web.counter.till import (
    MANAGER_PIN,
    client_at_till,
    done_to,
    eur,
    in_the_books,
    sold,
    text,
)
from tests.web.pages import aside
from tests.web.world import World


def refunds_of(payment: PaymentView) -> list[RefundView]:
    return acquiring.decode_refunds(read(acquiring.refunds_of_payment(payment.merchant_id, payment.id)))


def refund(client: Client, payment: PaymentView, world: World, **changed: str) -> tuple[int, str]:
    """Fill in the form as it is shown, and send it; status and page."""
    address = f"/counter/payments/{payment.id}/refund"
    found = re.search(r'name="attempt" value="([0-9a-f]{32})"', text(client, address))
    sent = {
        "attempt": found[1] if found else "",
        "amount": "4.00",
        "reason": "returned",
        "manager": world.shop.manager.id.hex,
        "pin": MANAGER_PIN,
    }
    answer = client.post(address, sent | changed)
    return answer.status_code, answer.content.decode()


def test_a_refund_takes_a_managers_pin_and_is_recorded(world: World, cashier: Client) -> None:
    paid = sold(world)
    assert refund(cashier, paid, world)[0] == 303
    assert in_the_books(world.shop) == (1, 600)
    page = text(cashier, f"/counter/payments/{paid.id}")
    assert "−€4.00" in page
    assert "The money went back" in page
    assert "The goods came back" in page
    dutch = cashier.get(f"/counter/payments/{paid.id}", headers={"accept-language": "nl"}).content.decode()
    assert "De goederen kwamen terug" in dutch
    (entry,) = identity.actions(world.shop.merchant_id, subject=("payment", paid.id.hex)).entries
    assert (entry.action, entry.person_id) == ("refund.create", world.shop.cashier.id)
    assert entry.details == {
        "amount": "4.00 EUR",
        "approved_by": world.shop.manager.login,
        "reason": "returned",
    }
    assert_books_hold()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"pin": "000001"}, "The PIN is wrong"),
        ({"pin": ""}, "The PIN is wrong"),
        ({"amount": "10.01"}, "more than is left"),
        ({"amount": "0"}, "Enter an amount"),
        ({"amount": "1e3"}, "Enter an amount"),
        ({"manager": "nobody"}, "Choose who approves"),
        ({"attempt": "x"}, "out of date"),
    ],
)
def test_a_refused_refund_moves_nothing(
    world: World, cashier: Client, changed: dict[str, str], told: str
) -> None:
    paid = sold(world)
    status, page = refund(cashier, paid, world, **changed)
    assert status == 200
    assert told in page
    assert in_the_books(world.shop) == (1, 1000)
    assert done_to(world, paid) == []


def test_nobody_approves_with_anothers_name(world: World, cashier: Client) -> None:
    """Not a cashier, not a manager of another shop, not with a PIN of their own."""
    paid = sold(world)
    for person in (world.shop.cashier, world.other_shop.manager):
        identity.set_pin(person.id, MANAGER_PIN)
        assert refund(cashier, paid, world, manager=person.id.hex)[0] == 200
    assert in_the_books(world.shop) == (1, 1000)
    stranger = client_at_till(world.other_shop.manager, world.other_shop)
    assert stranger.get(f"/counter/payments/{paid.id}/refund").status_code == 404


def test_a_form_that_is_sent_twice_refunds_once(world: World, cashier: Client) -> None:
    """A double click, the browser's back button, a lost answer, two tabs."""
    paid = sold(world)
    address = f"/counter/payments/{paid.id}/refund"
    attempts = re.findall(
        r'name="attempt" value="([0-9a-f]{32})"', text(cashier, address) + text(cashier, address)
    )
    assert attempts[0] == attempts[1], "every page of before names the same refund"
    for _ in range(3):
        assert refund(cashier, paid, world, attempt=attempts[0])[0] == 303
    assert in_the_books(world.shop) == (1, 600)
    assert done_to(world, paid) == ["refund.create"]
    assert refund(cashier, paid, world, attempt=attempts[0], amount="5.00")[0] == 303
    assert "A refund was asked for from this page already" in text(cashier, f"/counter/payments/{paid.id}")
    assert in_the_books(world.shop) == (1, 600)
    assert refund(cashier, paid, world)[0] == 303, "the page that knows of the first makes the second"
    assert in_the_books(world.shop) == (1, 200)


def attempt_in(page: str) -> str:
    found = re.search(r'name="attempt" value="([0-9a-f]{32})"', page)
    assert found
    return found[1]


def test_an_amount_that_was_too_large_is_corrected_on_the_page(world: World, cashier: Client) -> None:
    paid = sold(world, 2345)
    status, page = refund(cashier, paid, world, amount="99")
    assert status == 200
    assert "more than is left" in page
    assert refunds_of(paid) == [], "a slip of the finger is no refund"
    sent = {"amount": "5,55", "attempt": attempt_in(page)}
    for _ in range(2):
        assert refund(cashier, paid, world, **sent)[0] == 303
    assert [(one.amount, one.state) for one in refunds_of(paid)] == [(eur(555), RefundState.SUCCESS)]
    assert in_the_books(world.shop) == (1, 1790)
    assert done_to(world, paid) == ["refund.create"]
    assert "Refused" not in text(cashier, f"/counter/payments/{paid.id}")


def test_all_of_a_payment_that_is_sent_twice_goes_back_once(world: World, cashier: Client) -> None:
    """The second time nothing is left, and the answer is that of the first."""
    paid = sold(world)
    first = attempt_in(text(cashier, f"/counter/payments/{paid.id}/refund"))
    for _ in range(2):
        assert refund(cashier, paid, world, amount="10.00", attempt=first)[0] == 303
        assert "The money went back" in text(cashier, f"/counter/payments/{paid.id}")
    assert len(refunds_of(paid)) == 1
    assert in_the_books(world.shop) == (1, 0)


def test_what_the_books_refused_may_be_asked_for_anew(world: World, cashier: Client) -> None:
    """The shop is owed too little: that is the answer for ever, and the next refund is another."""
    paid = sold(world)
    first = attempt_in(text(cashier, f"/counter/payments/{paid.id}/refund"))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_account SET floor = 300 WHERE owner_id = %s AND role = 'merchant.payable'",
            (world.shop.merchant_id,),
        )
    status, page = refund(cashier, paid, world, amount="10.00", attempt=first)
    assert (status, "The shop is owed less" in page) == (200, True)
    assert [one.state for one in refunds_of(paid)] == [RefundState.FAIL]
    assert attempt_in(page) != first
    assert refund(cashier, paid, world, amount="6.00", attempt=attempt_in(page))[0] == 303
    assert [one.state for one in refunds_of(paid)] == [RefundState.FAIL, RefundState.SUCCESS]
    assert in_the_books(world.shop) == (1, 400)


def test_an_answer_that_was_lost_is_not_asked_for_anew(
    world: World, cashier: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The money went back, nobody heard it, and the manager mistypes the PIN the next time."""
    paid = sold(world)
    give_back, first = flows.give_back, attempt_in(text(cashier, f"/counter/payments/{paid.id}/refund"))

    def lost(*args: Any, **kwargs: Any) -> flows.Outcome:
        # In a transaction of its own: what was committed stays.
        assert aside(lambda: give_back(*args, **kwargs)).code == flows.OK
        raise OperationalError("the connection is gone")

    with monkeypatch.context() as cut:
        cut.setattr(flows, "give_back", lost)
        status, page = refund(cashier, paid, world, attempt=first)
    assert status == 503
    assert "it goes back once" in page
    assert attempt_in(page) == first
    status, page = refund(cashier, paid, world, attempt=first, pin="000001")
    assert (status, attempt_in(page)) == (200, first)
    assert refund(cashier, paid, world, attempt=first)[0] == 303
    assert in_the_books(world.shop) == (1, 600)


@pytest.mark.parametrize(
    ("language", "shown"), [("nl", "23,45"), ("fr", "23,45"), ("de", "23,45"), ("en", "23.45")]
)
def test_the_amount_stands_there_as_the_language_writes_it(
    world: World, cashier: Client, language: str, shown: str
) -> None:
    paid = sold(world, 2345)
    page = cashier.get(f"/counter/payments/{paid.id}/refund", headers={"accept-language": language})
    assert f'name="amount" value="{shown}"' in page.content.decode()
    assert refund(cashier, paid, world, amount=shown)[0] == 303
    assert in_the_books(world.shop) == (1, 0)
