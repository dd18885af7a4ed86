"""What a till reads when a risk rule holds, through the signed door and with the official SDK."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from comptoir.flows import api as flows
from comptoir.risk import api as risk

from .shop import Shop, aside, code_of, now
from .world import count, money_moved

pytestmark = pytest.mark.anyio


async def activate(**rule: Any) -> None:
    source = risk.checked({"rules": [{"id": "secret-name", **rule}]})
    await aside(flows.activate_rules, source, "", now() - timedelta(minutes=1))


async def test_a_refused_payment_is_told_so_and_always_the_same(shop: Shop) -> None:
    await activate(action="refuse", countries=["BE"])
    code = await aside(shop.world.code, now())
    before = await aside(money_moved)
    answers = [await shop.pay(code=code) for _ in range(3)]
    assert code_of(answers[0]) == ("RISK_REJECT", "F")
    assert answers[0] == answers[1] == answers[2]
    assert "secret-name" not in str(answers[0]), "nobody is told how to get around a rule"
    assert await aside(money_moved) == before
    assert await aside(count, "risk_entry") == 1
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert (code_of(found), found["paymentStatus"]) == (("SUCCESS", "S"), "FAIL")
    assert found["paymentResultCode"] == "RISK_REJECT"
    assert code_of(await shop.pay(value="1300", code=code))[0] == "REPEAT_REQ_INCONSISTENT"


async def test_a_payment_that_is_asked_the_pin_for_waits_and_is_paid(shop: Shop) -> None:
    await activate(action="ask_pin", currency="EUR", above="1.00")
    before = await aside(money_moved)
    assert code_of(await shop.pay()) == ("PAYMENT_IN_PROCESS", "U")
    assert await aside(money_moved) == before
    await aside(shop.world.confirm, now())
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert found["paymentStatus"] == "SUCCESS"


async def test_a_limit_counts_what_was_paid(shop: Shop) -> None:
    await activate(action="refuse", per="merchant", payments=1, within="1h")
    assert code_of(await shop.pay()) == ("SUCCESS", "S")
    code = await aside(shop.world.code, now() + timedelta(seconds=30))
    assert code_of(await shop.pay(paymentRequestId="R2", code=code)) == ("RISK_REJECT", "F")
