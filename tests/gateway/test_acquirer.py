"""The Alipay+ family: an acquirer pays with our wallet for merchants of its own."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from comptoir.identity import api as identity
from comptoir.kernel.ids import new_id
from comptoir.standards.antom import signing

from .shop import Request, Shop, aside, code_of, now
from .world import CLIENT, OTHER_CLIENT, World, count, money_moved

pytestmark = pytest.mark.anyio

PATHS = "/aps/api/v1/payments/"
ACQUIRER = "5Y0000000000077"
SUCCESS = ("SUCCESS", "S")


def body(world: World, **changed: Any) -> dict[str, Any]:
    """A payment at the counter of an acquirer's merchant, by a fresh code, for 12.50 EUR."""
    amount = {"currency": "EUR", "value": changed.pop("value", "1250")}
    return {
        "paymentRequestId": "R1",
        "order": {
            "referenceOrderId": "O1",
            "orderDescription": "巧克力",
            "orderAmount": amount,
            "merchant": {
                "referenceMerchantId": "THEIRS-7",
                "merchantMCC": "5441",
                "merchantName": "Confiserie Lambert SA",
                "merchantDisplayName": "Confiserie Lambert",
            },
        },
        "paymentAmount": amount,
        "paymentMethod": {"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": world.code(now())},
        "paymentFactor": {"isInStorePayment": "true", "inStorePaymentScenario": "PaymentCode"},
    } | changed


@pytest.fixture
async def acquirer(shop: Shop, key: rsa.RSAPrivateKey) -> Shop:
    public = signing.export_public_key(key.public_key())
    await aside(
        lambda: identity.register_client(ACQUIRER, shop.world.merchant_id, public, now=now(), acquirer=True)
    )
    return shop


async def call(shop: Shop, name: str, client: str = ACQUIRER, **sent: Any) -> dict[str, Any]:
    return await shop.execute(Request(PATHS + name, sent), client)


async def pay(shop: Shop, **changed: Any) -> dict[str, Any]:
    return await call(shop, "pay", **await aside(lambda: body(shop.world, **changed)))


async def test_an_acquirer_is_paid_for_its_merchant(acquirer: Shop) -> None:
    asked = await aside(lambda: body(acquirer.world))
    paid = await call(acquirer, "pay", **asked)
    assert code_of(paid) == SUCCESS
    assert (paid["pspId"], paid["acquirerId"]) == ("COMPTOIR", acquirer.world.merchant_id.hex)
    assert paid["paymentAmount"] == {"currency": "EUR", "value": "1250"}
    assert paid["actualPaymentAmount"] == {"currency": "CNY", "value": "10050"}
    moved = await aside(money_moved)
    assert await call(acquirer, "pay", **asked) == paid
    for found in ({"paymentRequestId": "R1"}, {"paymentId": paid["paymentId"]}):
        known = await call(acquirer, "inquiryPayment", **found)
        assert code_of(known) == SUCCESS
        assert known["paymentResult"]["resultStatus"] == "S"
        assert (known["paymentId"], known["walletBrandName"]) == (paid["paymentId"], "COMPTOIR")
        assert known["settlementAmount"] == paid["paymentAmount"]
        assert known["paymentTime"] == paid["paymentTime"]
    assert await aside(money_moved) == moved
    assert await aside(payees) == ["Confiserie Lambert"]


