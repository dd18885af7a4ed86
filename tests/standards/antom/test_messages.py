"""Messages: what is understood, what is refused and by which name, and what goes out."""

from __future__ import annotations

import contextlib
import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from com.alipay.ams.api.model.order import Order as SdkOrder
from com.alipay.ams.api.request.pay.user_presented_code_payment_request import UserPresentedCodePaymentRequest
from com.alipay.ams.api.response.pay.alipay_pay_response import AlipayPayResponse
from hypothesis import given
from hypothesis import strategies as st

from comptoir.kernel.money import Money
from comptoir.standards.antom import messages as m
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.results import ResultCode

VECTORS = Path(__file__).parents[2] / "data" / "antom"
PAY = m.Codec(m.PayRequest)
REFUND = m.Codec(m.RefundRequest)

IN_STORE: dict[str, Any] = {
    "productCode": "IN_STORE_PAYMENT",
    "paymentRequestId": "R1",
    "order": {
        "referenceOrderId": "O1",
        "orderDescription": "巧克力 é 🍫",
        "orderAmount": {"currency": "EUR", "value": "1250"},
        "merchant": {
            "referenceMerchantId": "M1",
            "merchantMCC": "5411",
            "merchantName": "Shop",
            "store": {"referenceStoreId": "S1", "storeName": "Shop", "storeMCC": "5411"},
        },
        "env": {"storeTerminalId": "T1", "storeTerminalRequestTime": "2026-11-23T09:20:36+00:00"},
    },
    "paymentAmount": {"currency": "EUR", "value": "1250"},
    "paymentMethod": {"paymentMethodType": "CONNECT_WALLET", "paymentMethodId": "281010897274821897"},
    "paymentFactor": {"inStorePaymentScenario": "PaymentCode"},
    "paymentNotifyUrl": "https://shop.example/n",
}


def request_with(path: str, value: object, base: dict[str, Any] = IN_STORE) -> bytes:
    """The base request with the member at a dotted path replaced, or removed when `value` is ...."""
    document = copy.deepcopy(base)
    *parents, last = path.split(".")
    here = document
    for name in parents:
        here = here.setdefault(name, {})
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return json.dumps(document).encode()


def refusal_of(body: bytes, codec: m.Codec[Any] = PAY) -> ParamIllegal:
    with pytest.raises(ParamIllegal) as refusal:
        codec.decode(body)
    return refusal.value


def test_the_captured_request_is_understood() -> None:
    pay = PAY.decode((VECTORS / "pay_request.body").read_bytes())
    assert pay.product_code is m.ProductCode.CASHIER_PAYMENT
    assert pay.payment_request_id == "R1"
    assert pay.order.order_description == "テスト é €"
    assert pay.payment_amount.money() == Money(100, "JPY")
    assert pay.settlement_strategy == m.SettlementStrategy(settlement_currency="JPY")
    assert pay.payment_redirect_url == "https://m/r?a=1&b=2"
    assert pay.environment is not None
    assert pay.environment.terminal_type == "WEB"


def test_the_official_in_store_class_is_understood() -> None:
    order = SdkOrder.from_value(IN_STORE["order"]) if hasattr(SdkOrder, "from_value") else SdkOrder()
    order.parse_rsp_body(IN_STORE["order"])
    sdk = UserPresentedCodePaymentRequest("R1", order, "EUR", "1250", "281010897274821897", "https://m/n")
    pay = PAY.decode(sdk.to_ams_json().encode())
    assert pay.scenario is m.InStorePaymentScenario.PAYMENT_CODE
    assert pay.payment_method.payment_method_id == "281010897274821897"
    assert pay.payment_amount.money() == Money(1250, "EUR")
    assert pay.order.merchant is not None
    assert pay.order.merchant.merchant_mcc == "5411"
    assert pay.order.merchant.store is not None
    assert pay.order.merchant.store.store_mcc == "5411"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("paymentFactor.inStorePaymentScenario", "PAYMENTCODE"),
        ("paymentFactor.inStorePaymentScenario", "paymentcode"),
        ("paymentFactor.isAuthorization", "false"),
        ("paymentFactor.isAuthorization", False),
        ("paymentFactor.isAuthorization", None),
        ("paymentAmount.value", 1250),
        ("paymentAmount.value", "0000000000001250"),
        ("paymentAmount.value", "9999999999999999"),
        ("unknownMember", {"deep": [1, {"x": None}]}),
        ("paymentMethod.paymentMethodMetaData", {"cardNo": "x"}),
        ("merchantAccountId", ""),
        ("paymentExpiryTime", "2026-11-23T09:30:00+08:00"),
        ("order.goods", [{"referenceGoodsId": "1", "goodsName": "n", "goodsQuantity": 2}]),
    ],
)
def test_leniency(path: str, value: object) -> None:
    assert PAY.decode(request_with(path, value)).scenario is m.InStorePaymentScenario.PAYMENT_CODE


