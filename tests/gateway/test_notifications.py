"""inquireNotification and inquireNotificationList, through the signed door and with the official classes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

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
from comptoir.flows.notifications.bodies import payment_body

from .shop import Request, Shop, aside, code_of, now
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
    first, second = await listed(shop)
    assert (first["notifyType"], second["notifyType"]) == ("PAYMENT_RESULT", "REFUND_RESULT")
    assert {first["deliveryStatus"], second["deliveryStatus"]} == {"PROCESSING"}
    assert first["notificationData"] == json.loads(await aside(body_of, paid["paymentId"]))
    assert second["notificationData"]["refundRequestId"] == "F1"
    await aside(end, first["eventId"], "done_at")
    await aside(end, second["eventId"], "dead_at")
    assert [one["deliveryStatus"] for one in await listed(shop)] == ["SUCCESS", "FAIL"]
    alone = await ask(shop, "inquireNotification", eventId=first["eventId"])
    assert alone["notification"] == first | {"deliveryStatus": "SUCCESS"}
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
    assert seen == ["R0", "R1", "R2", "R3", "R4"]
    assert "nextStartingAfter" not in answer


async def test_a_window_and_a_kind(shop: Shop) -> None:
    await pay(shop, 1)
    soon, ago = (now() + timedelta(minutes=1)).isoformat(), (now() - timedelta(minutes=1)).isoformat()
    assert len(await listed(shop, eventCreateTimeFrom=ago, eventCreateTimeTo=soon)) == 1
    assert await listed(shop, eventCreateTimeFrom=soon) == []
    assert await listed(shop, eventCreateTimeTo=ago) == []
    assert await listed(shop, notifyType=["REFUND_RESULT"]) == []
    assert len(await listed(shop, notifyType=["PAYMENT_RESULT", "REFUND_RESULT"])) == 1
    assert len(await listed(shop, eventCreateTimeFrom="0001-01-01T00:00:00Z")) == 1


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
    assert found.notification.notification_data["paymentRequestId"] == "R1"
    assert found.notification.delivery_status == "PROCESSING"
