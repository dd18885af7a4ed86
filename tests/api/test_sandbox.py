"""The table of docs/recipes/sandbox.md, through the API, with real gateways and a real worker."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comptoir.wallet.connectors.simulator import Behavior
from tests.api.support import House, Shop
from tests.cli.processes import wait_for

pytestmark = pytest.mark.slow

SUCCESS = ("SUCCESS", "S")
IN_PROCESS = ("PAYMENT_IN_PROCESS", "U")
PAGE = Path(__file__).parents[2] / "docs" / "recipes" / "sandbox.md"

#: number: (first answer, what the payment becomes, the code it became so by)
TABLE = {
    0: (SUCCESS, "SUCCESS", "SUCCESS"),
    1: (("USER_BALANCE_NOT_ENOUGH", "F"), "FAIL", "USER_BALANCE_NOT_ENOUGH"),
    2: (IN_PROCESS, "SUCCESS", "SUCCESS"),
    3: (IN_PROCESS, "FAIL", "USER_PAYMENT_VERIFICATION_FAILED"),
    4: (IN_PROCESS, "SUCCESS", "SUCCESS"),
    5: (IN_PROCESS, "FAIL", "USER_BALANCE_NOT_ENOUGH"),
    6: (IN_PROCESS, "FAIL", "ORDER_IS_CLOSED"),
}


@pytest.fixture(scope="module")
def shop(house: House) -> Shop:
    return house.shop(sandbox=True)


def status(house: House, shop: Shop, ref: str) -> str:
    house.hurry()
    return str(shop.till.inquire(ref)["paymentStatus"])


@pytest.mark.parametrize("number", TABLE)
@pytest.mark.parametrize("by", ["code", "amount"])
def test_the_number_says_what_happens(house: House, shop: Shop, number: int, by: str) -> None:
    ref = f"{by}{number}"
    code = f"2588000000000000{number:02d}" if by == "code" else "281234567812345678"
    value = "1250" if by == "code" else f"12{number:02d}"
    first, becomes, reason = TABLE[number]
    assert shop.till.pay(ref, code, value).kind == first
    wait_for(lambda: status(house, shop, ref) == becomes)
    assert shop.till.inquire(ref)["paymentResultCode"] == reason
    house.assert_holds()


def test_a_success_after_the_cancellation_changes_nothing(house: House, shop: Shop) -> None:
    assert shop.till.pay("late", "258800000000000008").kind == IN_PROCESS
    assert shop.till.cancel("late").kind == SUCCESS
    assert status(house, shop, "late") == "CANCELLED"
    wait_for(lambda: (house.hurry(), house.outbox("issuer.reverse", done=False) == 0)[1])
    assert status(house, shop, "late") == "CANCELLED"
    house.assert_holds()


def test_orders_pay_themselves_and_refunds_are_given(house: House, shop: Shop) -> None:
    order = shop.till.pay("order", None, "1250")
    assert order.kind == IN_PROCESS
    assert order["orderCodeForm"]["codeDetails"]
    wait_for(lambda: status(house, shop, "order") == "SUCCESS")
    assert shop.till.refund("F1", order["paymentId"], "300").kind == SUCCESS
    assert shop.till.refund("F2", order["paymentId"], "101").status == "F"
    assert shop.till.refund("F3", order["paymentId"], "104").kind == ("REFUND_IN_PROCESS", "U")
    found = {"refundRequestId": "F3"}
    wait_for(
        lambda: (house.hurry(), shop.till.call("inquiryRefund", found)["refundStatus"] == "SUCCESS")[1], 60
    )
    house.assert_holds()


def test_a_test_client_never_reaches_a_real_wallet_nor_a_real_client_a_simulated_one(
    house: House, shop: Shop
) -> None:
    li, real = house.traveller(), house.shop()
    code = li.code()
    assert shop.till.pay("real-code", code).kind == SUCCESS  # simulated: the code was not even looked at
    assert li.purse == 1_000_000
    assert real.till.pay("R1", code).kind == SUCCESS
    assert real.till.pay("R2", "258800000000000000").kind == ("INVALID_PAYMENT_CODE", "F")
    strangers = house.till(real.merchant_id, prefix="SANDBOX_"), house.till(shop.merchant_id)
    for till in strangers:
        with house.unmoved():
            assert till.pay("R3", "258800000000000000").kind == ("INVALID_MERCHANT_STATUS", "F")
            assert till.pay("R4", None).kind == ("INVALID_MERCHANT_STATUS", "F")


def test_the_page_has_every_number() -> None:
    table = re.findall(r"^\| `([0-9]{2})` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert [int(one) for one in table] == [one.value for one in Behavior]