@pytest.mark.parametrize("path", ["productCode", "paymentRequestId", "order", "order.referenceOrderId",
    "order.orderDescription", "order.orderAmount", "order.orderAmount.value", "order.orderAmount.currency",
    "paymentAmount", "paymentAmount.value", "paymentMethod", "paymentMethod.paymentMethodType",
    "paymentMethod.paymentMethodId", "paymentFactor.inStorePaymentScenario",
    "order.merchant.referenceMerchantId"])  # fmt: skip
@pytest.mark.parametrize("value", [..., None])
def test_what_is_required_is_named_when_missing(path: str, value: object) -> None:
    refusal = refusal_of(request_with(path, value))
    assert refusal.field == path
    assert refusal.message.startswith(path)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1.00",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1e2",
        "12345678901234567",
        "٣",
        "0",
        "000",
        "NaN",
        1.0,
        1.5,
        -1,
        1e2,
        12345678901234567,
        True,
        [],
        {},
        "1\n",
    ],
)
@pytest.mark.parametrize("path", ["paymentAmount.value", "order.orderAmount.value"])
def test_amounts_that_are_refused(path: str, value: object) -> None:
    assert refusal_of(request_with(path, value)).field == path


@pytest.mark.parametrize("value", ["", "eur", "EURO", "EU", "XXX", "ZZZ", "EUR ", "€", 978, None])
def test_currencies_that_are_refused(value: object) -> None:
    assert refusal_of(request_with("paymentAmount.currency", value)).field == "paymentAmount.currency"


def test_rupiah_have_whole_units_only() -> None:
    base = request_with("paymentAmount", {"currency": "IDR", "value": "150050"})
    assert refusal_of(base).field == "paymentAmount.value"
    whole = PAY.decode(request_with("paymentAmount", {"currency": "IDR", "value": "150000"}))
    assert whole.payment_amount.money() == Money(150000, "IDR")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("paymentRequestId", "x" * 65),
        ("paymentRequestId", ""),
        ("paymentRequestId", 5),
        ("productCode", "CASH"),
        ("order.orderDescription", "x" * 257),
        ("order.merchant.referenceMerchantId", "x" * 33),
        ("order.merchant.store.storeName", {}),
        ("paymentMethod.paymentMethodId", "2" * 129),
        ("paymentNotifyUrl", "https://m/" + "x" * 2039),
        ("paymentNotifyUrl", "/n"),
        ("paymentNotifyUrl", "file:///etc/passwd"),
        ("paymentRedirectUrl", "javascript:alert(1)"),
        ("paymentFactor.inStorePaymentScenario", "SmokeSignal"),
        ("paymentFactor.isAuthorization", "maybe"),
        ("paymentExpiryTime", "tomorrow"),
        ("paymentExpiryTime", "2026-11-23T09:30:00"),
        ("order", []),
        ("order.orderDescription", "a\x00b"),
        ("order.orderDescription", "a\ud800b"),
        ("order.orderDescription", "\udf6b\ud83c"),
        ("order.merchant.store.storeName", "\x00"),
    ],
)
def test_what_is_refused_is_named(path: str, value: object) -> None:
    refusal = refusal_of(request_with(path, value))
    assert refusal.field == path
    assert refusal.message.startswith(path)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("paymentRequestId", "", "must not be empty"),
        ("paymentRequestId", "x" * 65, "is longer than the maximum, 64"),
        ("paymentRequestId", [], "must be a string, not array"),
        ("order.orderDescription", 5, "must be a string, not int"),
        ("order", 5, "must be object, not int"),
        ("productCode", "X", "does not know the value 'X'"),
    ],
)
def test_what_is_refused_is_said_in_words(path: str, value: object, said: str) -> None:
    assert refusal_of(request_with(path, value)).message == f"{path} {said}"


def test_items_are_named_with_their_place() -> None:
    goods = [{"referenceGoodsId": "1", "goodsName": "n"}, {"referenceGoodsId": "2"}]
    assert refusal_of(request_with("order.goods", goods)).field == "order.goods[1].goodsName"
    goods[1]["goodsName"] = "\x00"
    assert refusal_of(request_with("order.goods", goods)).field == "order.goods[1].goodsName"


