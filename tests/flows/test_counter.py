"""The counter of a shop: one sale is one payment, whatever happens between the page and us."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID

import msgspec
import psycopg
import pytest
from django.db import connections

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import STAFF, PaymentState, PaymentView, RefundState, TillView
from comptoir.flows import api as flows
from comptoir.flows.topics import ISSUER_RESOLVE
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.kernel.money import Money
from comptoir.standards import entry_code
from comptoir.wallet.api import IssuerDirectory, open_issuers
from tests.conftest import Database
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene
from tests.wallet.scripted_issuer import Act, ScriptedIssuer

#: A code of the scripted issuer's.
THEIRS = "259912345678901234"
TEN = Money(1000, "EUR")


@pytest.fixture
def issuer(tmp_path: Path) -> ScriptedIssuer:
    return ScriptedIssuer(tmp_path / "issuer.sqlite")


@pytest.fixture
def line(database: Database, tmp_path: Path) -> Iterator[flows.IssuerLine]:
    table = {
        "SCRIPTED": {
            "connector": "tests.wallet.scripted_issuer.connect",
            "prefixes": ["2599"],
            "options": {"path": str(tmp_path / "issuer.sqlite")},
        }
    }

    async def opened() -> IssuerDirectory:
        return open_issuers(table)

    made = flows.IssuerLine(opened, lambda: flows.Desk(5), lambda: NOW + timedelta(seconds=1))
    yield made
    made.close()


@pytest.fixture
def scene(database: Database) -> Iterator[Scene]:
    yield make_scene()
    assert_books_hold()


def till(scene: Scene, *, sandbox: bool = False) -> TillView:
    return TillView(
        merchant_id=scene.merchant_id,
        merchant_name="Chocolaterie Sablon",
        sandbox=sandbox,
        store_id=scene.merchant_id,
        store_ref="S1",
        store_name="Sablon, Grand-Place",
        city="Brussels",
        country="BE",
        time_zone="Europe/Brussels",
        terminal_ref="T1",
        currencies=("EUR",),
    )


def payment(outcome: flows.Outcome) -> PaymentView:
    assert outcome.payment is not None
    return outcome.payment


def now_of(scene: Scene, sale: UUID) -> PaymentView:
    found = flows.payment_of_sale(scene.merchant_id, sale)
    assert found is not None
    return found


def test_a_scanned_code_pays_once_however_often_it_is_sent(scene: Scene, line: flows.IssuerLine) -> None:
    sale, code = new_id(), scene.code()
    assert flows.payment_of_sale(scene.merchant_id, sale) is None
    first = flows.take(till(scene), TEN, sale, code, NOW, line)
    paid = payment(first)
    assert first.code == flows.OK
    assert (paid.client_ref, paid.store_ref, paid.terminal_ref) == (STAFF, "S1", "T1")
    assert paid.details == {"storeName": "Sablon, Grand-Place"}
    assert (scene.owed(), scene.purse) == (1000, 1_000_000 - 7979)
    assert flows.take(till(scene), TEN, sale, code, NOW + timedelta(hours=1), line).payment == paid
    for amount, shown in ((TEN, scene.code(n=1)), (Money(1001, "EUR"), code), (TEN, None)):
        refused = flows.take(till(scene), amount, sale, shown, NOW, line)
        assert refused.code == acquiring.errors.REQUEST_REUSED
    assert now_of(scene, sale) == paid
    assert scene.owed() == 1000


def test_who_took_a_payment_is_kept_with_it_and_stays(scene: Scene, line: flows.IssuerLine) -> None:
    sale, code, anna, bert = new_id(), scene.code(), new_id(), new_id()
    paid = payment(flows.take(till(scene), TEN, sale, code, NOW, line, seller=anna))
    again = payment(flows.take(till(scene), TEN, sale, code, NOW, line, seller=bert))
    assert flows.seller_of(paid) == flows.seller_of(again) == flows.seller_of(now_of(scene, sale)) == anna
    assert scene.owed() == 1000
    nobody = payment(flows.take(till(scene), TEN, new_id(), None, NOW, line))
    assert flows.seller_of(nobody) is None
    # A shop's own machine may give any details along: they name no person of ours.
    theirs = msgspec.structs.replace(paid, client_ref="till-software")
    assert flows.seller_of(theirs) is None


def test_a_sale_sent_many_times_at_once_is_paid_once(scene: Scene, line: flows.IssuerLine) -> None:
    """Two tabs, a double click, a refreshed code: whoever is first, it is one payment."""
    sale, together = new_id(), Barrier(6)

    def send(number: int) -> str:
        try:
            together.wait()
            return flows.take(till(scene), TEN, sale, scene.code(n=number % 3), NOW, line).code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(send, range(6)))
    assert sorted(set(codes)) == [acquiring.errors.REQUEST_REUSED, flows.OK]
    assert codes.count(flows.OK) == 2
    assert scene.owed() == 1000


def test_nobody_is_notified(
    scene: Scene, line: flows.IssuerLine, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    paid = payment(flows.take(till(scene), TEN, new_id(), scene.code(), NOW, line))
    flows.give_back(paid, Money(1, "EUR"), new_id(), NOW, scene.desk)
    assert connection.execute("SELECT topic FROM db_outbox").fetchall() == []


def test_a_shown_order_is_claimed_and_confirmed_by_whoever_scans_it(
    scene: Scene, line: flows.IssuerLine
) -> None:
    sale = new_id()
    shown = payment(flows.take(till(scene), TEN, sale, None, NOW, line))
    assert shown.order_code is not None
    assert payment(flows.take(till(scene), TEN, sale, None, NOW, line)).order_code == shown.order_code
    claimed = payment(scene.one(flows.Claim(order_code=shown.order_code, wallet_id=scene.wallet_id)))
    assert claimed.authorization_id is not None
    scene.one(flows.Confirm(wallet_id=scene.wallet_id, authorization_id=claimed.authorization_id))
    assert now_of(scene, sale).state is PaymentState.SUCCESS
    assert scene.owed() == 1000


def test_what_waits_can_be_closed_and_what_is_paid_cannot(scene: Scene, line: flows.IssuerLine) -> None:
    waits = payment(flows.take(till(scene), TEN, new_id(), None, NOW, line))
    closed = flows.close_unpaid(scene.merchant_id, waits.id, NOW, scene.desk)
    assert (closed.code, payment(closed).state) == (flows.OK, PaymentState.CANCELLED)
    paid = payment(flows.take(till(scene), TEN, new_id(), scene.code(), NOW, line))
    refused = flows.close_unpaid(scene.merchant_id, paid.id, NOW, scene.desk)
    assert (refused.code, refused.payment) == (acquiring.errors.PAYMENT_PAID, paid)
    assert flows.close_unpaid(new_id(), paid.id, NOW, scene.desk).code == acquiring.errors.PAYMENT_UNKNOWN
    assert (scene.owed(), scene.purse) == (1000, 1_000_000 - 7979)


def test_a_refund_is_made_once_for_each_attempt(scene: Scene, line: flows.IssuerLine) -> None:
    paid = payment(flows.take(till(scene), TEN, new_id(), scene.code(), NOW, line))
    attempt, four = new_id(), Money(400, "EUR")
    for _ in range(3):
        assert flows.give_back(paid, four, attempt, NOW, scene.desk, "broken").code == flows.OK
    assert scene.owed() == 600
    other = flows.give_back(paid, Money(401, "EUR"), attempt, NOW, scene.desk)
    assert other.code == acquiring.errors.REQUEST_REUSED
    more = flows.give_back(paid, Money(601, "EUR"), new_id(), NOW, scene.desk)
    assert more.code == acquiring.errors.REFUND_EXCEEDS
    assert scene.owed() == 600


def test_another_issuers_code_is_recorded_first_and_asked_then(
    scene: Scene, line: flows.IssuerLine, issuer: ScriptedIssuer
) -> None:
    sale = new_id()
    begun = flows.take(till(scene), TEN, sale, THEIRS, NOW, line)
    assert (begun.code, payment(begun).state) == (flows.IN_PROCESS, PaymentState.PROCESSING)
    line.close()
    paid = now_of(scene, sale)
    assert (paid.state, paid.issuer) == (PaymentState.SUCCESS, "SCRIPTED")
    assert (scene.owed(), scene.purse) == (1000, 1_000_000)
    flows.take(till(scene), TEN, sale, THEIRS, NOW, line)
    line.close()
    assert len(issuer.authorizations(THEIRS)) == 1


def test_another_issuers_refusal_is_final(
    scene: Scene, line: flows.IssuerLine, issuer: ScriptedIssuer
) -> None:
    issuer.script(THEIRS, authorise=[Act.REFUSE])
    sale = new_id()
    flows.take(till(scene), TEN, sale, THEIRS, NOW, line)
    line.close()
    assert now_of(scene, sale).state is PaymentState.FAIL
    assert scene.owed() == 0


@pytest.mark.parametrize("act", [Act.ANSWER_LOST, Act.ASK, Act.LOST, Act.BREAK])
def test_without_an_answer_the_worker_goes_on_asking(
    scene: Scene,
    line: flows.IssuerLine,
    issuer: ScriptedIssuer,
    connection: psycopg.Connection[tuple[object, ...]],
    act: Act,
) -> None:
    issuer.script(THEIRS, authorise=[act])
    sale = new_id()
    flows.take(till(scene), TEN, sale, THEIRS, NOW, line)
    line.close()
    waits = now_of(scene, sale)
    assert waits.state is PaymentState.PROCESSING
    assert scene.owed() == 0
    tasks = connection.execute("SELECT topic, subject_id FROM db_outbox").fetchall()
    assert tasks == [(ISSUER_RESOLVE, waits.id)]


def test_a_test_merchants_counter_is_paid_by_simulated_wallets(scene: Scene, line: flows.IssuerLine) -> None:
    merchant_id = new_id()
    acquiring.register_merchant(
        merchant_id, office_id=OPERATOR, ref="TEST", name="Test", mcc="5947", country="BE", now=NOW,
        sandbox=True,
    )  # fmt: skip
    acquiring.open_contract(
        merchant_id, settlement_currency="EUR", payment_currencies=["EUR"], margin_bps=100, now=NOW
    )
    test = Scene(merchant_id, scene.wallet_id, scene.device, scene.seed, scene.desk)
    for minor, state in ((1000, PaymentState.SUCCESS), (1001, PaymentState.FAIL)):
        sale = new_id()
        flows.take(till(test, sandbox=True), Money(minor, "EUR"), sale, scene.code(), NOW, line)
        line.close()
        assert now_of(test, sale).state is state
    shown = payment(flows.take(till(test, sandbox=True), TEN, new_id(), None, NOW, line))
    line.close()
    assert shown.order_code is not None
    # A real counter has no way to a simulated wallet, nor a test one to a real wallet.
    wrong = flows.take(till(test), TEN, new_id(), scene.code(n=1), NOW, line)
    assert wrong.code == acquiring.errors.SANDBOX_MISMATCH
    assert scene.purse == 1_000_000


def test_a_refund_that_another_issuer_answers_later_is_open(
    scene: Scene, line: flows.IssuerLine, issuer: ScriptedIssuer
) -> None:
    sale = new_id()
    flows.take(till(scene), TEN, sale, THEIRS, NOW, line)
    line.close()
    given = flows.give_back(now_of(scene, sale), TEN, new_id(), NOW, scene.desk)
    assert given.code == flows.REFUND_IN_PROCESS
    assert given.refund is not None
    assert given.refund.state is RefundState.PROCESSING


def test_a_wall_code_without_any_software_belongs_to_the_counter(scene: Scene) -> None:
    store_id = new_id()
    acquiring.add_store(
        scene.merchant_id, store_id, ref="S1", name="Sablon", mcc="5441", city="Brussels", country="BE",
        now=NOW,
    )  # fmt: skip
    ref = acquiring.issue_entry_code(
        scene.merchant_id,
        store_id,
        entry_code.new_ref(),
        currency="EUR",
        client_ref=STAFF,
        now=NOW,
    )
    assert acquiring.entry_code_of_store(scene.merchant_id, store_id, "USD") is None
    assert acquiring.entry_code_of_store(new_id(), store_id, "EUR") is None
    hung = acquiring.entry_code_of_store(scene.merchant_id, store_id, "EUR")
    assert hung == acquiring.entry_code(ref)
    entry = flows.scanned_entry(ref)
    assert entry is not None
    assert (entry.is_open, entry.notify_url) == (True, None)
    opened = payment(flows.open_order(entry, TEN, new_id(), NOW, scene.desk))
    assert (opened.client_ref, opened.notify_url) == (STAFF, None)
