"""inquireNotification and inquireNotificationList, through the signed door and with the official classes."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from com.alipay.ams.api.request.notification.alipay_inquire_notification_list_request import (
    AlipayInquireNotificationListRequest,
)
from com.alipay.ams.api.request.notification.alipay_inquire_notification_request import (
    AlipayInquireNotificationRequest,
)
from com.alipay.ams.api.response.notification.alipay_inquire_notification_list_response import (
    AlipayInquireNotificationListResponse,
)
from com.alipay.ams.api.response.notification.alipay_inquire_notification_response import (
    AlipayInquireNotificationResponse,
)
from django.db import connection

from comptoir.acquiring import api as acquiring
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.flows.notifications.bodies import payment_body
from comptoir.identity import api as identity
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from tests.conftest import Database
from tests.flows.merchant_server import Merchant, reply
from tests.flows.notices import Hands

from .shop import Request, Shop, aside, code_of, now
from .test_agreements import agreed
from .world import CLIENT, OTHER_CLIENT

pytestmark = pytest.mark.anyio

URL = "https://shop.example/notify"


async def ask(shop: Shop, name: str, client_id: str = CLIENT, /, **body: Any) -> dict[str, Any]:
    return await shop.execute(Request("/ams/api/v1/notification/" + name, body), client_id)


async def listed(shop: Shop, client_id: str = CLIENT, /, **body: Any) -> list[dict[str, Any]]:
    answer = await ask(shop, "inquireNotificationList", client_id, **body)
    assert code_of(answer) == ("SUCCESS", "S"), answer
    found: list[dict[str, Any]] = answer["notifications"]
    return found


async def pay(shop: Shop, number: int) -> dict[str, Any]:
    """A small payment that is notified; every code is fresh, so as many as one likes."""
    await aside(forget_codes)
    return await shop.pay(paymentRequestId=f"R{number}", value="100", paymentNotifyUrl=URL)


def forget_codes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM wallet_spent_code")


def end(event_id: str, column: str) -> None:
    """What a worker does once a notification is acknowledged, or given up."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE db_outbox SET {column} = now() WHERE id = %s", [event_id])


async def test_what_was_told_is_told_again_with_what_became_of_it(shop: Shop) -> None:
    paid = await pay(shop, 1)
    await shop.call(
        "refund",
        refundRequestId="F1",
        paymentId=paid["paymentId"],
        refundAmount={"currency": "EUR", "value": "40"},
        refundNotifyUrl=URL,
    )
    second, first = await listed(shop)
    assert (first["notifyType"], second["notifyType"]) == ("PAYMENT_RESULT", "REFUND_RESULT")
    assert {first["deliveryStatus"], second["deliveryStatus"]} == {"PENDING"}
    assert first["notificationData"] == json.loads(await aside(body_of, paid["paymentId"]))
    assert second["notificationData"]["refundRequestId"] == "F1"
    await aside(end, first["eventId"], "done_at")
    await aside(end, second["eventId"], "dead_at")
    assert [one["deliveryStatus"] for one in await listed(shop)] == ["FAILED", "DELIVERED"]
    alone = await ask(shop, "inquireNotification", eventId=first["eventId"])
    assert alone["notification"] == first | {"deliveryStatus": "DELIVERED"}
    assert abs(datetime.fromisoformat(first["eventCreateTime"]) - now()) < timedelta(minutes=1)


