"""From the code on a shop's wall to a paid order, on real books."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import psycopg
import pytest
from django.db import connections

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, Product, Scenario
from comptoir.flows import api as flows
from comptoir.flows import entry as flows_entry
from comptoir.identity import api as identity
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.standards import entry_code
from tests.conftest import Database
from tests.flows.entries import NOTIFY, hang_up
from tests.flows.support import CLIENT, NOW, Scene, assert_books_hold, make_merchant, make_scene

FIVE = Money(500, "EUR")


@pytest.fixture
def scene(database: Database) -> Iterator[Scene]:
    yield make_scene()
    assert_books_hold()


def entered(ref: str) -> flows.Entry:
    found = flows.scanned_entry(ref)
    assert found is not None
    return found


def opened(ref: str, amount: Money = FIVE, attempt: UUID | None = None) -> flows.Outcome:
    return flows.open_order(entered(ref), amount, attempt or new_id(), NOW, flows.Desk(5))


def store_of(scene: Scene) -> UUID:
    (merchant,) = (one for one in acquiring.merchant_summaries() if one.id == scene.merchant_id)
    return merchant.stores[0].id


def test_a_traveller_pays_at_the_code_on_the_wall(
    scene: Scene, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    outcome = opened(hang_up(scene))
    payment = outcome.payment
    assert outcome.code == flows.IN_PROCESS
    assert payment is not None
    assert payment.order_code is not None
    assert (payment.product, payment.scenario) == (Product.IN_STORE, Scenario.ENTRY_CODE)
    assert (payment.store_ref, payment.client_ref, payment.notify_url) == ("S1", CLIENT, NOTIFY)
    assert payment.amount == FIVE
    assert payment.expires_at == NOW + timedelta(seconds=600)
    assert (scene.purse, scene.owed()) == (1_000_000, 0)
    claimed = scene.one(flows.Claim(order_code=payment.order_code, wallet_id=scene.wallet_id)).payment
    assert claimed is not None
    assert claimed.authorization_id is not None
    paid = scene.one(flows.Confirm(wallet_id=scene.wallet_id, authorization_id=claimed.authorization_id))
    assert paid.code == flows.OK
    assert scene.owed() == 500
    assert scene.purse == 1_000_000 - 3990  # 5.00 EUR at 7.90 and 1 percent
    told = connection.execute("SELECT payload ->> 'url', payload ->> 'client_ref' FROM db_outbox").fetchall()
    assert told == [(NOTIFY, CLIENT)]


def test_the_same_page_sent_again_is_the_same_order(scene: Scene) -> None:
    ref, attempt = hang_up(scene), new_id()
    first = opened(ref, attempt=attempt).payment
    assert first is not None
    assert opened(ref, attempt=attempt).payment == first
    other = opened(ref, Money(501, "EUR"), attempt)
    assert (other.code, other.payment) == (acquiring.errors.REQUEST_REUSED, None)
    fresh = opened(ref).payment
    assert fresh is not None
    assert fresh.id != first.id


def test_a_page_sent_many_times_at_once_opens_one_order(scene: Scene) -> None:
    ref, attempt = hang_up(scene), new_id()
    together = Barrier(8)

    def send(_: int) -> UUID:
        try:
            together.wait()
            payment = opened(ref, attempt=attempt).payment
            assert payment is not None
            return payment.id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(send, range(8)))) == 1


def test_a_stranger_cannot_take_or_see_a_request_id_of_the_merchant(scene: Scene) -> None:
    ref, own = hang_up(scene), new_id()
    taken = scene.one(scene.order(own.hex, 500)).payment
    assert taken is not None
    outcome = opened(ref, attempt=own).payment
    assert outcome is not None
    assert outcome.id != taken.id
    assert outcome.request_ref.startswith("ENTRY-")
    # Another store's code makes another id of the same attempt.
    other = make_scene(merchant_id=make_merchant(), balance=0)
    acquiring.add_store(
        other.merchant_id, new_id(), ref="S9", name="x", mcc="5441", city="x", country="BE", now=NOW
    )
    far = acquiring.issue_entry_code(
        other.merchant_id,
        store_of(other),
        entry_code.new_ref(),
        currency="EUR",
        client_ref=CLIENT,
        now=NOW,
    )
    elsewhere = opened(far, attempt=own).payment
    assert elsewhere is not None
    assert elsewhere.request_ref != outcome.request_ref


def test_a_store_has_one_live_code_a_currency(scene: Scene) -> None:
    ref = hang_up(scene)
    merchant_id, store_id = scene.merchant_id, store_of(scene)

    def issue(**changed: object) -> str:
        given = {"currency": "EUR", "client_ref": CLIENT, "now": NOW} | changed
        return acquiring.issue_entry_code(merchant_id, store_id, entry_code.new_ref(), **given)  # type: ignore[arg-type]

    assert issue() == ref
    with pytest.raises(acquiring.EntryCodeExists, match=CLIENT):
        issue(client_ref="5Y00000000000009")
    with pytest.raises(acquiring.Refused):
        issue(currency="USD")
    with pytest.raises(acquiring.StoreUnknown):
        acquiring.issue_entry_code(
            merchant_id, new_id(), entry_code.new_ref(), currency="EUR", client_ref=CLIENT, now=NOW
        )
    with pytest.raises(acquiring.MerchantUnknown):
        acquiring.issue_entry_code(
            new_id(), store_id, entry_code.new_ref(), currency="EUR", client_ref=CLIENT, now=NOW
        )
    begun = opened(ref).payment
    assert begun is not None
    acquiring.withdraw_entry_code(merchant_id, store_id, "EUR", NOW)
    assert flows.scanned_entry(ref) is None
    with pytest.raises(acquiring.EntryCodeUnknown):
        acquiring.withdraw_entry_code(merchant_id, store_id, "EUR", NOW)
    assert begun.order_code is not None
    claimed = scene.one(flows.Claim(order_code=begun.order_code, wallet_id=scene.wallet_id))
    assert claimed.code == flows.IN_PROCESS, "what it began goes on"
    assert issue() != ref, "a new code is another one"


def test_a_shop_that_may_not_be_paid_is_closed(scene: Scene) -> None:
    ref = hang_up(scene)
    assert entered(ref).is_open
    identity.set_client_status(CLIENT, identity.ClientStatus.SUSPENDED)
    assert not entered(ref).is_open
    identity.set_client_status(CLIENT, identity.ClientStatus.ACTIVE)
    before = entered(ref)
    acquiring.set_status(scene.merchant_id, "suspended")
    assert not entered(ref).is_open
    # Who had the page open meanwhile is refused by the engine.
    outcome = flows.open_order(before, FIVE, new_id(), NOW, flows.Desk(5))
    assert (outcome.code, outcome.payment) == (acquiring.errors.MERCHANT_INACTIVE, None)


def test_a_wall_full_of_open_orders_waits(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows_entry, "_MOST_OPEN", 3)
    ref = hang_up(scene)
    made = [opened(ref).payment for _ in range(3)]
    assert opened(ref).code == flows.CROWDED
    assert made[0] is not None
    closed = scene.one(scene.cancel(made[0].id)).payment
    assert closed is not None
    assert closed.state is PaymentState.CANCELLED
    assert opened(ref).code == flows.IN_PROCESS
    assert opened(ref).code == flows.CROWDED
    later = flows.open_order(entered(ref), FIVE, new_id(), NOW + timedelta(minutes=11), flows.Desk(5))
    assert later.code == flows.IN_PROCESS, "what has expired does not count"


def test_a_reference_that_nobody_has_leads_nowhere(scene: Scene) -> None:
    assert flows.scanned_entry(entry_code.new_ref()) is None
