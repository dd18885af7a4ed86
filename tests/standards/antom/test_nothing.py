"""Of every request that is open: a member that is null is a member that is not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from comptoir.standards.antom import messages as m
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages.requests import REQUESTS

#: What members must hold so that a message is right; any other text is "x".
FITTING: dict[str, Any] = {
    "currency": "EUR", "value": "100", "sellCurrency": "CNY", "buyCurrency": "EUR", "paymentCurrency": "EUR",
    "settlementCurrency": "EUR", "quoteCurrencyPair": "EUR/CNY", "quotePrice": 8, "goodsQuantity": "1",
    "paymentFactor": {"inStorePaymentScenario": "PaymentCode"}, "terminalType": "WEB",
    "captureType": "FINAL", "disputeEvidence": "eA==", "periodCount": 1, "env": {"terminalType": "WEB"},
    "limit": 1, "exchangeRate": 8, "osType": "IOS", "captureMode": "AUTOMATIC",
}  # fmt: skip
OF_ACQUIRERS = {"paymentFactor": {"isInStorePayment": True, "inStorePaymentScenario": "PaymentCode"}}
#: Members without which a request is wrong although none is marked as required: either, or as the case is.
NEEDED: dict[str, dict[str, Any]] = {
    "aps/payments/pay": OF_ACQUIRERS,
    "subscriptions/cancel": {"subscriptionId": "x"},
}


def example(kind: inspect.Type, name: str, *, whole: bool) -> Any:
    """A right value of a type; `whole`: with every member that it may have."""
    match kind:
        case inspect.StructType():
            return {
                one.encode_name: FITTING.get(one.encode_name)
                or example(one.type, one.encode_name, whole=whole)
                for one in kind.fields
                if ((one.required or whole) and not isinstance(_real(one.type), inspect.CustomType))
                or (one.encode_name in FITTING and one.required)
            }
        case inspect.UnionType():
            return example(_real(kind), name, whole=whole)
        case inspect.ListType():
            return [example(kind.item_type, name, whole=whole)]
        case inspect.DictType():
            return {}
        case inspect.EnumType():
            return [one.value for one in kind.cls][-1]
        case inspect.BoolType():
            return False
        case inspect.IntType():
            return 1
    if name.endswith("Url"):
        return "https://shop.example/"
    return "2026-11-26T16:00:00Z" if "Time" in name else FITTING.get(name, "x")


def _real(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        return next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kind


def places(kind: inspect.Type, body: Any) -> Iterator[tuple[Any, str]]:
    """Every member of a body, and of its parts, that may be left out: what holds it, and its name."""
    match _real(kind):
        case inspect.StructType() as found:
            for one in found.fields:
                if one.encode_name in body:
                    if not one.required:
                        yield body, one.encode_name
                    yield from places(one.type, body[one.encode_name])
        case inspect.ListType() as found:
            yield from places(found.item_type, body[0])


def read(codec: m.Codec[Any], body: object) -> object:
    """What a body is read as: the message, or the refusal."""
    try:
        return codec.decode(json.dumps(body).encode())
    except ParamIllegal as refused:
        return refused.field


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_null_is_as_absent(name: str) -> None:
    kind, codec = inspect.type_info(REQUESTS[name]), m.Codec(REQUESTS[name])
    tried, understood = 0, 0
    body = example(kind, "", whole=True) | NEEDED.get(name, {})
    for holder, member in list(places(kind, body)):
        kept = holder.pop(member)
        absent = read(codec, body)
        holder[member] = None
        assert read(codec, body) == absent, member
        holder[member] = kept
        tried += 1
        understood += isinstance(absent, msgspec.Struct)
    assert tried == 0 or understood, "nothing was read at all"


def test_every_member_is_tried_that_ever_was_refused() -> None:
    for name, text in (
        ("notification/inquireNotificationList", '{"limit": null}'),
        ("payments/inquireExchangeRate", '{"rateType": null}'),
        ("subscriptions/inquireSubscriptionList", '{"currentPage": null, "pageSize": null}'),
    ):
        codec: m.Codec[Any] = m.Codec(REQUESTS[name])
        assert codec.decode(text.encode()) == codec.decode(b"{}")


@pytest.mark.parametrize(
    "path",
    ["isAuthorization", "paymentFactor.isAuthorization", "paymentFactor.captureMode", "env", "order.goods"],
)
def test_an_empty_text_where_no_text_belongs_is_as_absent(path: str) -> None:
    body = example(inspect.type_info(m.PayRequest), "", whole=False) | {
        "paymentFactor": FITTING["paymentFactor"]
    }
    body["paymentMethod"]["paymentMethodId"] = "28"
    body["productCode"] = "IN_STORE_PAYMENT"
    codec = m.Codec(m.PayRequest)
    absent = codec.decode(json.dumps(body).encode())
    first, _, second = path.partition(".")
    bent = body | {first: body[first] | {second: ""} if second else ""}
    assert codec.decode(json.dumps(bent).encode()).capture_mode is absent.capture_mode is None


def test_what_is_wrong_is_still_named() -> None:
    pay = m.Codec(m.PayRequest)
    body = example(inspect.type_info(m.PayRequest), "", whole=False)
    for changed, words in (
        ({"isAuthorization": None, "productCode": ""}, "productCode"),
        ({"isAuthorization": "", "paymentRequestId": ""}, "paymentRequestId"),
        ({"paymentRequestId": None}, "paymentRequestId must be a string, not null"),
        ({"isAuthorization": "", "paymentAmount": {"currency": "EUR", "value": "-1"}}, "paymentAmount.value"),
        ({"isAuthorization": "maybe", "env": None}, "isAuthorization"),
    ):
        with pytest.raises(ParamIllegal) as refused:
            pay.decode(json.dumps(body | changed).encode())
        assert str(refused.value).startswith(words)


def test_a_number_keeps_its_digits_on_the_second_reading() -> None:
    codec = m.Codec(m.PayRequest)
    body = example(inspect.type_info(m.PayRequest), "", whole=False)
    body |= {
        "paymentFactor": FITTING["paymentFactor"],
        "productCode": "IN_STORE_PAYMENT",
        "isAuthorization": "",
    }
    body["paymentMethod"]["paymentMethodId"] = "28"
    quote = '{"quoteId": "x", "quoteCurrencyPair": "EUR/CNY", "quotePrice": 8.0412345678901234567}'
    text = json.dumps(body | {"paymentQuote": 0}).replace('"paymentQuote": 0', f'"paymentQuote": {quote}')
    asked = codec.decode(text.encode()).payment_quote
    assert asked is not None
    assert str(asked.quote_price) == "8.0412345678901234567"