def body_of(payment_id: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT merchant_id, id FROM acquiring_payment WHERE id = %s", [payment_id])
        key = cursor.fetchone()
    [payment] = acquiring.decode_payments(read(acquiring.payments_by_id([key])))
    return payment_body(payment)


async def test_pages_join_without_gap_or_repeat(shop: Shop) -> None:
    for number in range(5):
        await pay(shop, number)
    seen: list[str] = []
    after: dict[str, str] = {}
    for size, more in ((2, True), (2, True), (1, False)):
        answer = await ask(shop, "inquireNotificationList", limit="2", **after)
        assert (len(answer["notifications"]), answer["hasMore"]) == (size, more)
        seen += [one["notificationData"]["paymentRequestId"] for one in answer["notifications"]]
        after = {"startingAfter": answer["nextStartingAfter"]} if more else {}
    assert seen == ["R4", "R3", "R2", "R1", "R0"]
    assert "nextStartingAfter" not in answer


async def test_a_window_and_a_kind(shop: Shop) -> None:
    await pay(shop, 1)
    soon, ago = (now() + timedelta(minutes=1)).isoformat(), (now() - timedelta(minutes=1)).isoformat()
    assert len(await listed(shop, eventCreateTimeFrom=ago, eventCreateTimeTo=soon)) == 1
    assert await listed(shop, eventCreateTimeFrom=soon) == []
    assert await listed(shop, eventCreateTimeTo=ago) == []
    assert await listed(shop, notifyType=["REFUND_RESULT"]) == []
    assert len(await listed(shop, notifyType=["PAYMENT_RESULT", "REFUND_RESULT"])) == 1
    for edge in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert await listed(shop, eventCreateTimeFrom=edge, eventCreateTimeTo=edge) == []
        assert len(await listed(shop, eventCreateTimeFrom=min(edge, ago), eventCreateTimeTo=soon)) == 1


async def test_an_event_is_found_by_the_time_it_was_told_with(shop: Shop) -> None:
    """Both ends of a window count, though an event's own time is finer than the wire's."""
    await pay(shop, 1)
    [event] = await listed(shop)
    its = event["eventCreateTime"]
    assert its.endswith("Z")
    assert await listed(shop, eventCreateTimeFrom=its, eventCreateTimeTo=its) == [event]
    second = timedelta(seconds=1)
    before, after = ((datetime.fromisoformat(its) + one).isoformat() for one in (-second, second))
    assert await listed(shop, eventCreateTimeTo=before) == []
    assert await listed(shop, eventCreateTimeFrom=after) == []


async def test_a_list_reaches_back_seven_days_and_has_ten_events(shop: Shop) -> None:
    await pay(shop, 1)
    [event] = await listed(shop)
    for days in (6, 8, 20):
        await aside(repeat, event["eventId"], timedelta(days=days))
    told = [one["eventCreateTime"] for one in await listed(shop, eventCreateTimeFrom="2020-01-01T00:00:00Z")]
    assert (len(told), told) == (4, sorted(told, reverse=True))
    assert [one["eventCreateTime"] for one in await listed(shop)] == told[:2]
    assert [one["eventCreateTime"] for one in await listed(shop, eventCreateTimeTo=told[1])] == told[1:3]
    for _ in range(9):
        await aside(repeat, event["eventId"], timedelta(hours=1))
    assert len(await listed(shop)) == 10
    assert len(await listed(shop, limit=100)) == 11


def repeat(event_id: str, ago: timedelta) -> None:
    """The same notification, made some time ago."""
    then = new_id(int((now() - ago).timestamp() * 1000))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO db_outbox (owner_id, id, topic, subject_id, payload, due_at)"
            " SELECT owner_id, %s, topic, subject_id, payload, due_at FROM db_outbox WHERE id = %s",
            [then, event_id],
        )


@pytest.mark.parametrize(
    ("member", "absent"),
    [
        ("notifyType", []),
        ("notifyType", None),
        ("eventCreateTimeFrom", ""),
        ("eventCreateTimeFrom", None),
        ("eventCreateTimeTo", ""),
        ("eventCreateTimeTo", None),
        ("startingAfter", ""),
        ("startingAfter", None),
        ("limit", None),
    ],
)
async def test_null_and_empty_count_as_absent(shop: Shop, member: str, absent: Any) -> None:
    await pay(shop, 1)
    assert len(await listed(shop, **{member: absent})) == 1


def documented() -> list[str]:
    """The kinds that the official class names."""
    text = AlipayInquireNotificationListRequest.notify_type.__doc__ or ""
    return re.findall(r"[A-Z_]{3,}", text.partition("If omitted")[0])


async def test_every_documented_kind_may_be_asked_for(shop: Shop) -> None:
    kinds = documented()
    assert {"PAYMENT_RESULT", "DISPUTE_CREATED", "PAYOUT_RESULT"} < set(kinds)
    await pay(shop, 1)
    for kind in kinds:
        assert len(await listed(shop, notifyType=[kind])) == (kind == "PAYMENT_RESULT"), kind
    assert len(await listed(shop, notifyType=kinds)) == 1


async def test_nobody_reads_the_notifications_of_another_merchant(shop: Shop) -> None:
    await pay(shop, 1)
    [mine] = await listed(shop)
    assert await listed(shop, OTHER_CLIENT) == []
    for client_id, event_id in [(OTHER_CLIENT, mine["eventId"]), (CLIENT, "0" * 32), (CLIENT, "nonsense")]:
        answer = await ask(shop, "inquireNotification", client_id, eventId=event_id)
        assert code_of(answer) == ("RECORD_NOT_FOUND", "F")
        assert "notification" not in answer
    assert await listed(shop, "SANDBOX_" + CLIENT) == []


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"startingAfter": "nonsense"}, "startingAfter"),
        ({"notifyType": ["GOSSIP"]}, "notifyType"),
        ({"notifyType": "PAYMENT_RESULT"}, "notifyType"),
        ({"eventCreateTimeFrom": "yesterday"}, "eventCreateTimeFrom"),
        ({"eventCreateTimeFrom": "2026-11-02T00:00:00Z", "eventCreateTimeTo": "2026-11-01T00:00:00Z"}, "eve"),
    ],
)
async def test_what_is_asked_wrongly_is_named(shop: Shop, body: dict[str, Any], name: str) -> None:
    answer = await ask(shop, "inquireNotificationList", **body)
    assert code_of(answer) == ("PARAM_ILLEGAL", "F")
    assert name in answer["result"]["resultMessage"]


