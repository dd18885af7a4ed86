"""Subscriptions through the signed door, with the official SDK's own request and response classes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from com.alipay.ams.api.model.amount import Amount
from com.alipay.ams.api.model.order_info import OrderInfo
from com.alipay.ams.api.model.payment_method import PaymentMethod
from com.alipay.ams.api.model.period_rule import PeriodRule
from com.alipay.ams.api.model.settlement_strategy import SettlementStrategy
from com.alipay.ams.api.model.trial import Trial
from com.alipay.ams.api.request.subscription.alipay_inquire_subscription_list_request import (
    AlipayInquireSubscriptionListRequest,
)
from com.alipay.ams.api.request.subscription.alipay_inquire_subscription_payment_request import (
    AlipayInquireSubscriptionPaymentRequest,
)
from com.alipay.ams.api.request.subscription.alipay_inquire_subscription_request import (
    AlipayInquireSubscriptionRequest,
)
from com.alipay.ams.api.request.subscription.alipay_subscription_cancel_request import (
    AlipaySubscriptionCancelRequest,
)
from com.alipay.ams.api.request.subscription.alipay_subscription_create_request import (
    AlipaySubscriptionCreateRequest,
)
from com.alipay.ams.api.response.subscription.alipay_inquire_subscription_payment_response import (
    AlipayInquireSubscriptionPaymentResponse,
)
from com.alipay.ams.api.response.subscription.alipay_subscription_create_response import (
    AlipaySubscriptionCreateResponse,
)

from comptoir.acquiring import api as acquiring
from comptoir.db.run import read
from comptoir.flows import api as flows

from .shop import PATHS, Request, Shop, aside, code_of, now
from .world import CLIENT, OTHER_CLIENT, World, count, money_moved

pytestmark = pytest.mark.anyio


def asks(start: datetime) -> AlipaySubscriptionCreateRequest:
    request = AlipaySubscriptionCreateRequest()
    request.subscription_request_id = "S1"
    request.subscription_description = "chocolate every month"
    request.subscription_redirect_url = "https://shop.example/thanks"
    request.subscription_notification_url = "https://shop.example/notify"
    request.payment_notification_url = "https://shop.example/notify"
    request.subscription_start_time = start.isoformat(timespec="seconds")
    request.period_rule = PeriodRule()
    request.period_rule.period_type, request.period_rule.period_count = "MONTH", 1
    request.payment_method = PaymentMethod()
    request.payment_method.payment_method_type = "ALIPAY_CN"
    request.payment_amount = Amount("EUR", "1000")
    request.order_info = OrderInfo()
    request.order_info.order_amount = Amount("EUR", "1000")
    request.settlement_strategy = SettlementStrategy()
    request.settlement_strategy.settlement_currency = "EUR"
    trial = Trial()
    trial.trial_amount, trial.trial_start_period = Amount("EUR", "100"), 1
    request.trials = [trial]
    return request


async def call(shop: Shop, name: str, client_id: str = CLIENT, /, **body: Any) -> dict[str, Any]:
    return await shop.execute(Request(PATHS.replace("payments", "subscriptions") + name, body), client_id)


def plain(**changes: Any) -> dict[str, Any]:
    return {
        "subscriptionRequestId": "S1",
        "subscriptionDescription": "chocolate",
        "subscriptionRedirectUrl": "https://shop.example/thanks",
        "subscriptionStartTime": (now() + timedelta(hours=1)).isoformat(timespec="seconds"),
        "periodRule": {"periodType": "MONTH", "periodCount": "1"},
        "paymentMethod": {"paymentMethodType": "ALIPAY_CN"},
        "paymentAmount": {"currency": "EUR", "value": "1000"},
    } | changes


def trial(first: int, last: int | None = None) -> dict[str, Any]:
    ends = {} if last is None else {"trialEndPeriod": last}
    return {"trialAmount": {"currency": "EUR", "value": "0"}, "trialStartPeriod": first, **ends}


def approve(world: World, url: str) -> None:
    code = url.rpartition("/")[2]
    world.do(flows.ApproveAgreement(consent_code=code, wallet_id=world.wallet_id), now())


def renew_all(world: World) -> None:
    for row in read(acquiring.due_subscriptions(now(), 10)):
        command = flows.Renew(
            merchant_id=row[0], subscription_id=row[1], client_ref=row[2], phase=row[3], attempt=row[4]
        )
        world.do(command, now())


async def test_create_approve_pay_inquire_change_and_cancel(shop: Shop) -> None:
    request = asks(now())
    page = AlipaySubscriptionCreateResponse(json.dumps(await shop.execute(request)))
    assert (page.result.result_code, page.result.result_status.value) == ("SUCCESS", "S")
    again = await shop.execute(request)
    assert again["normalUrl"] == page.normal_url
    assert "subscriptionStatus" not in await call(shop, "inquiry", subscriptionRequestId="S1")
    await aside(approve, shop.world, page.normal_url)

    known = await call(shop, "inquiry", subscriptionRequestId="S1")
    assert (known["subscriptionStatus"], known["allowRetry"]) == ("ACTIVE", "true")
    assert known["periodRule"] == {"periodType": "MONTH", "periodCount": 1}
    subscription_id = known["subscriptionId"]
    await aside(renew_all, shop.world)
    moved = {row[:2]: row[2] for row in await aside(money_moved)}
    assert moved[("merchant.payable", "EUR")] == 100, "the trial's amount"

    ask = AlipayInquireSubscriptionPaymentRequest()
    ask.subscription_id = subscription_id
    paid = await shop.execute(ask)
    read = AlipayInquireSubscriptionPaymentResponse(json.dumps(paid))
    [first] = read.payments
    assert (first.phase_no, first.status, first.payment_method.payment_method_type) == (
        1,
        "SUCCESS",
        "ALIPAY_CN",
    )
    assert (first.payment_amount.value, first.dispute_id) == ("100", None)
    assert paid["paginator"] == {"currentPage": 1, "pageSize": 10, "totalPage": 1, "totalCount": 1}
    one = AlipayInquireSubscriptionRequest()
    one.subscription_id = subscription_id
    found = (await shop.execute(one))["subscription"]
    assert (found["status"], found["currentPhaseNo"]) == ("ACTIVE", 1)
    every = AlipayInquireSubscriptionListRequest()
    every.statuses, every.page_size = ["ACTIVE"], 5
    assert [one["subscriptionId"] for one in (await shop.execute(every))["subscriptions"]] == [
        subscription_id
    ]

    changed = {"subscriptionId": subscription_id, "paymentAmount": {"currency": "EUR", "value": "900"}}
    for _ in range(2):
        answer = await call(shop, "change", subscriptionChangeRequestId="C1", **changed)
        assert code_of(answer) == ("SUCCESS", "S")
    more = changed | {"paymentAmount": {"currency": "EUR", "value": "1001"}}
    answer = await call(shop, "update", subscriptionUpdateRequestId="U1", **more)
    assert code_of(answer) == ("PAYMENT_AMOUNT_EXCEED_LIMIT", "F")

    end = AlipaySubscriptionCancelRequest()
    end.subscription_id, end.cancellation_type = subscription_id, "CANCEL"
    for _ in range(2):
        assert code_of(await shop.execute(end)) == ("SUCCESS", "S")
    assert (await call(shop, "inquiry", subscriptionId=subscription_id))["subscriptionStatus"] == "CANCELLED"


async def subscribed(shop: Shop, ref: str, agreed: bool = True, **changes: Any) -> str:
    """A subscription that has begun a minute ago, and that its traveller has approved if `agreed`."""
    begun = (now() - timedelta(minutes=1)).isoformat(timespec="seconds")
    page = await call(
        shop, "create", **plain(subscriptionRequestId=ref, subscriptionStartTime=begun, **changes)
    )
    assert code_of(page) == ("SUCCESS", "S")
    if agreed:
        await aside(approve, shop.world, page["normalUrl"])
    known = await call(shop, "inquiry", subscriptionRequestId=ref)
    return str(known["subscriptionId"])


async def test_what_nobody_has_approved_can_be_withdrawn(shop: Shop) -> None:
    body = plain()
    page = await call(shop, "create", **body)
    before = await aside(money_moved)
    end = {"subscriptionRequestId": "S1", "cancellationType": "TERMINATE"}
    for _ in range(2):
        assert code_of(await call(shop, "cancel", **end)) == ("SUCCESS", "S")
    assert (await call(shop, "inquiry", subscriptionRequestId="S1"))["subscriptionStatus"] == "TERMINATED"
    await aside(approve, shop.world, page["normalUrl"])
    assert (await call(shop, "inquiry", subscriptionRequestId="S1"))["subscriptionStatus"] == "TERMINATED"
    assert code_of(await call(shop, "create", **body)) == ("ORDER_IS_CLOSED", "F")
    assert await aside(money_moved) == before


async def test_the_date_of_the_next_period_is_within_one(shop: Shop) -> None:
    known = await subscribed(shop, "S1")
    for number, days in enumerate((0.5, 90)):
        answer = await call(
            shop,
            "update",
            subscriptionUpdateRequestId=f"U{number}",
            subscriptionId=known,
            nextSubscriptionDate=(now() + timedelta(days=days)).isoformat(timespec="seconds"),
        )
        assert code_of(answer) == ("PROCESS_FAIL", "F")
        assert answer["result"]["resultMessage"].startswith("nextSubscriptionDate")


async def test_the_running_period_is_told_after_the_next_was_moved(shop: Shop) -> None:
    known = await subscribed(shop, "S1")
    await aside(renew_all, shop.world)

    async def period() -> tuple[str, str]:
        info = (await call(shop, "inquireSubscription", subscriptionId=known))["subscription"]
        return info["currentPeriodStart"], info["currentPeriodEnd"]

    begins, ends = await period()
    week = {"periodType": "WEEK", "periodCount": 1}
    changed = await call(
        shop, "change", subscriptionChangeRequestId="X", subscriptionId=known, periodRule=week
    )
    assert code_of(changed) == ("SUCCESS", "S")
    assert await period() == (begins, ends)
    moved = (now() + timedelta(days=3)).replace(microsecond=0)
    updated = await call(
        shop,
        "update",
        subscriptionUpdateRequestId="X",
        subscriptionId=known,
        nextSubscriptionDate=moved.isoformat(),
    )
    assert code_of(updated) == ("SUCCESS", "S"), "its request ids are its own"
    begins_now, ends_now = await period()
    assert (begins_now, datetime.fromisoformat(ends_now)) == (begins, moved)


async def test_a_subscription_is_one_merchants(shop: Shop) -> None:
    page = await call(shop, "create", **plain())
    await aside(approve, shop.world, page["normalUrl"])
    known = (await call(shop, "inquiry", subscriptionRequestId="S1"))["subscriptionId"]
    for name, body in (
        ("inquiry", {"subscriptionId": known}),
        ("inquireSubscription", {"subscriptionId": known}),
        ("inquireSubscriptionPayment", {"subscriptionId": known}),
        ("cancel", {"subscriptionId": known, "cancellationType": "TERMINATE"}),
        ("change", {"subscriptionId": known, "subscriptionChangeRequestId": "C1"}),
    ):
        answer = await call(shop, name, OTHER_CLIENT, **body)
        assert code_of(answer) == ("ORDER_NOT_EXIST", "F"), name
        assert answer.keys() == {"result"}
    assert (await call(shop, "inquireSubscriptionList", OTHER_CLIENT))["paginator"]["totalCount"] == 0
    assert (await call(shop, "inquiry", subscriptionId=known))["subscriptionStatus"] == "ACTIVE"


@pytest.mark.parametrize(
    ("changed", "code", "named"),
    [
        ({"periodRule": {"periodType": "FORTNIGHT", "periodCount": 1}}, "PARAM_ILLEGAL", "periodType"),
        ({"periodRule": {"periodType": "MONTH", "periodCount": 0}}, "PARAM_ILLEGAL", "periodCount"),
        ({"subscriptionStartTime": "tomorrow"}, "PARAM_ILLEGAL", "subscriptionStartTime"),
        ({"subscriptionStartTime": "2020-01-01T00:00:00Z"}, "PARAM_ILLEGAL", "subscriptionStartTime"),
        ({"subscriptionEndTime": "2020-01-01T00:00:00Z"}, "PARAM_ILLEGAL", "subscriptionEndTime"),
        ({"paymentAmount": {"currency": "EUR", "value": "0"}}, "PARAM_ILLEGAL", "paymentAmount"),
        ({"paymentAmount": {"currency": "USD", "value": "1"}}, "CURRENCY_NOT_SUPPORT", "paymentAmount"),
        ({"subscriptionRedirectUrl": "javascript:alert(1)"}, "PARAM_ILLEGAL", "subscriptionRedirectUrl"),
        ({"paymentMethod": {"paymentMethodType": "GCASH"}}, "UNAVAILABLE_PAYMENT_METHOD", "paymentMethod"),
        ({"allowAccumulate": True}, "BUSINESS_NOT_SUPPORT", "allowAccumulate"),
        ({"trials": [trial(0)]}, "PARAM_ILLEGAL", "trials"),
        ({"trials": [trial(1, 3), trial(3)]}, "PARAM_ILLEGAL", "trials must not overlap"),
        ({"trials": [trial(4), trial(1, 9)]}, "PARAM_ILLEGAL", "trials must not overlap"),
        ({"trials": [trial(2), trial(2)]}, "PARAM_ILLEGAL", "trials must not overlap"),
    ],
)
async def test_a_subscription_that_is_wrong_is_told_where(
    shop: Shop, changed: dict[str, Any], code: str, named: str
) -> None:
    answer = await call(shop, "create", **plain(**changed))
    assert code_of(answer) == (code, "F")
    assert named in answer["result"]["resultMessage"]
    assert await aside(count, "acquiring_subscription") == 0
    assert await aside(count, "acquiring_agreement") == 0