def payees() -> list[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT payee FROM wallet_authorization")
        return [row[0] for row in cursor.fetchall()]


async def test_a_refusal_is_the_payments_and_not_the_inquirys(acquirer: Shop) -> None:
    refused = await pay(acquirer, value="50000000")
    assert code_of(refused) == ("PAYMENT_AMOUNT_EXCEED_LIMIT", "F")
    known = await call(acquirer, "inquiryPayment", paymentRequestId="R1")
    assert code_of(known) == SUCCESS
    assert known["paymentResult"]["resultCode"] == "PAYMENT_AMOUNT_EXCEED_LIMIT"
    assert known["paymentResult"]["resultStatus"] == "F"
    assert "actualPaymentAmount" not in known


async def test_refunds_and_cancellations_by_either_name(acquirer: Shop) -> None:
    await pay(acquirer)
    back = {"currency": "EUR", "value": "250"}
    given = await call(acquirer, "refund", refundRequestId="F1", paymentRequestId="R1", refundAmount=back)
    assert code_of(given) == SUCCESS
    assert (given["refundAmount"], given["settlementAmount"]) == (back, back)
    known = await call(acquirer, "inquiryPayment", paymentRequestId="R1")
    again = await call(
        acquirer, "refund", refundRequestId="F1", paymentId=known["paymentId"], refundAmount=back
    )
    assert again == given
    assert [one["transactionId"] for one in known["transactions"]] == [given["refundId"]]
    assert code_of(await call(acquirer, "cancelPayment", paymentRequestId="R1")) == ("PROCESS_FAIL", "F")
    await pay(acquirer, paymentRequestId="R2")
    undone = await call(acquirer, "cancelPayment", paymentRequestId="R2")
    assert code_of(undone) == SUCCESS
    assert await call(acquirer, "cancelPayment", paymentId=undone["paymentId"]) == undone
    known = await call(acquirer, "inquiryPayment", paymentRequestId="R2")
    assert known["paymentResult"]["resultCode"] == "ORDER_IS_CANCELED"


async def test_an_order_code_and_a_cashier_page(acquirer: Shop) -> None:
    method = {"paymentMethodType": "CONNECT_WALLET"}
    order = await pay(
        acquirer,
        paymentMethod=method,
        paymentFactor={"isInStorePayment": True, "inStorePaymentScenario": "OrderCode"},
    )
    assert code_of(order) == ("PAYMENT_IN_PROCESS", "U")
    address = order["orderCodeForm"]["codeDetails"][0]["codeValue"]
    await aside(acquirer.world.scan, address, now())
    known = await call(acquirer, "inquiryPayment", paymentRequestId="R1")
    assert known["paymentResult"]["resultStatus"] == "S"
    online = await pay(
        acquirer,
        paymentRequestId="R2",
        paymentMethod=method,
        paymentFactor={"isCashierPayment": True},
        paymentRedirectUrl="https://theirs.example/back",
    )
    assert online["normalUrl"].startswith("http")
    known = await call(acquirer, "inquiryPayment", paymentRequestId="R2")
    assert known["paymentResult"]["resultStatus"] == "U"


NOBODY = {
    "referenceOrderId": "O",
    "orderDescription": "d",
    "orderAmount": {"currency": "EUR", "value": "1"},
}
ANY = {"paymentMethodType": "CONNECT_WALLET"}
FOREIGN = {"paymentMethodType": "GCASH", "paymentMethodId": "281"}
EVALUATION = {"isInStorePayment": True, "isPaymentEvaluation": True, "inStorePaymentScenario": "PaymentCode"}
ENTRY = {"isInStorePayment": True, "inStorePaymentScenario": "EntryCode"}


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"order": NOBODY}, "PARAM_ILLEGAL", "order.merchant"),
        ({"paymentFactor": {}}, "PARAM_ILLEGAL", "paymentFactor"),
        ({"paymentFactor": ENTRY | {"isCashierPayment": True}}, "PARAM_ILLEGAL", "paymentFactor"),
        ({"paymentFactor": {"isInStorePayment": True}}, "PARAM_ILLEGAL", "inStorePaymentScenario"),
        ({"paymentFactor": {"isCashierPayment": True}}, "PARAM_ILLEGAL", "paymentRedirectUrl"),
        ({"paymentMethod": ANY}, "PARAM_ILLEGAL", "paymentMethod.paymentMethodId"),
        ({"paymentMethod": FOREIGN}, "UNAVAILABLE_PAYMENT_METHOD", "paymentMethodType"),
        ({"paymentFactor": {"isAgreementPayment": True}}, "BUSINESS_NOT_SUPPORT", "isAgreementPayment"),
        ({"paymentFactor": ENTRY}, "BUSINESS_NOT_SUPPORT", "EntryCode"),
        ({"paymentFactor": EVALUATION}, "BUSINESS_NOT_SUPPORT", "paymentFactor.isPaymentEvaluation"),
        ({"paymentExpiryTime": "soon"}, "PARAM_ILLEGAL", "paymentExpiryTime"),
        ({"value": "0"}, "PARAM_ILLEGAL", "order.orderAmount.value"),
    ],
)
async def test_what_is_wrong_is_named_and_moves_nothing(
    acquirer: Shop, changed: dict[str, Any], code: str, field: str
) -> None:
    before = await aside(money_moved)
    answer = await pay(acquirer, **changed)
    assert answer["result"]["resultCode"] == code
    assert field in answer["result"]["resultMessage"]
    assert (await aside(money_moved), await aside(count, "acquiring_payment")) == (before, 0)


async def test_only_an_acquirer_may_name_merchants_of_its_own(acquirer: Shop) -> None:
    before = await aside(money_moved)
    asked = await aside(lambda: body(acquirer.world))
    for name in ("pay", "inquiryPayment", "cancelPayment", "refund"):
        refused = await call(acquirer, name, CLIENT, **asked)
        assert code_of(refused) == ("CLIENT_FORBIDDEN_ACCESS_API", "F")
    assert code_of(await call(acquirer, "getPaymentCode", **asked)) == ("NO_INTERFACE_DEF", "F")
    assert (await aside(money_moved), await aside(count, "acquiring_payment")) == (before, 0)


async def test_a_code_of_another_wallet_is_not_passed_on(acquirer: Shop) -> None:
    method = {"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": "259900000000000001"}
    assert code_of(await pay(acquirer, paymentMethod=method)) == ("INVALID_PAYMENT_CODE", "F")


async def test_an_acquirer_sees_its_own_payments_only(acquirer: Shop, key: rsa.RSAPrivateKey) -> None:
    paid = await pay(acquirer)
    public = signing.export_public_key(key.public_key())
    other = (await aside(identity.client, OTHER_CLIENT)).merchant_id
    await aside(lambda: identity.register_client("5Y78", other, public, now=now(), acquirer=True))
    names = {"paymentId": paid["paymentId"], "paymentRequestId": "R1"}
    back = {"refundRequestId": new_id().hex, "refundAmount": {"currency": "EUR", "value": "1"}}
    before = await aside(money_moved)
    for name, extra in (("inquiryPayment", {}), ("cancelPayment", {}), ("refund", back)):
        for known in names.items():
            answer = await call(acquirer, name, "5Y78", **dict([known]), **extra)
            assert code_of(answer) == ("ORDER_NOT_EXIST", "F")
    assert await aside(money_moved) == before
