"""Notifications from the outbox to the merchant, over a real database and a real web server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from com.alipay.ams.api.exception.exception import AlipayApiException
from com.alipay.ams.api.tools import webhook_tool
from rsa import VerificationError

from comptoir.acquiring.api import PaymentState, RefundState
from comptoir.acquiring.api import errors as acquiring
from comptoir.db import outbox
from comptoir.flows.notifications import Sender
from comptoir.flows.worker import Worker, notify
from comptoir.identity import api as identity
from comptoir.kernel.money import Money
from comptoir.standards.antom.signing import export_public_key, public_key_from_der
from tests.conftest import Database
from tests.flows.merchant_server import Heard, Merchant, after, huge, reply, reset, result, slow
from tests.flows.notices import CLIENT, NOW, Hands, execute, owe, payment, record, refund

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def platform_key(database: Database) -> str:
    """Our public key, as merchants get it."""
    key = identity.ensure_platform_key(now=NOW)
    return export_public_key(public_key_from_der(key.public_key))


@pytest.fixture
async def hands(database: Database, platform_key: str) -> AsyncIterator[Hands]:
    made = Hands(database.url)
    yield made
    await made.close()


def state(connection: Connection) -> list[tuple[Any, ...]]:
    """(done, dead, attempts, due in s, error) of every item."""
    rows = connection.execute(
        "SELECT done_at IS NOT NULL, dead_at IS NOT NULL, attempts, due_at, last_error FROM db_outbox"
        " ORDER BY created_at"
    ).fetchall()
    return [(*row[:3], (row[3] - NOW).total_seconds(), row[4]) for row in rows]


def verifies(heard: Heard, key: str, **changes: str) -> bool:
    """What the official SDK says of a notification."""
    given = {"path": heard.path.partition("?")[0], "client": heard.headers["client-id"]} | changes
    with contextlib.suppress(VerificationError, AlipayApiException):
        return bool(
            webhook_tool.check_signature(
                "POST", given["path"], given["client"], heard.headers["request-time"],
                heard.body.decode(), heard.headers["signature"], key,
            )
        )  # fmt: skip
    return False


async def test_a_paid_payment_is_told_whole(connection: Connection, hands: Hands, platform_key: str) -> None:
    paid = payment(settlement=Money(1463, "USD"), settlement_price=Decimal("1.1704"))
    with Merchant() as merchant:
        record(connection, merchant.url + "?token=1", paid)
        await hands.round()
    (heard,) = merchant.heard
    assert heard.path == "/notify?token=1"
    assert heard.headers["content-type"] == "application/json; charset=UTF-8"
    assert heard.headers["client-id"] == CLIENT
    assert heard.message == {
        "notifyType": "PAYMENT_RESULT",
        "result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
        "paymentRequestId": paid.request_ref,
        "paymentId": paid.id.hex,
        "paymentAmount": {"currency": "EUR", "value": "1250"},
        "paymentCreateTime": "2026-11-23T12:00:00+00:00",
        "paymentTime": "2026-11-23T12:00:01+00:00",
        "paymentMethodType": "CONNECT_WALLET",
        "pspCustomerInfo": {"pspName": "COMPTOIR_CN", "pspCustomerId": "2088000000000001"},
        "paymentQuote": {
            "quoteId": UUID(int=0xC1).hex,
            "quoteCurrencyPair": "EUR/CNY",
            "quotePrice": 7.831,
            "quoteStartTime": "2026-11-23T12:00:00+00:00",
            "quoteExpiryTime": "2026-11-23T12:15:00+00:00",
            "guaranteed": True,
        },
        "customsDeclarationAmount": {"currency": "CNY", "value": "9789"},
        "grossSettlementAmount": {"currency": "USD", "value": "1463"},
        "settlementQuote": {"quoteCurrencyPair": "EUR/USD", "quotePrice": 1.1704, "guaranteed": True},
    }
    assert state(connection) == [(True, False, 1, 0, None)]


async def test_the_sdk_verifies_it_and_nothing_else(
    connection: Connection, hands: Hands, platform_key: str
) -> None:
    with Merchant() as merchant:
        owe(connection, merchant.url + "?x=/notify")
        await hands.round()
    (heard,) = merchant.heard
    assert verifies(heard, platform_key)
    assert not verifies(heard, platform_key, path="/other")
    assert not verifies(heard, platform_key, path=heard.path)  # the query is not part of it
    assert not verifies(heard, platform_key, client="5Y_OTHER")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": PaymentState.FAIL, "failure_code": acquiring.PAYMENT_EXPIRED}, "ORDER_IS_CLOSED"),
        (
            {"state": PaymentState.FAIL, "failure_code": "wallet.balance_insufficient"},
            "USER_BALANCE_NOT_ENOUGH",
        ),
        ({"state": PaymentState.FAIL, "failure_code": "nobody.knows"}, "PROCESS_FAIL"),
        ({"state": PaymentState.CANCELLED, "cancelled_at": NOW}, "ORDER_IS_CANCELED"),
    ],
)
async def test_a_payment_that_did_not_stand_is_told_as_failed(
    connection: Connection, hands: Hands, changes: dict[str, Any], code: str
) -> None:
    with Merchant() as merchant:
        record(connection, merchant.url, payment(**changes))
        await hands.round()
    message = merchant.heard[0].message
    assert (message["result"]["resultCode"], message["result"]["resultStatus"]) == (code, "F")
    assert not {"paymentTime", "paymentQuote", "grossSettlementAmount", "settlementQuote"} & message.keys()


async def test_refunds_are_told(connection: Connection, hands: Hands, platform_key: str) -> None:
    paid = payment(settlement=Money(1463, "USD"), settlement_price=Decimal("1.1704"), refunded=250)
    back = refund(paid, settlement=Money(292, "USD"))
    no = refund(paid, state=RefundState.FAIL, failure_code=acquiring.MERCHANT_BALANCE, settlement=None)
    with Merchant() as merchant:
        record(connection, merchant.url, paid, back, no)
        await hands.round()
    told = {heard.message.get("refundId"): heard for heard in merchant.heard}
    assert verifies(told[back.id.hex], platform_key)
    assert told[back.id.hex].message == {
        "notifyType": "REFUND_RESULT",
        "result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
        "refundStatus": "SUCCESS",
        "refundRequestId": back.request_ref,
        "refundId": back.id.hex,
        "refundAmount": {"currency": "EUR", "value": "250"},
        "actualRefundAmount": {"currency": "CNY", "value": "1957"},
        "refundTime": "2026-11-23T12:00:02+00:00",
        "grossSettlementAmount": {"currency": "USD", "value": "292"},
        "settlementQuote": {"quoteCurrencyPair": "EUR/USD", "quotePrice": 1.1704, "guaranteed": True},
    }
    failed = told[no.id.hex].message
    assert (failed["refundStatus"], failed["result"]["resultCode"]) == ("FAIL", "PROCESS_FAIL")
    assert "grossSettlementAmount" not in failed


async def test_every_try_says_what_the_first_said(connection: Connection, hands: Hands) -> None:
    """And the first says how the record stands when it is written, not when it was due."""
    paid, late = payment(), payment()
    with Merchant(reply(500)) as merchant:
        record(connection, merchant.url, paid)
        await hands.round()
        record(connection, merchant.url, late)
        connection.execute("UPDATE acquiring_payment SET state = 'CANCELLED'")
        await hands.round(NOW + timedelta(minutes=2))
    told = [(heard.message["paymentId"], heard.message["result"]["resultStatus"]) for heard in merchant.heard]
    assert sorted(told) == sorted([(paid.id.hex, "S"), (paid.id.hex, "S"), (late.id.hex, "F")])


async def test_eight_tries_then_dead(connection: Connection, hands: Hands, platform_key: str) -> None:
    """Every kind of wrong answer counts as not heard; each try has a fresh time and signature."""
    wrong = [reply(500), reply(200, b"success"), reply(200, result(status="U")), reset, reply(302), huge,
             reply(404), reply(200, result(message="ok"))]  # fmt: skip
    pauses = [120, 600, 600, 3600, 7200, 21600, 54000]
    with Merchant(*wrong) as merchant:
        owe(connection, merchant.url)
        due = 0
        for number, pause in enumerate(pauses, start=1):
            await hands.round(NOW + timedelta(seconds=due))
            due += pause
            ((done, dead, attempts, next_due, error),) = state(connection)
            assert (done, dead, attempts, next_due) == (False, False, number, due)
            assert error
            await hands.round(NOW + timedelta(seconds=due - 1))
            assert len(merchant.heard) == number
        await hands.round(NOW + timedelta(seconds=due))
        assert [row[:3] for row in state(connection)] == [(False, True, 8)]
        await hands.round(NOW + timedelta(days=30))
    assert len(merchant.heard) == 8
    assert all(verifies(heard, platform_key) for heard in merchant.heard)
    assert len({heard.headers["request-time"] for heard in merchant.heard}) == 8
    assert len({heard.headers["signature"] for heard in merchant.heard}) == 8


async def test_heard_at_the_second_try(connection: Connection, hands: Hands) -> None:
    with Merchant(reply(503)) as merchant:
        owe(connection, merchant.url)
        await hands.round()
        await hands.round(NOW + timedelta(minutes=2))
    assert state(connection) == [(True, False, 2, 120, None)]


@pytest.mark.parametrize("url", ["ftp://shop.example/", "http://u:p@shop.example/"])
async def test_an_unusable_address_is_given_up_at_once(
    connection: Connection, hands: Hands, url: str
) -> None:
    owe(connection, url)
    await hands.round()
    ((done, dead, attempts, _, error),) = state(connection)
    assert (done, dead, attempts) == (False, True, 1)
    assert "address" in error


async def test_what_has_no_address_is_given_up_like_what_nobody_heard_and_keeps_its_words(
    connection: Connection, hands: Hands
) -> None:
    owe(connection, "http://127.0.0.1:9/")
    connection.execute("UPDATE db_outbox SET payload = payload - 'url'")
    for hours in range(0, 40, 2):
        await hands.round(NOW + timedelta(hours=hours))
    ((done, dead, attempts, _, error),) = state(connection)
    assert (done, dead, attempts, error) == (False, True, 8, "there is no address to tell it to")
    assert connection.execute("SELECT count(*) FROM db_outbox WHERE words IS NOT NULL").fetchone() == (1,)


async def test_a_private_address_gets_nothing(
    database: Database, connection: Connection, platform_key: str
) -> None:
    strict = Hands(database.url, allow_private=False)
    with Merchant() as merchant:
        owe(connection, merchant.url)
        await strict.round()
        await strict.close()
    assert merchant.heard == []
    assert state(connection) == [(False, False, 1, 120, "the name leads into a private network")]


async def test_not_final_waits_and_a_missing_record_is_dead(connection: Connection, hands: Hands) -> None:
    with Merchant() as merchant:
        record(connection, merchant.url, payment(state=PaymentState.PROCESSING, finished_at=None))
        gone = payment()
        record(connection, merchant.url, gone)
        connection.execute("DELETE FROM acquiring_payment WHERE id = %s", (gone.id,))
        await hands.round()
    assert merchant.heard == []
    assert [row[:2] for row in state(connection)] == [(False, False), (False, True)]


async def test_a_slow_merchant_does_not_hold_up_the_others(
    database: Database, connection: Connection, platform_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "HANDS", 2 * notify.PER_MERCHANT)
    job = notify.NotifyJob(Sender(allow_private=True), lambda: NOW)
    worker = Worker([job], database.url, lambda: NOW)
    all_told = threading.Event()
    with Merchant(otherwise=after(all_told)) as sluggish, Merchant() as quick:
        owe(connection, sluggish.url, count=60, merchant_id=uuid4())
        for _ in range(40):
            owe(connection, quick.url, merchant_id=uuid4())
        running = asyncio.create_task(worker.run())
        while len(quick.heard) < 40:
            await asyncio.sleep(0.01)
        assert 1 <= len(sluggish.heard) <= notify.PER_MERCHANT
        all_told.set()
        worker.stop()
        await running
    assert sluggish.most_at_once <= notify.PER_MERCHANT
    assert len([row for row in state(connection) if row[0]]) == 40 + len(sluggish.heard)


async def test_two_workers_never_send_the_same_at_once(
    database: Database, connection: Connection, platform_key: str
) -> None:
    one, other = Hands(database.url), Hands(database.url)
    with Merchant(otherwise=slow(0.05)) as merchant:
        for _ in range(8):
            owe(connection, merchant.url, count=12, merchant_id=uuid4())
        await asyncio.gather(one.round(), other.round())
        await asyncio.gather(one.close(), other.close())
    told = [json.loads(heard.body)["paymentId"] for heard in merchant.heard]
    assert len(told) == len(set(told)) == 96
    assert merchant.same_at_once == 1
    assert all(row[:3] == (True, False, 1) for row in state(connection))


async def test_what_a_killed_worker_was_sending_comes_again(connection: Connection, hands: Hands) -> None:
    """Killed between claim and result: the lease runs out, the merchant hears it (again), no try is lost."""
    with Merchant(reply(500)) as merchant:
        owe(connection, merchant.url)
        execute(connection, outbox.claim([*notify.TOPICS], 10, NOW, notify.LEASE_SECONDS))
        await hands.round(NOW + timedelta(seconds=notify.LEASE_SECONDS - 1))
        assert merchant.heard == []
        await hands.round(NOW + timedelta(seconds=notify.LEASE_SECONDS))
    assert len(merchant.heard) == 1
    assert state(connection) == [(False, False, 2, notify.LEASE_SECONDS + 120, "answered HTTP 500")]


async def test_an_item_that_kills_workers_is_put_aside(connection: Connection, hands: Hands) -> None:
    with Merchant() as merchant:
        owe(connection, merchant.url)
        connection.execute("UPDATE db_outbox SET attempts = 11, lost = 10, leased_until = %s", (NOW,))
        await hands.round()
    assert merchant.heard == []
    assert state(connection)[0][:3] == (False, True, 12)


async def test_nothing_is_sent_when_the_lease_is_nearly_over(
    database: Database, connection: Connection, platform_key: str
) -> None:
    """A worker that was held up after its claim leaves the item to whoever claims it next."""
    late = Hands(database.url)
    with Merchant() as merchant:
        owe(connection, merchant.url)
        late.now = NOW + timedelta(seconds=25)  # the clock that the sending reads
        async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as opened:
            await late.job.step(opened, NOW)  # the instant of the claim
            await late.rest()
        await late.close()
    assert merchant.heard == []
    assert state(connection) == [(False, False, 1, 0, None)]


async def test_the_results_survive_a_lost_connection(
    database: Database, connection: Connection, platform_key: str
) -> None:
    hands = Hands(database.url)
    with Merchant() as merchant:
        owe(connection, merchant.url)
        broken = await psycopg.AsyncConnection.connect(database.url, autocommit=True)
        await hands.job.step(broken, NOW)
        await hands.rest()
        await broken.close()
        with pytest.raises(psycopg.OperationalError):
            await hands.job.step(broken, NOW)
        await hands.round()
        await hands.close()
    assert len(merchant.heard) == 1
    assert state(connection) == [(True, False, 1, 0, None)]


async def test_one_merchant_owes_nothing_to_another(connection: Connection, hands: Hands) -> None:
    """An item under the wrong merchant finds no record: nobody is told of somebody else's payment."""
    with Merchant() as merchant:
        owe(connection, merchant.url)
        connection.execute("UPDATE db_outbox SET owner_id = %s", (uuid4(),))
        await hands.round()
    assert merchant.heard == []
    assert state(connection)[0][1] is True