async def test_the_official_classes_ask_and_read(shop: Shop) -> None:
    await pay(shop, 1)
    await pay(shop, 2)
    request = AlipayInquireNotificationListRequest()
    request.limit = 1
    answer = AlipayInquireNotificationListResponse(json.dumps(await shop.execute(request)))
    [event] = answer.notifications
    assert (answer.has_more, answer.next_starting_after) == (True, event.event_id)
    one = AlipayInquireNotificationRequest()
    one.event_id = event.event_id
    found = AlipayInquireNotificationResponse(json.dumps(await shop.execute(one)))
    assert found.notification.notification_data["paymentRequestId"] == "R2"
    assert found.notification.delivery_status == "PENDING"


async def test_every_try_and_the_replay_say_what_the_first_try_said(shop: Shop, database: Database) -> None:
    """An authorization is told of, its amount is changed, it is told again: with the amount it had."""
    hands = Hands(database.url)
    with Merchant(reply(500)) as merchant:
        held = await shop.pay(
            value="1000",
            paymentNotifyUrl=merchant.url,
            paymentFactor={
                "inStorePaymentScenario": "PaymentCode", "isAuthorization": True, "captureMode": "MANUAL",
            },
        )  # fmt: skip
        await hands.round(now())
        amount = {"currency": "EUR", "value": "900"}
        changed = await shop.call(
            "updateAmount", updateRequestId="U1", paymentId=held["paymentId"], amount=amount
        )
        assert code_of(changed) == ("SUCCESS", "S")
        await hands.round(now() + timedelta(minutes=5))
        await hands.close()
    told = [one.message for one in merchant.heard]
    first, again = [one for one in told if one["notifyType"] == "PAYMENT_RESULT"]
    assert first["paymentAmount"]["value"] == "1000"
    assert again == first
    [event] = await listed(shop, notifyType=["PAYMENT_RESULT"])
    assert (event["notificationData"], event["deliveryStatus"]) == (first, "DELIVERED")
    alone = await ask(shop, "inquireNotification", eventId=event["eventId"])
    assert alone["notification"] == event
    [event] = await listed(shop, notifyType=["UPDATE_AMOUNT_RESULT"])
    assert event["notificationData"]["paymentAmount"] == amount


async def test_a_dispute_is_read_back_and_told_where_the_client_wants_it_by_now(
    shop: Shop, database: Database
) -> None:
    """Neither the payment nor the client had an address. No word is lost: silence would lose the money."""
    paid = await shop.pay()
    dispute = flows.OpenDispute(
        merchant_id=shop.world.merchant_id,
        payment_id=UUID(paid["paymentId"]),
        dispute_id=new_id(),
        kind=acquiring.DisputeKind.CHARGEBACK,
        amount=Money(1250, "EUR"),
        reason_code="4853",
        reason="not as described",
        due_at=now() + timedelta(days=14),
    )
    await aside(shop.world.do, dispute, now())
    assert await listed(shop, notifyType=["DISPUTE_JUDGED", "PAYMENT_RESULT"]) == []
    hands = Hands(database.url)
    await hands.round(now())
    [event] = await listed(shop, notifyType=["DISPUTE_CREATED"])
    assert event["deliveryStatus"] == "PENDING"
    said = event["notificationData"]
    assert (said["disputeNotificationType"], said["paymentRequestId"]) == ("DISPUTE_CREATED", "R1")
    await shop.call("acceptDispute", disputeId=dispute.dispute_id.hex)
    with Merchant() as merchant:
        await aside(identity.set_notify_url, CLIENT, merchant.url)
        await hands.round(now() + timedelta(minutes=5))
        await hands.close()
    kinds = ["DISPUTE_ACCEPTED", "DISPUTE_CREATED"]
    told = {one.message["disputeNotificationType"]: one.message for one in merchant.heard}
    assert (sorted(told), told["DISPUTE_CREATED"]) == (kinds, said)
    found = await listed(shop)
    assert [one["notifyType"] for one in found] == kinds
    assert {one["deliveryStatus"] for one in found} == {"DELIVERED"}
    assert [one["notificationData"] for one in found] == [told[kind] for kind in kinds]
    assert [one["notifyType"] for one in await listed(shop, notifyType=kinds[1:])] == kinds[1:]


async def test_agreements_and_subscriptions_are_listed_and_no_token_is(
    shop: Shop, database: Database
) -> None:
    hands = Hands(database.url)
    with Merchant(reply(500)) as merchant:
        await aside(identity.set_notify_url, CLIENT, merchant.url)
        tokens, _ = await agreed(shop, merchant.url)
        for minutes in (0, 5):
            await hands.round(now() + timedelta(minutes=minutes))
        await hands.close()
    assert [one.message["accessToken"] for one in merchant.heard] == [tokens.access_token] * 2
    [event] = await listed(shop)
    assert (event["notifyType"], event["deliveryStatus"]) == ("TOKEN_CREATED", "DELIVERED")
    assert event["notificationData"]["authorizationNotifyType"] == "TOKEN_CREATED"
    assert tokens.access_token not in json.dumps(event)
    assert await aside(outbox_words) == [None], "a token is stored nowhere"
    assert await listed(shop, notifyType=["TOKEN_CANCELED", "CREATE"]) == []


def outbox_words() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM db_outbox")
        return [row[0] for row in cursor.fetchall()]
