"""A payment's history, against stories whose every step is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
from django.db import connection as django_connection
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace

from comptoir.acquiring.api import STAFF, AcceptReason, DisputeKind
from comptoir.flows import api as flows
from comptoir.flows.history import Happened, PaymentHistory, payment_history
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.ledger.api import Phase, Role
from tests.conftest import Database
from tests.flows.support import CLIENT, NOW, Scene, make_merchant, make_scene

MINUTE = timedelta(minutes=1)


def history(scene: Scene, payment_id: Any) -> PaymentHistory:
    found = payment_history(scene.merchant_id, payment_id)
    assert found is not None
    return found


def steps(found: PaymentHistory) -> list[tuple[Happened, int]]:
    """What happened, and how many minutes after the beginning."""
    return [(one.what, (one.at - NOW) // MINUTE) for one in found.events]


def test_paid_refunded_by_hand_disputed_and_told(
    database: Database, connection: psycopg.Connection[tuple[Any, ...]]
) -> None:
    scene = make_scene()
    paid = scene.one(scene.pay("R1", 1000)).payment
    by_hand = replace(scene.refund("D1", paid.id, 300), client_ref=STAFF, reason="broken")
    scene.one(by_hand, now=NOW + MINUTE)
    scene.one(scene.refund("F2", paid.id, 9000), now=NOW + 2 * MINUTE)
    dispute = flows.OpenDispute(
        merchant_id=scene.merchant_id,
        payment_id=paid.id,
        dispute_id=new_id(),
        kind=DisputeKind.CHARGEBACK,
        amount=Money(500, "EUR"),
        reason_code="NOT_RECEIVED",
        reason="never came",
        due_at=NOW + timedelta(days=7),
    )
    scene.one(dispute, now=NOW + 3 * MINUTE)
    accept = flows.AcceptDispute(
        merchant_id=scene.merchant_id,
        payment_id=paid.id,
        dispute_id=dispute.dispute_id,
        reason=AcceptReason.MERCHANT,
        call_id="c1",
    )
    scene.one(accept, now=NOW + 4 * MINUTE)
    connection.execute(
        "UPDATE db_outbox SET done_at = %s, attempts = 1 WHERE topic = 'notify.payment'", (NOW + 5 * MINUTE,)
    )
    found = history(scene, paid.id)
    assert steps(found) == [
        (Happened.ASKED, 0),
        (Happened.PAID, 0),
        (Happened.REFUNDED, 1),
        (Happened.REFUND_ASKED, 2),
        (Happened.REFUND_FAILED, 2),
        (Happened.DISPUTED, 3),
        (Happened.DISPUTE_ACCEPTED, 4),
        (Happened.TOLD, 5),
    ]
    asked, given, refund = found.events[:3]
    assert (asked.amount, asked.by) == (Money(1000, "EUR"), CLIENT)
    assert given.amount == paid.wallet_total
    assert (refund.amount, refund.by, refund.why) == (Money(300, "EUR"), STAFF, "broken")
    assert [one.request_ref for one in found.refunds] == ["D1", "F2"]
    owed = [
        (one.amount.minor if one.credit is Role.MERCHANT_PAYABLE else -one.amount.minor)
        for one in found.postings
        if Role.MERCHANT_PAYABLE in (one.credit, one.debit) and one.phase in (Phase.POSTED, Phase.POST)
    ]
    assert owed == [1000, -300, -500]
    assert sum(owed) == scene.owed() == 200


def test_held_changed_captured_and_let_go(database: Database) -> None:
    scene = make_scene()
    held = scene.one(scene.hold("R1", 1000)).payment
    scene.one(scene.update("U1", held.id, 1200), now=NOW + MINUTE)
    scene.one(scene.capture("C1", held.id, 700), now=NOW + 2 * MINUTE)
    scene.one(scene.capture("C2", held.id, 9000), now=NOW + 3 * MINUTE)
    assert steps(history(scene, held.id)) == [
        (Happened.ASKED, 0),
        (Happened.AUTHORIZED, 0),
        (Happened.AMOUNT_CHANGED, 1),
        (Happened.CAPTURED, 2),
        (Happened.CAPTURE_FAILED, 3),
    ]


def test_refused_expired_and_canceled(database: Database) -> None:
    scene = make_scene()
    refused = scene.one(scene.pay("R1", code="281234567890123456")).payment
    assert steps(history(scene, refused.id)) == [(Happened.ASKED, 0), (Happened.FAILED, 0)]
    assert history(scene, refused.id).events[1].why == refused.failure_code
    order = scene.one(scene.order("R2")).payment
    scene.one(scene.cancel(order.id), now=NOW + MINUTE)
    assert steps(history(scene, order.id)) == [(Happened.ASKED, 0), (Happened.CANCELLED, 1)]
    paid = scene.one(scene.pay("R3", 500)).payment
    scene.one(scene.cancel(paid.id), now=NOW + 2 * MINUTE)
    assert steps(history(scene, paid.id)) == [
        (Happened.ASKED, 0),
        (Happened.PAID, 0),
        (Happened.CANCELLED, 2),
    ]


def test_nobody_reads_anothers_and_the_queries_are_counted(database: Database) -> None:
    scene = make_scene()
    paid = scene.one(scene.pay("R1", 1000)).payment
    for number in range(5):
        scene.one(scene.refund(f"F{number}", paid.id, 10))
    assert payment_history(make_merchant(), paid.id) is None
    assert payment_history(scene.merchant_id, new_id()) is None
    with CaptureQueriesContext(django_connection) as queries:
        history(scene, paid.id)
    assert len(queries) == 7
