"""What is asked of subscriptions: lists with their filters, pages, and what was paid."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from com.alipay.ams.api.request.subscription.alipay_inquire_subscription_payment_request import (
    AlipayInquireSubscriptionPaymentRequest,
)
from com.alipay.ams.api.response.subscription.alipay_inquire_subscription_payment_response import (
    AlipayInquireSubscriptionPaymentResponse,
)
from django.db import connection

from comptoir.acquiring import api as acquiring
from comptoir.flows import api as flows
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet

from .shop import Shop, aside, code_of, now
from .test_subscriptions import call, renew_all, subscribed
from .world import World

pytestmark = pytest.mark.anyio


def backdate(ref: str, days: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE acquiring_subscription SET start_at = now() - make_interval(days => %s)"
            " WHERE request_ref = %s",
            [days, ref],
        )


async def test_a_list_holds_what_was_asked_for(shop: Shop) -> None:
    yen = {"paymentAmount": {"currency": "JPY", "value": "900"}}
    weekly = {"periodRule": {"periodType": "WEEK", "periodCount": 1}}
    any_wallet = {"paymentMethod": {"paymentMethodType": "CONNECT_WALLET"}}
    await subscribed(shop, "EUR")
    await subscribed(shop, "JPY", **yen)
    await subscribed(shop, "WEEK", **weekly, **any_wallet)
    await subscribed(shop, "OPEN", agreed=False)
    over = await subscribed(shop, "OVER", **yen)
    await call(shop, "cancel", subscriptionId=over, cancellationType="CANCEL")
    await subscribed(shop, "OLD")
    await aside(backdate, "OLD", 8)

    async def refs(**asked: Any) -> list[str]:
        found = await call(shop, "inquireSubscriptionList", **asked)
        assert code_of(found) == ("SUCCESS", "S")
        assert found["paginator"]["totalCount"] == len(found["subscriptions"])
        return sorted(one["subscriptionRequestId"] for one in found["subscriptions"])

    month = (now() - timedelta(days=30)).isoformat(timespec="seconds")
    week = (now() - timedelta(days=7)).isoformat(timespec="seconds")
    recent = ["EUR", "JPY", "OVER", "WEEK"]
    for asked, expected in (
        ({}, recent),
        ({"statuses": [], "currencies": [], "periodTypes": None, "merchantAccountId": "LEROY"}, recent),
        ({"startTimeFrom": month}, ["EUR", "JPY", "OLD", "OVER", "WEEK"]),
        ({"startTimeFrom": month, "startTimeTo": week}, ["OLD"]),
        ({"statuses": ["ACTIVE"]}, ["EUR", "JPY", "WEEK"]),
        ({"statuses": ["CANCELLED", "TERMINATED"]}, ["OVER"]),
        ({"currencies": ["JPY"]}, ["JPY", "OVER"]),
        ({"currencies": ["USD"]}, []),
        ({"currencies": ["JPY", "EUR"], "statuses": ["ACTIVE"], "periodTypes": ["MONTH"]}, ["EUR", "JPY"]),
        ({"periodTypes": ["WEEK", "YEAR"]}, ["WEEK"]),
        ({"paymentMethodTypes": ["CONNECT_WALLET"]}, ["WEEK"]),
        ({"paymentMethodTypes": ["GCASH"]}, []),
    ):
        assert await refs(**asked) == expected, asked


async def test_a_list_comes_in_pages_of_ten(shop: Shop) -> None:
    for number in range(12):
        await subscribed(shop, f"S{number:02}", agreed=False)
        await call(shop, "cancel", subscriptionRequestId=f"S{number:02}", cancellationType="TERMINATE")
        await aside(backdate, f"S{number:02}", 1)
    pages = [await call(shop, "inquireSubscriptionList", currentPage=number) for number in (1, 2, 3)]
    assert [len(page["subscriptions"]) for page in pages] == [10, 2, 0]
    refs = [one["subscriptionRequestId"] for page in pages for one in page["subscriptions"]]
    assert refs == [f"S{number:02}" for number in range(12)], "the earliest start first"
    assert pages[1]["paginator"] == {"currentPage": 2, "pageSize": 10, "totalPage": 2, "totalCount": 12}


@pytest.mark.parametrize(
    ("name", "asked", "named"),
    [
        ("inquireSubscriptionList", {"statuses": ["ACTIVE", "EXPIRED"]}, "statuses["),
        ("inquireSubscriptionList", {"periodTypes": ["FORTNIGHT"]}, "periodTypes["),
        ("inquireSubscriptionList", {"currencies": ["euro"]}, "currencies"),
        ("inquireSubscriptionList", {"currencies": ["eur"]}, "currencies"),
        ("inquireSubscriptionList", {"startTimeTo": "2020-01-01T00:00:00Z"}, "startTimeFrom"),
        ("inquireSubscriptionList", {"pageSize": 101}, "pageSize"),
        ("inquireSubscriptionList", {"merchantAccountId": "OTHER"}, "merchantAccountId"),
        ("inquireSubscription", {"subscriptionId": "x", "merchantAccountId": "OTHER"}, "merchantAccountId"),
        (
            "inquireSubscriptionPayment",
            {"subscriptionId": "x", "merchantAccountId": "OTHER"},
            "merchantAccountId",
        ),
        (
            "inquireSubscriptionPayment",
            {"subscriptionId": "x", "paymentStatuses": ["PAID"]},
            "paymentStatuses[",
        ),
    ],
)
async def test_a_filter_that_cannot_be_is_told(
    shop: Shop, name: str, asked: dict[str, Any], named: str
) -> None:
    answer = await call(shop, name, **asked)
    assert code_of(answer) == ("PARAM_ILLEGAL", "F")
    assert answer["result"]["resultMessage"].startswith(named)
    assert answer.keys() == {"result"}


def dispute(world: World, payment_id: str) -> UUID:
    """A claim of a part of a payment."""
    made = new_id()
    command = flows.OpenDispute(
        merchant_id=world.merchant_id,
        payment_id=UUID(payment_id),
        dispute_id=made,
        kind=acquiring.DisputeKind.CHARGEBACK,
        amount=Money(10, "EUR"),
        reason_code="10.4",
        reason="not me",
        due_at=now() + timedelta(days=7),
    )
    world.do(command, now())
    return made


async def test_the_payments_of_a_subscription_by_status_and_with_their_dispute(shop: Shop) -> None:
    known = await subscribed(shop, "S1")
    await aside(wallet.freeze, shop.world.wallet_id)
    await aside(renew_all, shop.world)
    await aside(wallet.unfreeze, shop.world.wallet_id)

    def try_again() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE acquiring_subscription SET next_at = now()")
        renew_all(shop.world)

    await aside(try_again)
    failed, paid = (await call(shop, "inquireSubscriptionPayment", subscriptionId=known))["payments"]
    assert (failed["status"], paid["status"]) == ("FAIL", "SUCCESS")
    assert "paymentTime" not in failed
    claims = [await aside(dispute, shop.world, paid["paymentId"]) for _ in range(2)]
    for statuses, expected in (
        (["SUCCESS"], [(paid["paymentId"], claims[1].hex)]),
        (["FAIL", "PROCESSING"], [(failed["paymentId"], None)]),
        (["CANCELLED"], []),
        ([], [(failed["paymentId"], None), (paid["paymentId"], claims[1].hex)]),
    ):
        ask = AlipayInquireSubscriptionPaymentRequest()
        ask.subscription_id, ask.payment_statuses = known, statuses
        found = await shop.execute(ask)
        read = AlipayInquireSubscriptionPaymentResponse(json.dumps(found))
        assert [(one.payment_id, one.dispute_id) for one in read.payments] == expected, statuses
        assert found["paginator"]["totalCount"] == len(expected)
