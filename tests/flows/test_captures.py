"""Authorizations on a real database: what is held, what is captured, and what is let go, step by step.

1 EUR is 7.90 CNY, the margin 1 percent. Each table reads like a statement: the step, its answer, and what
then stands in the books: in the wallet, of that free to spend, owed to the shop, and held for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from comptoir.acquiring.api import CaptureMode, PaymentState, PaymentView
from comptoir.acquiring.api import errors as acquiring
from comptoir.acquiring.rules import AUTHORIZATION_LIFE
from comptoir.flows import api as flows
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from tests.flows.support import NOW, Scene, assert_books_hold, make_merchant, make_scene

TABLES = {
    "one capture of the whole": """
        hold 10.00           ok                             10000.00   9920.21   0.00  10.00
        capture 10.00        ok                              9920.21   9920.21  10.00   0.00
        capture 0.01         acquiring.capture_exceeds       9920.21   9920.21  10.00   0.00
        expire               ok                              9920.21   9920.21  10.00   0.00
        """,
    "three captures, the last takes the rest of every part": """
        hold 10.00           ok                             10000.00   9920.21   0.00  10.00
        capture 3.33         ok                              9973.44   9920.21   3.33   6.67
        capture 3.33         ok                              9946.87   9920.21   6.66   3.34
        capture 3.35         acquiring.capture_exceeds       9946.87   9920.21   6.66   3.34
        capture 3.34         ok                              9920.21   9920.21  10.00   0.00
        """,
    "the last capture lets go of what is left": """
        hold 10.00           ok                             10000.00   9920.21   0.00  10.00
        capture 3.33         ok                              9973.44   9920.21   3.33   6.67
        last 0.01            ok                              9973.36   9973.36   3.34   0.00
        capture 0.01         acquiring.capture_exceeds       9973.36   9973.36   3.34   0.00
        cancel               acquiring.cancel_after_capture  9973.36   9973.36   3.34   0.00
        """,
    "what is not captured in seven days is let go": """
        hold 10.00           ok                             10000.00   9920.21   0.00  10.00
        capture 4.00         ok                              9968.09   9920.21   4.00   6.00
        expire               ok                              9968.09   9968.09   4.00   0.00
        capture 1.00         acquiring.authorization_expired 9968.09   9968.09   4.00   0.00
        refund 4.00          ok                             10000.00  10000.00   0.00   0.00
        """,
    "an authorization that nobody captured ends as cancelled": """
        hold 10.00           ok                             10000.00   9920.21   0.00  10.00
        expire               acquiring.payment_cancelled    10000.00  10000.00   0.00   0.00
        capture 1.00         acquiring.authorization_expired 10000.00 10000.00   0.00   0.00
        update 20.00         acquiring.authorization_expired 10000.00 10000.00   0.00   0.00
        cancel               ok                             10000.00  10000.00   0.00   0.00
        """,
    "cancelling lets go of it": """
        hold 10.00           ok                             10000.00   9920.21   0.00  10.00
        cancel               ok                             10000.00  10000.00   0.00   0.00
        cancel               ok                             10000.00  10000.00   0.00   0.00
        capture 1.00         acquiring.authorization_cancelled 10000.00 10000.00 0.00   0.00
        update 20.00         acquiring.authorization_cancelled 10000.00 10000.00 0.00   0.00
        refund 1.00          acquiring.payment_cancelled    10000.00  10000.00   0.00   0.00
        """,
    "a partly captured one cannot be cancelled": """
        hold 10.00           ok                             10000.00   9920.21   0.00  10.00
        capture 4.00         ok                              9968.09   9920.21   4.00   6.00
        cancel               acquiring.cancel_after_capture  9968.09   9920.21   4.00   6.00
        """,
    "the amount goes up and down at the same rate, until something is captured": """
        hold 10.00           ok                             10000.00   9920.21   0.00  10.00
        update 25.00         ok                             10000.00   9800.52   0.00  25.00
        capture 25.01        acquiring.capture_exceeds      10000.00   9800.52   0.00  25.00
        update 5.55          ok                             10000.00   9955.72   0.00   5.55
        update 5.55          ok                             10000.00   9955.72   0.00   5.55
        capture 5.56         acquiring.capture_exceeds      10000.00   9955.72   0.00   5.55
        capture 1.00         ok                              9992.04   9955.72   1.00   4.55
        update 20.00         acquiring.update_after_capture  9992.04   9955.72   1.00   4.55
        last 4.55            ok                              9955.72   9955.72   5.55   0.00
        """,
    "only what was captured is refunded, and more once more is": """
        hold 10.00           ok                             10000.00   9920.21   0.00  10.00
        refund 0.01          acquiring.payment_not_paid     10000.00   9920.21   0.00  10.00
        capture 4.00         ok                              9968.09   9920.21   4.00   6.00
        refund 4.01          acquiring.refund_exceeds        9968.09   9920.21   4.00   6.00
        refund 3.00          ok                              9992.02   9944.14   1.00   6.00
        capture 6.00         ok                              9944.14   9944.14   7.00   0.00
        refund 7.01          acquiring.refund_exceeds        9944.14   9944.14   7.00   0.00
        refund 7.00          ok                             10000.00  10000.00   0.00   0.00
        """,
}


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    yield made
    assert_books_hold()


def held(scene: Scene, minor: int = 1000, ref: str = "R1", **given: Any) -> PaymentView:
    outcome = scene.one(scene.hold(ref, minor, **given))
    assert outcome.code == flows.OK
    assert outcome.payment is not None
    return outcome.payment


@pytest.mark.parametrize("name", TABLES)
def test_statements(scene: Scene, name: str) -> None:
    payment_id, now = scene.merchant_id, NOW
    for number, line in enumerate(TABLES[name].strip().splitlines()):
        step, *rest = line.split()
        minor = int(rest.pop(0).replace(".", "")) if step not in ("expire", "cancel") else 0
        code, *amounts = rest
        if step == "expire":
            now += AUTHORIZATION_LIFE
        command = {
            "hold": scene.hold("R1", minor),
            "capture": scene.capture(f"C{number}", payment_id, minor),
            "last": scene.capture(f"C{number}", payment_id, minor, last=True),
            "update": scene.update(f"U{number}", payment_id, minor),
            "refund": scene.refund(f"F{number}", payment_id, minor),
            "cancel": scene.cancel(payment_id),
            "expire": flows.Expire(merchant_id=scene.merchant_id, payment_id=payment_id),
        }[step]
        outcome = scene.one(command, now)
        assert outcome.code == code, line
        assert outcome.payment is not None
        payment_id = outcome.payment.id
        stands = (scene.purse, scene.available, scene.owed(), scene.held())
        assert stands == tuple(int(one.replace(".", "")) for one in amounts), line
        assert_books_hold()


def test_an_authorization_says_until_when_and_owes_nothing_yet(scene: Scene) -> None:
    payment = held(scene)
    assert payment.state is PaymentState.SUCCESS
    assert payment.auth_expires_at == NOW + timedelta(days=7)
    again = scene.one(scene.hold("R1")).payment
    assert again == payment
    assert scene.one(scene.pay("R1")).code == acquiring.REQUEST_REUSED, "a payment is no authorization"


def test_what_is_held_cannot_be_spent(database: object) -> None:
    poor = make_scene(balance=10_000)
    payment = held(poor)
    refused = poor.one(poor.pay("R2", 300, code=poor.code(n=1)))
    assert refused.code == wallet.errors.BALANCE_INSUFFICIENT
    for n in range(5):
        # Between posting a part and holding the rest nothing slips through, also in one batch.
        codes = poor.do(
            poor.capture(f"C{n}", payment.id, 100), poor.pay(f"S{n}", 300, code=poor.code(n=2 + n))
        )
        assert [one.code for one in codes] == [flows.OK, wallet.errors.BALANCE_INSUFFICIENT]
    assert (poor.available, poor.owed(), poor.held()) == (10_000 - 7979, 500, 500)
    assert poor.one(poor.capture("C9", payment.id, 100, last=True)).code == flows.OK
    later = NOW + timedelta(minutes=1)
    assert poor.one(poor.pay("R3", 300, code=poor.code(later)), later).code == flows.OK
    assert_books_hold()


def test_a_capture_repeated_is_the_same_capture(scene: Scene) -> None:
    payment = held(scene)
    outcomes = scene.do(*[scene.capture("C1", payment.id, 400)] * 3)
    again = scene.one(scene.capture("C1", payment.id, 400), NOW + timedelta(days=9))
    captures = [one.capture for one in (*outcomes, again)]
    assert all(one == captures[0] for one in captures)
    assert {one.code for one in outcomes} == {flows.OK}
    assert scene.one(scene.capture("C1", payment.id, 401)).code == acquiring.REQUEST_REUSED
    assert (scene.owed(), scene.held()) == (400, 600)


def test_a_refused_capture_stays_refused(scene: Scene) -> None:
    payment = held(scene)
    assert scene.one(scene.capture("C1", payment.id, 1001)).code == acquiring.CAPTURE_EXCEEDS
    assert scene.one(scene.update("U1", payment.id, 2000)).code == flows.OK
    assert scene.one(scene.capture("C1", payment.id, 1001)).code == acquiring.CAPTURE_EXCEEDS
    assert scene.one(scene.capture("C2", payment.id, 1001)).code == flows.OK
    assert scene.owed() == 1001


def test_an_update_repeated_is_the_same_update(scene: Scene) -> None:
    payment = held(scene)
    first, second = scene.do(*[scene.update("U1", payment.id, 2000)] * 2)
    assert (first.code, first.update) == (flows.OK, second.update)
    assert scene.one(scene.update("U2", payment.id, 500)).code == flows.OK
    assert scene.one(scene.update("U1", payment.id, 2000)).update == first.update
    assert scene.one(scene.update("U1", payment.id, 700)).code == acquiring.REQUEST_REUSED
    assert scene.held() == 500


@pytest.mark.parametrize("step", ["capture", "update"])
def test_what_is_no_authorization_is_neither_captured_nor_changed(scene: Scene, step: str) -> None:
    paid = scene.one(scene.pay("R1")).payment
    at_once = scene.one(scene.pay("R2", code=scene.code(n=1), capture_mode=CaptureMode.AUTOMATIC)).payment
    waiting = scene.one(scene.hold("R3", 20_000, code=scene.code(n=2))).payment
    failed = scene.one(scene.hold("R4", code="281234567801234567")).payment
    assert paid
    assert at_once
    assert waiting
    assert failed
    before = scene.purse, scene.available, scene.owed()
    make = scene.capture if step == "capture" else scene.update
    for number, (payment_id, code) in enumerate(
        [
            (paid.id, acquiring.AUTHORIZATION_MISSING),
            (at_once.id, acquiring.AUTHORIZATION_MISSING),
            (waiting.id, acquiring.PAYMENT_NOT_PAID),
            (failed.id, acquiring.PAYMENT_NOT_PAID),
            (scene.wallet_id, acquiring.PAYMENT_UNKNOWN),
        ]
    ):
        assert scene.one(make(f"X{number}", payment_id, 100)).code == code
    other = held(scene, code=scene.code(n=3), ref="R5")
    assert scene.one(make("X9", other.id, 100, currency="USD")).code == acquiring.CAPTURE_CURRENCY
    foreign = make_scene()
    stolen = foreign.capture("X8", other.id, 100)
    assert foreign.one(stolen).code == acquiring.PAYMENT_UNKNOWN
    assert (scene.purse, scene.owed()) == (before[0], before[2])
    assert scene.held() == 1000


def test_an_automatic_authorization_is_a_payment_with_one_capture(scene: Scene) -> None:
    outcome = scene.one(scene.pay("R1", capture_mode=CaptureMode.AUTOMATIC))
    payment = outcome.payment
    assert payment is not None
    assert (outcome.code, scene.owed(), scene.held()) == (flows.OK, 1000, 0)
    assert (payment.captured, payment.hold_id, payment.auth_expires_at) == (1000, None, None)
    [(capture_id, amount, told)] = rows(
        "SELECT c.id, c.amount, (SELECT count(*) FROM db_outbox o WHERE o.subject_id = c.id)"
        " FROM acquiring_capture c"
    )
    assert (amount, told) == (1000, 1)
    assert scene.one(scene.refund("F1", payment.id, 400, capture_id=capture_id)).code == flows.OK
    other = scene.one(scene.pay("R2", code=scene.code(n=1), capture_mode=CaptureMode.AUTOMATIC)).payment
    assert other is not None
    assert scene.one(scene.cancel(other.id)).code == flows.OK
    assert scene.owed() == 600


def test_an_order_is_scanned_confirmed_and_captured(scene: Scene) -> None:
    order = scene.one(scene.order("O1", capture_mode=CaptureMode.MANUAL)).payment
    assert order is not None
    assert order.order_code is not None
    claimed = scene.one(flows.Claim(order_code=order.order_code, wallet_id=scene.wallet_id)).payment
    assert claimed is not None
    assert (scene.available, scene.held()) == (1_000_000, 0), "nothing is held before the traveller agrees"
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=claimed.authorization_id)
    first, again = scene.do(confirm, confirm)
    assert (first.code, again.code) == (flows.OK, flows.OK)
    assert (scene.purse, scene.available, scene.held()) == (1_000_000, 1_000_000 - 7979, 1000)
    assert scene.one(scene.capture("C1", claimed.id, 1000)).code == flows.OK
    assert scene.one(confirm).code == flows.OK
    assert (scene.purse, scene.owed()) == (1_000_000 - 7979, 1000)


def test_the_wallet_that_cannot_afford_it_authorizes_nothing(database: object) -> None:
    poor = make_scene(balance=7978)
    outcome = poor.one(poor.hold("R1"))
    assert outcome.code == wallet.errors.BALANCE_INSUFFICIENT
    assert outcome.payment is not None
    assert (outcome.payment.state, outcome.payment.hold_id) == (PaymentState.FAIL, None)
    assert (poor.available, poor.held()) == (7978, 0)
    assert_books_hold()


def test_an_increase_keeps_to_the_floor_and_leaves_the_hold_as_it_was(database: object) -> None:
    poor = make_scene(balance=10_000)
    payment = held(poor)
    assert poor.one(poor.update("U1", payment.id, 1254)).code == wallet.errors.BALANCE_INSUFFICIENT
    assert (poor.available, poor.held()) == (10_000 - 7979, 1000)
    assert poor.one(poor.update("U2", payment.id, 1253)).code == flows.OK
    assert poor.available == 2
    assert_books_hold()


def test_an_increase_keeps_to_the_wallets_limits(database: object) -> None:
    limits = wallet.Limits(no_pin=20_000, payment=40_000, day=50_000)
    strict = make_scene(limits=limits)
    small = held(strict, 1000)
    assert strict.one(strict.update("U1", small.id, 2507)).code == wallet.errors.PAYMENT_LIMIT, "no PIN given"
    assert strict.one(strict.update("U2", small.id, 2506)).code == flows.OK
    waiting = strict.one(strict.hold("R2", 3000, code=strict.code(n=1))).payment
    assert waiting is not None
    confirm = flows.Confirm(wallet_id=strict.wallet_id, authorization_id=waiting.authorization_id)
    assert strict.one(confirm).code == flows.OK
    assert strict.one(strict.update("U3", waiting.id, 5014)).code == wallet.errors.PAYMENT_LIMIT, "the most"
    assert strict.one(strict.update("U4", waiting.id, 4000)).code == wallet.errors.DAY_LIMIT
    wallet.freeze(strict.wallet_id)
    assert strict.one(strict.update("U5", waiting.id, 3001)).code == wallet.errors.WALLET_INACTIVE
    assert strict.one(strict.update("U6", waiting.id, 2000)).code == flows.OK, "less is always allowed"
    assert strict.one(strict.capture("C1", waiting.id, 2000)).code == flows.OK, "what is held is promised"
    assert_books_hold()


def test_what_is_let_go_on_its_day_counts_no_more_towards_the_limit(scene: Scene) -> None:
    def spent(now: Any = NOW) -> int:
        return wallet.wallet_summary(scene.wallet_id, now).wallet.spent

    payment = held(scene)
    assert spent() == 7979
    scene.one(scene.update("U1", payment.id, 2000))
    assert spent() == 15_958
    scene.one(scene.update("U2", payment.id, 500))
    assert spent() == 3990
    scene.one(scene.capture("C1", payment.id, 100, last=True))
    assert spent() == 798
    other = held(scene, ref="R2", code=scene.code(n=1))
    tomorrow = NOW + timedelta(days=1)
    scene.one(scene.cancel(other.id), tomorrow)
    assert (spent(), spent(tomorrow)) == (798 + 7979, 0)


def test_another_issuers_wallet_takes_payments_only(scene: Scene) -> None:
    for mode in CaptureMode:
        refused = scene.one(scene.pay("R1", code="25990000000000001", issuer="scripted", capture_mode=mode))
        assert (refused.code, refused.payment) == (acquiring.AUTHORIZATION_NOT_OFFERED, None)
        assert refused.field == "paymentFactor.isAuthorization"
    assert (scene.owed(), scene.held()) == (0, 0)


def test_a_refund_of_one_capture_is_bounded_by_it(scene: Scene) -> None:
    payment = held(scene)
    first = scene.one(scene.capture("C1", payment.id, 300)).capture
    second = scene.one(scene.capture("C2", payment.id, 700)).capture
    assert first is not None
    assert second is not None
    codes = [
        scene.one(scene.refund(ref, payment.id, minor, capture_id=capture_id)).code
        for ref, minor, capture_id in [
            ("F1", 301, first.id),
            ("F2", 200, first.id),
            ("F3", 101, first.id),
            ("F4", 100, first.id),
            ("F5", 700, second.id),
            ("F6", 1, None),
        ]
    ]
    exceeds = acquiring.REFUND_EXCEEDS
    assert codes == [exceeds, flows.OK, exceeds, flows.OK, flows.OK, exceeds]
    assert (scene.purse, scene.owed()) == (1_000_000, 0)
    again = scene.one(scene.refund("F2", payment.id, 200, capture_id=second.id))
    assert again.code == acquiring.REQUEST_REUSED, "the same id, of another capture"


def test_a_refund_of_a_capture_that_is_not_there(scene: Scene) -> None:
    payment = held(scene)
    other = held(scene, ref="R2", code=scene.code(n=1))
    foreign = scene.one(scene.capture("C1", other.id, 100)).capture
    failed = scene.one(scene.capture("C2", payment.id, 9999)).capture
    assert foreign is not None
    assert failed is not None
    scene.one(scene.capture("C3", payment.id, 100))
    for capture_id in (foreign.id, failed.id, payment.id):
        refused = scene.one(scene.refund("F1", payment.id, 100, capture_id=capture_id))
        assert (refused.code, refused.field) == (acquiring.CAPTURE_UNKNOWN, "captureId")
        assert refused.refund is None
    assert scene.owed() == 200


def test_captures_too_small_for_a_part_add_up(database: object) -> None:
    """1 JPY is 4 fen and less than a cent: parts of nothing are held on and come with a later capture."""
    scene = make_scene(merchant_id=make_merchant(("JPY",), "EUR"))
    payment = held(scene, 20, currency="JPY")
    whole = scene.purse - scene.available
    for n in range(20):
        outcome = scene.one(scene.capture(f"C{n}", payment.id, 1, currency="JPY"))
        assert outcome.code == flows.OK
        assert 1_000_000 - scene.available == whole, "not a fen slips"
        assert_books_hold()
    assert (1_000_000 - scene.purse, scene.owed(), scene.held()) == (whole, 11, 0)


def test_the_statement_shows_captures_and_the_summary_what_is_held(scene: Scene) -> None:
    payment = held(scene)
    for n, minor in enumerate((300, 200)):
        scene.one(scene.capture(f"C{n}", payment.id, minor), NOW + timedelta(minutes=n + 1))
    scene.one(scene.refund("F1", payment.id, 100), NOW + timedelta(minutes=5))
    summary = wallet.wallet_summary(scene.wallet_id, NOW)
    assert (summary.held, summary.available) == (Money(3990, "CNY"), Money(scene.available, "CNY"))
    [waits] = wallet.held(scene.wallet_id)
    assert (waits.total.minor, waits.captured, waits.charge) == (7979, 3989, Money(1000, "EUR"))
    lines = wallet.movements(scene.wallet_id).movements
    assert [(line.kind.value, line.amount.minor, line.charge and line.charge.minor) for line in lines] == [
        ("refund", 797, 100),
        ("payment", -1596, 200),
        ("payment", -2393, 300),
        ("top_up", 1_000_000, None),
    ]
    first = wallet.movements(scene.wallet_id, limit=2)
    rest = wallet.movements(scene.wallet_id, first.older, limit=2)
    assert first.movements + rest.movements == lines
    with pytest.raises(wallet.WalletNotEmpty):
        wallet.close(scene.wallet_id)


def test_each_outcome_is_told_once(scene: Scene) -> None:
    payment = held(scene)
    scene.do(*[scene.update("U1", payment.id, 2000)] * 2)
    scene.do(*[scene.capture("C1", payment.id, 500)] * 2)
    scene.one(scene.capture("C2", payment.id, 9999))
    scene.one(scene.refund("F1", payment.id, 100))
    told = dict(rows("SELECT topic, count(*) FROM db_outbox GROUP BY topic"))
    assert told == {"notify.payment": 1, "notify.amount": 1, "notify.capture": 2}
    other = held(scene, ref="R2", code=scene.code(n=1))
    for payment_id in (payment.id, other.id):
        expire = flows.Expire(merchant_id=scene.merchant_id, payment_id=payment_id)
        scene.do(expire, expire, now=NOW + AUTHORIZATION_LIFE)
    told = dict(rows("SELECT topic, count(*) FROM db_outbox GROUP BY topic"))
    assert told["notify.payment"] == 3, "that nothing was captured is told, that the rest was let go is not"


def test_a_hold_without_its_quote_stops_the_change_and_is_no_refusal(scene: Scene) -> None:
    payment = held(scene)
    set_quote = "UPDATE acquiring_payment SET quote_id = '{}'"
    with connection.cursor() as cursor:
        cursor.execute(set_quote.format(scene.wallet_id))
    with pytest.raises(InvariantBroken):
        scene.one(scene.update("U1", payment.id, 2000))
    with connection.cursor() as cursor:
        cursor.execute(set_quote.format(payment.quote_id))
    assert scene.one(scene.update("U1", payment.id, 2000)).code == flows.OK


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE acquiring_payment SET hold_id = NULL", "which no authorization says"),
        ("UPDATE acquiring_payment SET captured = captured + 1", "its captures come to"),
        ("UPDATE acquiring_payment SET settlement_captured = 0", "captured"),
        ("UPDATE acquiring_capture SET wallet_amount = wallet_amount - 1", "captured"),
        ("UPDATE acquiring_capture SET refunded = 1", "its refunds come to"),
        ("DELETE FROM acquiring_capture", "which no payment, capture or refund says"),
        ("UPDATE wallet_authorization SET captured = captured + 1", "its movements come to"),
        ("UPDATE wallet_authorization SET state = 'released'", "its authorizations hold"),
        ("DELETE FROM wallet_capture", "its captures are"),
    ],
)
def test_the_proof_notices(database: object, change: str, words: str) -> None:
    scene = make_scene()
    payment = held(scene)
    scene.one(scene.capture("C1", payment.id, 400))
    assert_books_hold()
    with connection.cursor() as cursor:
        cursor.execute(change)
    report = flows.verify_books()
    assert any(words in one for one in report.differences), report.differences


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE acquiring_payment SET captured = amount + 1",
        "UPDATE acquiring_payment SET wallet_captured = wallet_total + 1",
        "UPDATE acquiring_payment SET refunded = captured + 1",
        "UPDATE acquiring_payment SET state = 'CANCELLED'",
        "UPDATE wallet_authorization SET captured = total + 1",
        "UPDATE wallet_authorization SET refunded = captured + 1",
        "UPDATE wallet_authorization SET state = 'authorised'",
    ],
)
def test_the_database_is_the_last_wall(scene: Scene, change: str) -> None:
    payment = held(scene)
    scene.one(scene.capture("C1", payment.id, 400))
    with connection.cursor() as cursor, pytest.raises(Exception, match="violates check constraint"):
        cursor.execute(change)


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