def test_a_cashier_payment_needs_somewhere_to_return_to() -> None:
    body = (VECTORS / "pay_request.body").read_bytes()
    assert refusal_of(body.replace(b"paymentRedirectUrl", b"x")).field == "paymentRedirectUrl"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"x"',
        b"5",
        b"{",
        b"{}x",
        b'{"a":}',
        b"\xff\xfe{}",
        b'{"paymentRequestId":"\xff"}',
        b'{"paymentRequestId":"a\x00b"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":"\\ud800"}',
        b'{"a\\u0000":1}',
        b'{"a":"\\ud83d\\ude00"',
        b"NaN",
        b"\xef\xbb\xbf{}",
        b'{"a":"\\ud800' + b"[" * 100_000,
        b'{"a":"\\u0000","b":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_bodies_that_are_no_message_are_refused(body: bytes) -> None:
    assert refusal_of(body).message


@given(st.binary(max_size=400))
def test_noise_never_does_more_than_be_refused(noise: bytes) -> None:
    with pytest.raises(ParamIllegal):
        PAY.decode(noise)


@given(st.data())
def test_a_broken_request_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(json.dumps(IN_STORE).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ParamIllegal):
        assert isinstance(PAY.decode(bytes(body)), m.PayRequest)


def test_a_refusal_never_repeats_a_payment_code() -> None:
    code = "281010897274821897"
    for path, value in [
        ("paymentMethod.paymentMethodId", code * 20),
        ("paymentMethod.paymentMethodId", [code]),
    ]:
        assert code not in refusal_of(request_with(path, value)).message
    assert code not in repr(PAY.decode(json.dumps(IN_STORE).encode()))


def test_the_other_requests() -> None:
    refund = REFUND.decode(
        b'{"refundRequestId":"F1","paymentId":"p","refundAmount":{"currency":"EUR","value":"1"},'
        b'"isAsyncRefund":"true"}'
    )
    assert refund.refund_amount.money() == Money(1, "EUR")
    assert refund.is_async_refund is True
    zero = b'{"refundRequestId":"F1","paymentId":"p","refundAmount":{"currency":"EUR","value":"0"}}'
    assert refusal_of(zero, REFUND).field == "refundAmount.value"
    assert refusal_of(b"{}", m.Codec(m.CancelRequest)).field == "paymentId"
    assert refusal_of(b'{"paymentId":""}', m.Codec(m.InquiryPaymentRequest)).field == "paymentId"
    assert refusal_of(b"{}", m.Codec(m.InquiryRefundRequest)).field == "refundId"
    assert (
        m.Codec(m.CancelRequest).decode(b'{"paymentId":"","paymentRequestId":"R"}').payment_request_id == "R"
    )


def test_what_goes_out_is_typed_as_the_strictest_sdk_wants_it() -> None:
    answer = m.PayResponse(
        result=m.Result.of(ResultCode.SUCCESS),
        payment_request_id="R1",
        payment_amount=m.Amount.of(Money(1250, "EUR")),
        payment_quote=m.Quote(
            quote_currency_pair="EUR/CNY", quote_price=Decimal("7.8310"), quote_id="Q", guaranteed=True
        ),
    )
    assert m.encode(answer) == (
        b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"},'
        b'"paymentRequestId":"R1","paymentAmount":{"currency":"EUR","value":"1250"},'
        b'"paymentQuote":{"quoteCurrencyPair":"EUR/CNY","quotePrice":7.8310,"quoteId":"Q","guaranteed":true}}'
    )
    sdk = AlipayPayResponse(m.encode(answer).decode())
    assert sdk.payment_amount.value == "1250"
    assert sdk.result.result_code == "SUCCESS"


def test_result_messages_fit_the_wire() -> None:
    assert len(m.Result.of(ResultCode.PARAM_ILLEGAL, "x" * 999).result_message) == 256


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        (b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}', True),
        (b'{"result":{"resultMessage":"success","resultStatus":"S","resultCode":"SUCCESS"},"more":1}', True),
        (b'{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}', False),
        (b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"Success"}}', False),
        (b'{"result":{"resultCode":"SUCCESS","resultStatus":"U","resultMessage":"success"}}', False),
        (b'{"result":{"resultCode":"FAIL","resultStatus":"S","resultMessage":"success"}}', False),
        (b'{"result":{"resultCode":"SUCCESS","resultStatus":"A"}}', False),
        (b"success", False),
        (b"", False),
    ],
)
def test_acknowledgements(body: bytes, heard: bool) -> None:
    assert m.is_acknowledged(body) is heard


def test_expiry_is_an_instant() -> None:
    pay = PAY.decode(request_with("paymentExpiryTime", "2026-11-23T17:30:00+08:00"))
    assert pay.expires_at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert PAY.decode(json.dumps(IN_STORE).encode()).expires_at is None
