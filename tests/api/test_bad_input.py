"""Whatever comes in over the wire: HTTP 200, signed, the documented code, and nothing recorded or posted.

The till checks status, header names and signature of every answer (see tests.api.till).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards.antom import signing
from tests.api.support import House, Shop, Traveller, pause
from tests.api.till import PAYMENTS, Answer, Till, amount, in_store

pytestmark = pytest.mark.slow

PAY = PAYMENTS + "pay"


@dataclass
class Counter:
    """One shop, one till, one traveller with money and a code."""

    house: House
    shop: Shop
    traveller: Traveller

    @property
    def till(self) -> Till:
        return self.shop.till

    def body(self, **changed: Any) -> dict[str, Any]:
        return in_store("R1", self.traveller.code()) | changed


@pytest.fixture(scope="module")
def counter(house: House) -> Counter:
    return Counter(house, house.shop(), house.traveller(phones=12))


@pytest.fixture(autouse=True)
def nothing_moves(counter: Counter) -> Iterator[None]:
    before = counter.house.books()
    yield
    assert counter.house.books() == before


def send(till: Till, content: bytes, path: str = PAY, **falsified: Any) -> Answer:
    return till.send(path, content, till.headers(path, content, **falsified))


# ---------------------------------------------------------------- who asks


def test_a_signature_that_is_wrong(counter: Counter) -> None:
    till, content = counter.till, json.dumps(counter.body()).encode()
    good = till.headers(PAY, content)
    altered = till.send(PAY, content.replace(b'"1000"', b'"1001"'), good)
    assert altered.kind == ("INVALID_SIGNATURE", "F")
    elsewhere = till.send(PAYMENTS + "cancel", content, good)
    assert elsewhere.kind == ("INVALID_SIGNATURE", "F")
    later = till.send(PAY, content, good | {"Request-Time": datetime.now(UTC).isoformat()})
    assert later.kind == ("INVALID_SIGNATURE", "F")
    assert send(till, content, key=signing.generate_key()).kind == ("INVALID_SIGNATURE", "F")
    for broken in ("x", "algorithm=RSA256,keyVersion=1", "algorithm=MD5,keyVersion=1,signature=YQ%3D%3D",
                   "algorithm=RSA256,keyVersion=x,signature=YQ%3D%3D"):  # fmt: skip
        answer = till.send(PAY, content, good | {"Signature": broken})
        assert answer.kind == ("PARAM_ILLEGAL", "F"), broken
        assert "Signature" in answer.message
    unencoded = till.send(PAY, content, good | {"Signature": "algorithm=RSA256,keyVersion=1,signature=a+/="})
    assert unencoded.kind == ("INVALID_SIGNATURE", "F")


def test_the_signature_of_another_client(counter: Counter) -> None:
    content = json.dumps(counter.body()).encode()
    stranger = counter.house.till(counter.house.shop().merchant_id, key=signing.generate_key())
    as_them = stranger.headers(PAY, content) | {"client-id": counter.till.client_ref}
    assert counter.till.send(PAY, content, as_them).kind == ("INVALID_SIGNATURE", "F")
    with_their_key = send(counter.till, content, client_ref=counter.till.client_ref, key=stranger.key)
    assert with_their_key.kind == ("INVALID_SIGNATURE", "F")


def test_clients_that_nobody_knows(counter: Counter) -> None:
    content = json.dumps(counter.body()).encode()
    answer = send(counter.till, content, client_ref="5YNOBODY")
    assert (answer.kind, answer.client_id) == (("UNKNOWN_CLIENT", "F"), "5YNOBODY")
    nameless = counter.till.headers(PAY, content)
    del nameless["client-id"]
    assert counter.till.send(PAY, content, nameless).kind == ("INVALID_CLIENT", "F")
    assert send(counter.till, content, client_ref="5Y" + "X" * 200).kind == ("INVALID_CLIENT", "F")


def test_keys_that_are_unknown_or_revoked(counter: Counter) -> None:
    house, now = counter.house, utc_now()
    key = signing.generate_key()
    till = house.till(counter.shop.merchant_id, key=key)
    content = json.dumps(counter.body()).encode()
    assert send(till, content, version=7).kind == ("KEY_NOT_FOUND", "F")
    newer = signing.generate_key()
    version = identity.add_key(till.client_ref, signing.export_public_key(newer.public_key()), now=now)
    empty = b"{}"
    assert send(till, empty, version=1).kind == ("PARAM_ILLEGAL", "F")  # both are live
    identity.revoke_key(till.client_ref, 1, now=now)
    pause(3.1)  # what gateways remember of a client
    assert send(till, content, version=1).kind == ("KEY_NOT_FOUND", "F")
    assert send(till, empty, version=version, key=newer).kind == ("PARAM_ILLEGAL", "F")
    assert send(till, content, version=version, key=key).kind == ("INVALID_SIGNATURE", "F")
    identity.set_client_status(till.client_ref, identity.ClientStatus.SUSPENDED)
    pause(3.1)
    assert send(till, content, version=version, key=newer).kind == ("INVALID_CLIENT_STATUS", "F")


@pytest.mark.parametrize("minutes", [-60 * 24, -16, 16])
def test_a_request_of_long_ago_or_of_tomorrow(counter: Counter, minutes: int) -> None:
    content = json.dumps(counter.body()).encode()
    stale = (utc_now() + timedelta(minutes=minutes)).isoformat(timespec="seconds")
    answer = send(counter.till, content, time=stale)
    assert answer.kind == ("INVALID_SIGNATURE", "F")
    assert "Request-Time" in answer.message


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01T00:00:00Z", "99999999999999999999", "0"])
def test_a_request_time_that_is_none(counter: Counter, time: str) -> None:
    answer = send(counter.till, json.dumps(counter.body()).encode(), time=time)
    assert answer.status == "F"
    assert "Request-Time" in answer.message


# ---------------------------------------------------------------- what is asked


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe{}", b'{"a":1}{', b"{}" + b"\0", b"[" * 20_000,
     b'{"productCode":' * 5_000, b"1e999", b'{"paymentRequestId":"R1",}'],
)  # fmt: skip
def test_a_body_that_is_no_request(counter: Counter, content: bytes) -> None:
    for name in ("pay", "cancel", "refund", "inquiryPayment", "inquiryRefund"):
        answer = send(counter.till, content, PAYMENTS + name)
        assert answer.kind == ("PARAM_ILLEGAL", "F"), name


#: What `value` may not be, for a payment and for a refund.
WRONG_AMOUNTS: list[Any] = [
    "12345678901234567", "-1000", "+1000", "1.00", "10,00", "0", "000", " 1000", "1000 ", "1 000", "", "1e3",
    "0x10", "１０００", "1000\n", 10.0, 10.5, -1000, 0, 1e3, 12345678901234567, True, None, [], {}, ["1000"],
]  # fmt: skip


@pytest.mark.parametrize("value", WRONG_AMOUNTS, ids=repr)
def test_an_amount_that_is_none(counter: Counter, value: Any) -> None:
    answer = counter.till.call("pay", counter.body(paymentAmount=amount(value)))
    assert answer.kind == ("PARAM_ILLEGAL", "F")
    assert "paymentAmount.value" in answer.message
    body = {"refundRequestId": "F1", "paymentId": "0" * 32, "refundAmount": amount(value)}
    answer = counter.till.call("refund", body)
    assert answer.kind == ("PARAM_ILLEGAL", "F")
    assert "refundAmount.value" in answer.message


@pytest.mark.parametrize(
    ("value", "currency", "code", "field"),
    [
        ("12.50", "JPY", "PARAM_ILLEGAL", "paymentAmount.value"),
        ("1050", "IDR", "PARAM_ILLEGAL", "paymentAmount"),
        ("1000", "XXX", "PARAM_ILLEGAL", "paymentAmount.currency"),
        ("1000", "ZZZ", "PARAM_ILLEGAL", "paymentAmount.currency"),
        ("1000", "EURO", "PARAM_ILLEGAL", "paymentAmount.currency"),
        ("1000", "eur", "PARAM_ILLEGAL", "paymentAmount.currency"),
        ("1000", "", "PARAM_ILLEGAL", "paymentAmount.currency"),
        ("1000", None, "PARAM_ILLEGAL", "paymentAmount.currency"),
        ("1000", 978, "PARAM_ILLEGAL", "paymentAmount.currency"),
        ("1000", "GBP", "CURRENCY_NOT_SUPPORT", "paymentAmount.currency"),
    ],
)
def test_a_currency_that_does_not_fit(
    counter: Counter, value: str, currency: Any, code: str, field: str
) -> None:
    answer = counter.till.call("pay", counter.body(paymentAmount=amount(value, currency)))
    assert answer.kind == (code, "F")
    assert field in answer.message


def without(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        for name in path[:-1]:
            body = body[name]
        del body[path[-1]]

    return change


def with_(value: Any, *path: str) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        for name in path[:-1]:
            body = body[name]
        body[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (without("productCode"), "productCode"),
        (without("paymentRequestId"), "paymentRequestId"),
        (without("order"), "order"),
        (without("order", "orderAmount"), "order.orderAmount"),
        (without("order", "orderAmount", "currency"), "order.orderAmount.currency"),
        (without("order", "referenceOrderId"), "order.referenceOrderId"),
        (without("paymentAmount", "value"), "paymentAmount.value"),
        (without("paymentMethod"), "paymentMethod"),
        (without("paymentMethod", "paymentMethodType"), "paymentMethod.paymentMethodType"),
        (without("paymentMethod", "paymentMethodId"), "paymentMethod.paymentMethodId"),
        (without("paymentFactor"), "paymentFactor.inStorePaymentScenario"),
        (with_("R" * 65, "paymentRequestId"), "paymentRequestId"),
        (with_("", "paymentRequestId"), "paymentRequestId"),
        (with_(7, "paymentRequestId"), "paymentRequestId"),
        (with_("x" * 257, "order", "orderDescription"), "order.orderDescription"),
        (with_("x" * 65, "order", "referenceOrderId"), "order.referenceOrderId"),
        (with_("9" * 129, "paymentMethod", "paymentMethodId"), "paymentMethod.paymentMethodId"),
        (with_("R\0", "paymentRequestId"), "paymentRequestId"),
        (with_("\ud800", "order", "orderDescription"), "order.orderDescription"),
        (with_("a\0b", "order", "merchant", "store", "referenceStoreId"), "order.merchant.store"),
        (with_("x\0", "paymentMethod", "paymentMethodId"), "paymentMethod.paymentMethodId"),
        (with_("NO_SUCH", "productCode"), "productCode"),
        (with_("Barter", "paymentFactor", "inStorePaymentScenario"), "paymentFactor.inStorePaymentScenario"),
        (with_("gopher://x", "paymentNotifyUrl"), "paymentNotifyUrl"),
        (with_("http://x/" + "y" * 2048, "paymentNotifyUrl"), "paymentNotifyUrl"),
        (with_("tomorrow", "paymentExpiryTime"), "paymentExpiryTime"),
        (with_("2020-01-01T00:00:00Z", "paymentExpiryTime"), "paymentExpiryTime"),
        (with_("EURO", "settlementStrategy", "settlementCurrency"), "settlementStrategy.settlementCurrency"),
        (with_([], "order"), "order"),
    ],
)
def test_a_member_that_is_wrong_is_named(
    counter: Counter, change: Callable[[dict[str, Any]], None], field: str
) -> None:
    body = counter.body(settlementStrategy={"settlementCurrency": "EUR"})
    change(body)
    content = json.dumps(body).encode()  # ASCII escapes: half a surrogate pair travels as text
    answer = send(counter.till, content)
    assert answer.kind == ("PARAM_ILLEGAL", "F")
    assert field in answer.message


# ---------------------------------------------------------------- how it is asked


@pytest.mark.parametrize("size", [256 * 1024 + 1, 5_000_000])
def test_a_body_that_is_too_large(counter: Counter, size: int) -> None:
    padded = json.dumps(counter.body()).encode()
    padded += b" " * (size - len(padded))
    answer = send(counter.till, padded)
    assert answer.kind == ("PARAM_ILLEGAL", "F")
    assert "body" in answer.message


def pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 65_536):
        yield content[start : start + 65_536]


def test_a_body_that_is_too_large_and_comes_in_pieces(counter: Counter) -> None:
    padded = json.dumps(counter.body()).encode() + b" " * 1_000_000
    answer = counter.till.send(PAY, pieces(padded), counter.till.headers(PAY, padded))
    assert answer.kind == ("PARAM_ILLEGAL", "F")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_post(counter: Counter, method: str) -> None:
    content = json.dumps(counter.body()).encode()
    answer = counter.till.send(PAY, content, counter.till.headers(PAY, content), method=method)
    assert answer.kind == ("METHOD_NOT_SUPPORTED", "F")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_only_json(counter: Counter, kind: str) -> None:
    content = json.dumps(counter.body()).encode()
    headers = counter.till.headers(PAY, content) | {"Content-Type": kind}
    assert counter.till.send(PAY, content, headers).kind == ("MEDIA_TYPE_NOT_ACCEPTABLE", "F")


@pytest.mark.parametrize(
    "path",
    ["/", "/ams/api/v1/payments/steal", "/ams/api/v1/payments/pay/", "/ams/api/v1/payments/PAY",
     "/ams/api/v1/payments//pay", "/ams/api/v1/payments/../payments/pay", "/ams/api/v1/payments/%70ay",
     "/aps/api/v1/payments/userInitiatedPay", "/x" * 2000],
)  # fmt: skip
def test_paths_that_are_not_open(counter: Counter, path: str) -> None:
    content = json.dumps(counter.body()).encode()
    answer = raw(counter.till, path, content, path)
    assert answer.kind == ("NO_INTERFACE_DEF", "F")


# ---------------------------------------------------------------- raw sockets


def raw(till: Till, target: str, content: bytes, path: str, *extra: str, length: bool = True) -> Answer:
    """One request byte by byte: `target` stands in the request line, `path` is what is signed."""
    headers = [f"{name}: {value}" for name, value in till.headers(path, content).items()]
    head = [f"POST {target} HTTP/1.1", "Host: localhost", *headers, *extra]
    if length:
        head.append(f"Content-Length: {len(content)}")
    return till.raw("\r\n".join([*head, "", ""]).encode() + content, path)


NOT_A_REQUEST = b'{"productCode":"IN_STORE_PAYMENT"}'


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("https://localhost/ams/api/v1/payments/pay", PAY),
        ("HTTP://127.0.0.1:8400/ams/api/v1/payments/pay", PAY),
        ("https://user@shop.example:99/ams/api/v1/payments/pay?x=/ams#y", PAY),
        ("/ams/api/v1/payments/pay?a=b", PAY),
        ("//ams/api/v1/payments/pay", PAY),
        ("//ams/api/v1/payments/pay", "/" + PAY),
        ("https://localhost//ams/api/v1/payments/pay", PAY),
        ("https://localhost//ams/api/v1/payments/pay", "/" + PAY),
        ("/ams/sandbox/api/v1/payments/pay", "/ams/sandbox/api/v1/payments/pay"),
    ],
)
def test_targets_in_every_form_are_understood(counter: Counter, target: str, path: str) -> None:
    """The answer is about the body, and signed over what the caller signed: so the path was found."""
    answer = raw(counter.till, target, NOT_A_REQUEST, path)
    assert answer.kind == ("PARAM_ILLEGAL", "F")
    assert "paymentRequestId is missing" in answer.message


@pytest.mark.parametrize("name", ["Signature", "client-id", "Request-Time"])
def test_a_signed_header_that_is_there_twice(counter: Counter, name: str) -> None:
    content = json.dumps(counter.body()).encode()
    for second in ("x", counter.till.headers(PAY, content)[name]):
        answer = raw(counter.till, PAY, content, PAY, f"{name.upper()}: {second}")
        assert answer.kind == ("PARAM_ILLEGAL", "F")
        assert name.lower() in answer.message.lower()
        assert "twice" in answer.message


def test_a_content_type_may_be_there_twice(counter: Counter) -> None:
    answer = raw(counter.till, PAY, NOT_A_REQUEST, PAY, "Content-Type: application/json")
    assert "paymentRequestId is missing" in answer.message


def test_headers_that_are_missing_or_strange(counter: Counter) -> None:
    content = json.dumps(counter.body()).encode()
    for name in ("Signature", "Request-Time"):
        headers = counter.till.headers(PAY, content)
        del headers[name]
        answer = counter.till.send(PAY, content, headers)
        assert answer.kind == ("PARAM_ILLEGAL", "F")
        assert name in answer.message
    latin = f"POST {PAY} HTTP/1.1\r\nHost: x\r\nclient-id: \xe9\r\nSignature: \xe9\r\n".encode("latin-1")
    answer = counter.till.raw(latin + b"Request-Time: \xff\r\nContent-Length: 0\r\n\r\n", PAY)
    assert answer.status == "F"


def test_a_body_in_chunks_is_read_as_one(counter: Counter) -> None:
    half = len(NOT_A_REQUEST) // 2
    parts = [NOT_A_REQUEST[:half], NOT_A_REQUEST[half:], b""]
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    headers = counter.till.headers(PAY, NOT_A_REQUEST) | {"Transfer-Encoding": "chunked", "Host": "x"}
    head = "\r\n".join([f"POST {PAY} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())])
    answer = counter.till.raw(head.encode() + b"\r\n\r\n" + chunked, PAY)
    assert "paymentRequestId is missing" in answer.message


def test_http_1_0_is_answered_too(counter: Counter) -> None:
    head = "\r\n".join(f"{name}: {value}" for name, value in counter.till.headers(PAY, b"{}").items())
    request = f"POST {PAY} HTTP/1.0\r\n{head}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    assert counter.till.raw(request, PAY).kind == ("PARAM_ILLEGAL", "F")


# ---------------------------------------------------------------- who is meant


def test_the_payments_of_others_do_not_exist(counter: Counter) -> None:
    mine = counter.house.shop().till
    for name, body in [
        ("inquiryPayment", {"paymentRequestId": "R1"}),
        ("inquiryPayment", {"paymentId": "x" * 64}),
        ("cancel", {"paymentId": "0" * 32}),
        ("refund", {"refundRequestId": "F1", "paymentId": "0" * 32, "refundAmount": amount("1")}),
    ]:
        assert mine.call(name, body).kind == ("ORDER_NOT_EXIST", "F")
    assert mine.call("inquiryRefund", {"refundRequestId": "F1"}).kind == ("REFUND_NOT_EXIST", "F")


def test_no_refused_request_has_used_its_id_up(counter: Counter) -> None:
    """R1 was the id of every one of them."""
    assert counter.till.call("pay", counter.body(paymentAmount=amount("0"))).kind == ("PARAM_ILLEGAL", "F")
    assert counter.till.inquire("R1").kind == ("ORDER_NOT_EXIST", "F")
    assert (counter.shop.owed, counter.traveller.purse) == (0, 1_000_000)
    counter.house.assert_holds()
