"""Disputes through the engine's own flow, on a real database: what a claim holds, moves, and lets go."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from psycopg import AsyncConnection

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import AcceptReason, DisputeKind, DisputeState, DocumentRole
from comptoir.acquiring.api import errors as refusals
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.flows.worker import DisputesJob
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from tests.conftest import Database
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene
from tests.flows.test_issuers import opened

PAID = 7979  # what 10.00 EUR cost the traveller
START = 1_000_000
PDF = b"%PDF-1.7 the parcel was handed over"


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    yield made
    assert_books_hold()


def paid(scene: Scene, ref: str = "R1", minor: int = 1000, **given: Any) -> UUID:
    outcome = scene.one(scene.pay(ref, minor, **given))
    assert outcome.code == flows.OK
    assert outcome.payment is not None
    return outcome.payment.id


def claim(scene: Scene, payment_id: UUID, minor: int = 1000, **given: Any) -> flows.OpenDispute:
    fields: dict[str, Any] = {
        "merchant_id": scene.merchant_id,
        "payment_id": payment_id,
        "dispute_id": new_id(),
        "kind": DisputeKind.CHARGEBACK,
        "amount": Money(minor, "EUR"),
        "reason_code": "4853",
        "reason": "not as described",
        "due_at": NOW + timedelta(days=14),
    }
    return flows.OpenDispute(**fields | given)


def about(claimed: flows.OpenDispute) -> dict[str, Any]:
    return {
        "merchant_id": claimed.merchant_id,
        "payment_id": claimed.payment_id,
        "dispute_id": claimed.dispute_id,
    }


def accept(
    claimed: flows.OpenDispute, call: str = "c1", reason: AcceptReason = AcceptReason.MERCHANT
) -> flows.AcceptDispute:
    return flows.AcceptDispute(**about(claimed), reason=reason, call_id=call)


def defend(claimed: flows.OpenDispute, call: str = "d1") -> flows.DefendDispute:
    document = acquiring.seal_document(PDF, DocumentRole.DEFENSE, claimed.dispute_id)
    return flows.DefendDispute(**about(claimed), document=document, call_id=call)


def judge(claimed: flows.OpenDispute, *, won: bool) -> flows.JudgeDispute:
    return flows.JudgeDispute(**about(claimed), won=won)


def available(scene: Scene) -> int:
    """What the merchant may still give back, in cents."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT credits_posted - debits_posted - debits_pending FROM ledger_account"
            " WHERE owner_id = %s AND role = 'merchant.payable'",
            [scene.merchant_id],
        )
        return int(cursor.fetchone()[0])


def state(claimed: flows.OpenDispute) -> DisputeState:
    [found] = acquiring.decode_disputes(read(acquiring.disputes_named(claimed.dispute_id)))
    return found.state


