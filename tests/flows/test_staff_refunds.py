"""Refunds that people make by hand, of payments that any of the merchant's machines took."""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
import pytest
from msgspec.structs import replace

from comptoir.acquiring.api import STAFF, RefundState
from comptoir.acquiring.api import errors as acquiring
from comptoir.identity import api as identity
from comptoir.kernel.money import Money
from tests.conftest import Database
from tests.flows.support import CLIENT, NOW, assert_books_hold, make_merchant, make_scene


def test_no_machine_can_be_called_like_the_staff(database: Database) -> None:
    scene = make_scene()
    with pytest.raises(identity.ClientRefInvalid):
        identity.register_client(STAFF, scene.merchant_id, None, now=NOW)


def test_staff_refund_what_a_machine_took(
    database: Database, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Once, however often it is asked for; told where the payment was told, in the name of its machine."""
    scene = make_scene()
    paid = scene.one(scene.pay("R1", 1000)).payment
    before = scene.purse
    by_hand = replace(scene.refund("desk-1", paid.id, 400), client_ref=STAFF, reason="broken")
    first = scene.one(by_hand, now=NOW + timedelta(minutes=1))
    again = scene.one(by_hand, now=NOW + timedelta(minutes=2))
    assert first.code == again.code == "ok"
    assert first.refund == again.refund
    assert first.refund.reason == "broken"
    assert scene.owed() == 600
    assert scene.purse == before + first.refund.wallet_amount.minor
    rows = connection.execute(
        "SELECT subject_id, payload FROM db_outbox WHERE topic = 'notify.refund'"
    ).fetchall()
    told = [(row[0], row[1] if isinstance(row[1], dict) else json.loads(str(row[1]))) for row in rows]
    assert told == [(first.refund.id, {"url": "http://127.0.0.1:9/n", "client_ref": CLIENT})]
    assert_books_hold()


def test_both_names_count_together(database: Database) -> None:
    """What a machine gave back, staff cannot give back again. The same request id is two requests."""
    scene = make_scene()
    paid = scene.one(scene.pay("R1", 1000)).payment
    assert scene.one(scene.refund("X", paid.id, 700)).code == "ok"
    by_hand = replace(scene.refund("X", paid.id, 400), client_ref=STAFF)
    refused = scene.one(by_hand)
    assert refused.code == acquiring.REFUND_EXCEEDS
    assert refused.refund.state is RefundState.FAIL
    assert scene.owed() == 300
    assert scene.one(replace(by_hand, request_ref="Y", amount=Money(300, "EUR"))).code == "ok"
    assert scene.owed() == 0
    assert_books_hold()


def test_staff_refund_nothing_of_another_merchant(database: Database) -> None:
    scene, other = make_scene(), make_scene(merchant_id=make_merchant())
    paid = scene.one(scene.pay("R1", 1000)).payment
    foreign = replace(other.refund("Z", paid.id, 100), client_ref=STAFF)
    assert other.one(foreign).code == acquiring.PAYMENT_UNKNOWN
    assert scene.owed() == 1000
    assert_books_hold()