def told() -> list[str]:
    """What the merchant was told of disputes, in order. Refunds that nobody asked for are not told."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payload->>'event' FROM db_outbox WHERE topic = 'notify.dispute' ORDER BY due_at, id"
        )
        events = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT count(*) FROM db_outbox o JOIN acquiring_refund r ON r.id = o.subject_id"
            " WHERE o.topic = 'notify.refund' AND r.disputed"
        )
        assert cursor.fetchone() == (0,)
    return events


def test_a_chargeback_is_held_until_it_is_lost_and_then_given_back(scene: Scene) -> None:
    claimed = claim(scene, paid(scene))
    first = scene.one(claimed)
    assert first.dispute is not None
    assert (first.code, first.dispute.held) == (flows.OK, True)
    assert (scene.purse, scene.owed(), available(scene)) == (START - PAID, 1000, 0)
    assert_books_hold()
    assert scene.one(claimed).dispute == first.dispute
    lost = scene.one(judge(claimed, won=False))
    assert lost.dispute is not None
    assert (lost.code, lost.dispute.state) == (flows.OK, DisputeState.LOST)
    assert (scene.purse, scene.owed(), available(scene)) == (START, 0, 0)
    assert scene.one(judge(claimed, won=False)).dispute == lost.dispute
    assert scene.one(judge(claimed, won=True)).code == refusals.DISPUTE_CLOSED
    assert (scene.purse, scene.owed()) == (START, 0)
    assert told() == ["DISPUTE_CREATED", "DISPUTE_JUDGED"]


@pytest.mark.parametrize("end", ["won", "cancelled"])
def test_what_the_merchant_keeps_it_may_refund_again(scene: Scene, end: str) -> None:
    payment_id = paid(scene)
    claimed = claim(scene, payment_id, 700)
    scene.one(claimed)
    assert available(scene) == 300
    over = judge(claimed, won=True) if end == "won" else flows.WithdrawDispute(**about(claimed))
    for _ in range(2):
        assert scene.one(over).code == flows.OK
    assert (scene.purse, scene.owed(), available(scene)) == (START - PAID, 1000, 1000)
    assert scene.one(scene.refund("F1", payment_id, 1000)).code == flows.OK
    assert (scene.purse, scene.owed()) == (START, 0)
    assert told() == ["DISPUTE_CREATED", {"won": "DISPUTE_JUDGED", "cancelled": "DISPUTE_CANCELLED"}[end]]


def test_refunds_and_chargebacks_together_never_exceed_what_was_paid(scene: Scene) -> None:
    """F10: a refund after the chargeback, a chargeback after the refund, a cancellation after either."""
    payment_id = paid(scene)
    assert scene.one(scene.refund("F1", payment_id, 300)).code == flows.OK
    assert scene.one(claim(scene, payment_id, 701)).code == refusals.DISPUTE_EXCEEDS
    claimed = claim(scene, payment_id, 600)
    assert scene.one(claimed).code == flows.OK
    assert scene.one(scene.refund("F2", payment_id, 101)).code == refusals.REFUND_EXCEEDS
    assert scene.one(scene.refund("F3", payment_id, 100)).code == flows.OK
    assert scene.one(scene.cancel(payment_id)).code == refusals.CANCEL_AFTER_REFUND
    assert scene.one(claim(scene, payment_id, 1)).code == refusals.DISPUTE_EXCEEDS
    assert scene.one(accept(claimed)).code == flows.OK
    assert (scene.purse, scene.owed()) == (START, 0)
    with pytest.raises(DatabaseError, match="acquiring_payment_refunded"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE acquiring_payment SET refunded = refunded + 1")


def test_a_merchant_answers_once_and_a_batch_tried_again_is_no_second_answer(scene: Scene) -> None:
    claimed = claim(scene, paid(scene))
    scene.one(claimed)
    first, again = scene.one(accept(claimed)), scene.one(accept(claimed))
    assert (first.code, again.code) == (flows.OK, flows.OK)
    assert first.dispute == again.dispute
    assert first.dispute is not None
    assert first.dispute.accept_reason is AcceptReason.MERCHANT
    assert scene.one(accept(claimed, "c2")).code == refusals.DISPUTE_CLOSED
    assert scene.one(defend(claimed)).code == refusals.DISPUTE_CLOSED
    assert (scene.purse, scene.owed()) == (START, 0)
    assert told() == ["DISPUTE_CREATED", "DISPUTE_ACCEPTED"]


def test_a_defense_waits_for_its_judgment(scene: Scene) -> None:
    claimed = claim(scene, paid(scene))
    scene.one(claimed)
    assert [one.code for one in scene.do(defend(claimed), defend(claimed))] == [flows.OK] * 2
    assert scene.one(defend(claimed, "d2")).code == refusals.DISPUTE_CLOSED
    assert scene.one(accept(claimed)).code == refusals.DISPUTE_CLOSED
    late = NOW + timedelta(days=15)
    assert scene.one(flows.LookAtDispute(**about(claimed)), late).code == flows.OK
    assert state(claimed) is DisputeState.DEFENDED, "what was answered does not run out"
    wanted = acquiring.dispute_document(scene.merchant_id, claimed.dispute_id, DocumentRole.DEFENSE)
    assert acquiring.decode_document(read(wanted)) == (acquiring.DocumentFormat.PDF, PDF)
    assert scene.one(judge(claimed, won=True), late).code == flows.OK
    assert (scene.purse, scene.owed(), available(scene)) == (START - PAID, 1000, 1000)
    assert told() == ["DISPUTE_CREATED", "DEFENSE_SUPPLIED", "DISPUTE_JUDGED"]


def test_documents_are_sealed_and_bounded(scene: Scene) -> None:
    claimed = claim(scene, paid(scene))
    scene.one(claimed)
    scene.one(defend(claimed))
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed, size FROM acquiring_dispute_document")
        [(sealed, size)] = cursor.fetchall()
    assert b"parcel" not in bytes(sealed)
    assert size == len(PDF)
    for content in (b"", b"<html>", b"PK\x03\x04 some archive", b"%PDF-" + b"x" * 750_000):
        with pytest.raises(acquiring.DocumentUnfit):
            acquiring.rules.document_format(content)
    word = b"PK\x03\x04 [Content_Types].xml word/document.xml"
    assert acquiring.rules.document_format(word) is acquiring.DocumentFormat.WORD


@pytest.mark.parametrize("kind", [DisputeKind.RETRIEVAL_REQUEST, DisputeKind.COMPLIANCE_REQUEST])
def test_a_question_for_papers_moves_nothing(scene: Scene, kind: DisputeKind) -> None:
    payment_id = paid(scene)
    asked = claim(scene, payment_id, kind=kind)
    assert scene.one(asked).code == flows.OK
    assert available(scene) == 1000
    assert scene.one(scene.refund("F1", payment_id, 1000)).code == flows.OK
    assert scene.one(accept(asked)).code == flows.OK
    assert (scene.purse, scene.owed()) == (START, 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"payment_id": new_id()}, refusals.PAYMENT_UNKNOWN),
        ({"merchant_id": new_id()}, refusals.PAYMENT_UNKNOWN),
        ({"amount": Money(1001, "EUR")}, refusals.DISPUTE_EXCEEDS),
        ({"amount": Money(1000, "USD")}, refusals.REFUND_CURRENCY),
        ({"due_at": NOW}, refusals.EXPIRY_INVALID),
    ],
)
def test_what_cannot_be_claimed_is_refused(scene: Scene, change: dict[str, Any], code: str) -> None:
    payment_id = paid(scene)
    assert scene.one(claim(scene, **{"payment_id": payment_id} | change)).code == code
    assert available(scene) == 1000
    assert told() == []


def test_only_what_was_paid_can_be_claimed_and_an_id_is_one_dispute(scene: Scene) -> None:
    order = scene.one(scene.order("O1")).payment
    held = scene.one(scene.hold("H1", code=scene.code(n=3))).payment
    assert order is not None
    assert held is not None
    assert scene.one(claim(scene, order.id)).code == refusals.PAYMENT_NOT_PAID
    assert scene.one(claim(scene, held.id)).code == refusals.PAYMENT_NOT_PAID
    cancelled = paid(scene, "R2", code=scene.code(n=1))
    scene.one(scene.cancel(cancelled))
    assert scene.one(claim(scene, cancelled)).code == refusals.PAYMENT_CANCELLED
    claimed = claim(scene, paid(scene, "R3", code=scene.code(n=2)))
    scene.one(claimed)
    other = claim(scene, claimed.payment_id, 500, dispute_id=claimed.dispute_id)
    assert scene.one(other).code == refusals.REQUEST_REUSED
    stranger = make_scene()
    mine = flows.JudgeDispute(**about(claimed) | {"merchant_id": stranger.merchant_id}, won=False)
    assert scene.one(mine).code == refusals.DISPUTE_UNKNOWN
    amiss = about(claimed) | {"payment_id": paid(scene, "R4", code=scene.code(n=4))}
    before = (scene.purse, scene.owed(), available(scene))
    for about_another in (
        flows.JudgeDispute(**amiss, won=False),
        flows.AcceptDispute(**amiss, reason=AcceptReason.MERCHANT, call_id="c1"),
        flows.LookAtDispute(**amiss),
    ):
        assert scene.one(about_another, claimed.due_at).code == refusals.DISPUTE_UNKNOWN
    assert (scene.purse, scene.owed(), available(scene)) == before
    assert state(claimed) is DisputeState.OPEN


def test_what_was_captured_is_claimed_like_what_was_paid(scene: Scene) -> None:
    held = scene.one(scene.hold("H1")).payment
    assert held is not None
    scene.one(scene.capture("C1", held.id, 400, last=True))
    assert scene.one(claim(scene, held.id, 401)).code == refusals.DISPUTE_EXCEEDS
    claimed = claim(scene, held.id, 400)
    assert scene.one(claimed).code == flows.OK
    assert_books_hold()
    assert scene.one(judge(claimed, won=False)).code == flows.OK
    assert (scene.purse, scene.owed()) == (START, 0)


def test_a_merchant_that_is_owed_too_little_is_disputed_all_the_same(scene: Scene) -> None:
    """Nothing can be held; nothing is paid before the merchant has it; nothing is paid twice."""
    second = paid(scene)
    assert scene.one(scene.refund("F1", second, 400)).code == flows.OK
    claimed = claim(scene, second, 600)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_account SET floor = 1 WHERE role = 'merchant.payable'")
    opened_now = scene.one(claimed)
    assert opened_now.dispute is not None
    assert (opened_now.code, opened_now.dispute.held) == (flows.OK, False)
    assert_books_hold()
    assert scene.one(scene.refund("F2", second, 1)).code == refusals.REFUND_EXCEEDS
    assert scene.one(accept(claimed)).code == refusals.MERCHANT_BALANCE
    late = claimed.due_at
    assert scene.one(flows.LookAtDispute(**about(claimed)), late).code == refusals.MERCHANT_BALANCE
    assert scene.one(flows.LookAtDispute(**about(claimed)), late).code == flows.OK, "not again at once"
    assert state(claimed) is DisputeState.OPEN
    assert_books_hold()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_account SET floor = 0 WHERE role = 'merchant.payable'")
    before = scene.purse
    assert scene.one(flows.LookAtDispute(**about(claimed)), late + timedelta(hours=2)).code == flows.OK
    assert state(claimed) is DisputeState.ACCEPTED
    assert (scene.owed(), scene.purse > before) == (0, True)


def test_a_claim_that_was_not_held_is_dropped_without_a_trace_in_the_books(scene: Scene) -> None:
    payment_id = paid(scene)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_account SET floor = 1 WHERE role = 'merchant.payable'")
    claimed = claim(scene, payment_id)
    scene.one(claimed)
    assert available(scene) == 1000
    assert scene.one(judge(claimed, won=True)).code == flows.OK
    assert (scene.purse, scene.owed(), available(scene)) == (START - PAID, 1000, 1000)


async def look(database: Database, now: datetime) -> None:
    async with await AsyncConnection.connect(database.url, autocommit=True) as opened_connection:
        await DisputesJob(flows.Desk(5)).step(opened_connection, now)


def test_a_merchant_is_reminded_and_silence_is_acceptance(database: Database) -> None:
    scene = make_scene()
    claimed = claim(scene, paid(scene))
    scene.one(claimed)
    moments = [
        (timedelta(days=12, hours=23), DisputeState.OPEN, ["DISPUTE_CREATED"]),
        (timedelta(days=13), DisputeState.OPEN, ["DISPUTE_CREATED", "DEFENSE_DUE_ALERT"]),
        (timedelta(days=13, hours=23), DisputeState.OPEN, ["DISPUTE_CREATED", "DEFENSE_DUE_ALERT"]),
        (
            timedelta(days=14),
            DisputeState.ACCEPTED,
            ["DISPUTE_CREATED", "DEFENSE_DUE_ALERT", "DISPUTE_ACCEPTED"],
        ),
        (
            timedelta(days=15),
            DisputeState.ACCEPTED,
            ["DISPUTE_CREATED", "DEFENSE_DUE_ALERT", "DISPUTE_ACCEPTED"],
        ),
    ]
    for after, stands, events in moments:
        asyncio.run(look(database, NOW + after))
        assert (state(claimed), told()) == (stands, events)
    assert (scene.purse, scene.owed()) == (START, 0)
    assert_books_hold()


def test_after_the_due_time_a_merchant_cannot_answer(scene: Scene) -> None:
    claimed = claim(scene, paid(scene))
    scene.one(claimed)
    for late in (accept(claimed), defend(claimed)):
        assert scene.one(late, claimed.due_at).code == refusals.DISPUTE_LATE
    assert available(scene) == 0
    assert scene.one(accept(claimed, reason=AcceptReason.MANUAL), claimed.due_at).code == flows.OK
    assert scene.purse == START


def test_another_issuers_chargeback_lowers_what_it_owes(database: Database, tmp_path: Path) -> None:
    scene = make_scene()

    async def work() -> UUID:
        async with opened(scene, database, tmp_path) as house:
            outcome = await house.pay("R1", 1000)
            assert outcome.payment is not None
            assert outcome.code == flows.OK
            return outcome.payment.id

    payment_id = asyncio.run(work())
    claimed = claim(scene, payment_id, 400)
    assert scene.one(claimed).code == flows.OK
    assert available(scene) == 600
    assert_books_hold()
    assert scene.one(judge(claimed, won=False)).code == flows.OK
    assert scene.owed() == 600
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT debits_posted - credits_posted FROM ledger_account WHERE role = 'issuer.receivable'"
        )
        assert cursor.fetchall() == [(600,)]
    assert_books_hold()


def test_a_refund_and_a_chargeback_race(database: Database) -> None:
    """Two engines, many refunds and claims of one payment at once: what is given back was paid."""
    scene = make_scene()
    payment_id = paid(scene)
    claims = [claim(scene, payment_id, 300) for _ in range(6)]
    refunds = [scene.refund(f"F{number}", payment_id, 250) for number in range(6)]

    async def connect() -> AsyncConnection[tuple[object, ...]]:
        return await AsyncConnection.connect(database.url, autocommit=True)

    async def work() -> list[str]:
        engines = [flows.Engine(connect=connect, desk=flows.Desk(5), clock=lambda: NOW) for _ in range(2)]
        for engine in engines:
            engine.start()
        both = [one for pair in zip(claims, refunds, strict=True) for one in pair]
        outcomes = await asyncio.gather(*(engines[n % 2].submit(one) for n, one in enumerate(both)))
        ends = [judge(one, won=number % 2 == 0) for number, one in enumerate(claims)]
        await asyncio.gather(*(engines[n % 2].submit(one) for n, one in enumerate(ends + ends)))
        for engine in engines:
            await engine.stop()
        return [one.code for one in outcomes]

    codes = asyncio.run(work())
    given = 300 * codes[0::2].count(flows.OK) + 250 * codes[1::2].count(flows.OK)
    assert 700 < given <= 1000
    assert scene.owed() >= 0
    assert_books_hold()


@pytest.mark.parametrize("seed", range(3))
def test_any_story_of_one_payment_adds_up(database: object, seed: int) -> None:
    """Refunds and claims of all kinds in any order: what is owed is what nobody gave back or holds."""
    chance = random.Random(seed)
    scene = make_scene()
    payment_id = paid(scene)
    waiting: list[flows.OpenDispute] = []
    refunded = held = 0
    for number in range(40):
        minor = chance.randrange(1, 300)
        match chance.randrange(5):
            case 0 | 1:
                one = claim(scene, payment_id, minor)
                fits = refunded + held + minor <= 1000
                assert (scene.one(one).code == flows.OK) is fits
                if fits:
                    waiting.append(one)
                    held += minor
            case 2:
                fits = refunded + held + minor <= 1000
                assert (scene.one(scene.refund(f"F{number}", payment_id, minor)).code == flows.OK) is fits
                refunded += minor if fits else 0
            case _ if waiting:
                one = waiting.pop(chance.randrange(len(waiting)))
                won = chance.random() < 0.5
                end = judge(one, won=won) if chance.random() < 0.5 or won else accept(one)
                assert scene.one(end).code == flows.OK
                held -= one.amount.minor
                refunded += 0 if won else one.amount.minor
            case _:
                pass
        assert (scene.owed(), available(scene)) == (1000 - refunded, 1000 - refunded - held)
    for one in waiting:
        scene.one(accept(one))
    rest = 1000 - refunded - held
    if rest:
        assert scene.one(scene.refund("REST", payment_id, rest)).code == flows.OK
    assert scene.owed() == 0
    # At the payment's own rate; what was dropped may have taken a fen of rounding with it.
    assert abs(START - scene.purse) <= 1
    assert_books_hold()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE acquiring_dispute SET amount = amount - 1",
        "UPDATE acquiring_dispute SET held = false",
        "UPDATE acquiring_refund SET state = 'SUCCESS' WHERE disputed",
        "DELETE FROM acquiring_dispute",
        "UPDATE acquiring_refund SET settlement = settlement - 1 WHERE disputed",
    ],
)
def test_the_proof_sees_what_does_not_agree(database: object, change: str) -> None:
    scene = make_scene()
    scene.one(claim(scene, paid(scene)))
    assert_books_hold()
    with connection.cursor() as cursor:
        cursor.execute(change)
    assert not flows.verify_books().holds


def test_the_traveller_reads_it_as_money_back(scene: Scene) -> None:
    claimed = claim(scene, paid(scene))
    scene.one(claimed)
    scene.one(judge(claimed, won=False))
    [back, *_] = wallet.movements(scene.wallet_id).movements
    assert (back.kind, back.amount) == (wallet.MovementKind.REFUND, Money(PAID, "CNY"))
