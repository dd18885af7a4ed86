"""A merchant's till of our own: signs as an SDK does, and takes no answer that breaks a rule of the door."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa

from comptoir.standards.antom import signing

PAYMENTS = "/ams/api/v1/payments/"
HEADERS = ("client-id", "response-time", "signature")


#: One key of the platform, or several by version.
PlatformKeys = rsa.RSAPublicKey | dict[int, rsa.RSAPublicKey]


class NoAnswer(Exception):
    """The connection was refused, broke or fell silent: nobody knows what became of the request."""


@dataclass(frozen=True)
class Answer:
    """An answer whose status, header names and signature are in order."""

    body: dict[str, Any]
    client_id: str
    key_version: int | None = None

    @property
    def code(self) -> str:
        return str(self.body["result"]["resultCode"])

    @property
    def status(self) -> str:
        return str(self.body["result"]["resultStatus"])

    @property
    def message(self) -> str:
        return str(self.body["result"]["resultMessage"])

    @property
    def kind(self) -> tuple[str, str]:
        return self.code, self.status

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


def checked(
    status: int,
    headers: Sequence[tuple[bytes, bytes]],
    content: bytes,
    path: str,
    platform_key: PlatformKeys,
) -> Answer:
    """The answer, once it is HTTP 200, has its headers once and in lower case, and is signed over `path`.

    Of several platform keys the one counts that the answer names.
    """
    assert status == 200, (status, content)
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    for name in HEADERS:
        assert len(found.get(name, [])) == 1, (name, found)
    sent = {name: found[name][0] for name in HEADERS}
    header = signing.parse_header(sent["signature"])
    signature = header.signature()
    signed = signing.content_to_sign(path, sent["client-id"], sent["response-time"], content)
    assert signature is not None, sent
    if isinstance(platform_key, dict):
        platform_key = platform_key[header.key_version or 0]
    assert signing.verify(platform_key, signed, signature), f"the signature does not verify over {path}"
    body = json.loads(content)
    assert body["result"]["resultStatus"] in ("S", "F", "U"), body
    assert body["result"]["resultMessage"], body
    return Answer(body, sent["client-id"], header.key_version)


def amount(value: object, currency: str = "EUR") -> dict[str, Any]:
    return {"currency": currency, "value": value}


def in_store(ref: str, code: str | None, value: object = "1000", currency: str = "EUR") -> dict[str, Any]:
    """The body of a payment in a shop: by the buyer's code, or with None by an order code of ours."""
    method = {"paymentMethodType": "CONNECT_WALLET"} | ({"paymentMethodId": code} if code else {})
    return {
        "productCode": "IN_STORE_PAYMENT",
        "paymentRequestId": ref,
        "order": {
            "referenceOrderId": "O1",
            "orderDescription": "pralines",
            "orderAmount": amount(value, currency),
            "merchant": {"referenceMerchantId": "M1", "store": {"referenceStoreId": "S1"}},
        },
        "paymentAmount": amount(value, currency),
        "paymentMethod": method,
        "paymentFactor": {"inStorePaymentScenario": "PaymentCode" if code else "OrderCode"},
    }


@dataclass
class Till:
    """One API client of a merchant. Calls go to `ports` in turn; safe to use from many threads."""

    client_ref: str
    key: rsa.RSAPrivateKey = field(repr=False)
    platform_key: PlatformKeys = field(repr=False)
    ports: list[int]
    notify_url: str | None = None
    timeout: float = 60.0
    key_version: int = 1

    def __post_init__(self) -> None:
        self._turn = itertools.count()
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
        self._http = httpx.Client(timeout=self.timeout, limits=limits, trust_env=False)

    def headers(
        self,
        path: str,
        content: bytes,
        *,
        client_ref: str | None = None,
        key: rsa.RSAPrivateKey | None = None,
        version: int | None = None,
        time: str | None = None,
    ) -> dict[str, str]:
        """The headers of a signed request; each may be falsified."""
        client = self.client_ref if client_ref is None else client_ref
        when = datetime.now(UTC).isoformat(timespec="seconds") if time is None else time
        signature = signing.sign(key or self.key, signing.content_to_sign(path, client, when, content))
        return {
            "client-id": client,
            "Request-Time": when,
            "Signature": f"algorithm=RSA256,keyVersion={version or self.key_version},signature={signature}",
            "Content-Type": "application/json; charset=UTF-8",
        }

    def send(
        self,
        path: str,
        content: Any,
        headers: dict[str, str],
        *,
        method: str = "POST",
        port: int | None = None,
        signed_path: str | None = None,
    ) -> Answer:
        """One exchange as given. Raises NoAnswer."""
        port = port or self.ports[next(self._turn) % len(self.ports)]
        try:
            reply = self._http.request(
                method, f"http://127.0.0.1:{port}{path}", content=content, headers=headers
            )
        except httpx.TransportError as error:
            raise NoAnswer(type(error).__name__) from None
        return checked(
            reply.status_code, reply.headers.raw, reply.content, signed_path or path, self.platform_key
        )

    def call(self, name: str, body: dict[str, Any], *, port: int | None = None) -> Answer:
        """One call of the API, signed. Raises NoAnswer."""
        path = PAYMENTS + name
        content = json.dumps(body, ensure_ascii=False).encode()
        answer = self.send(path, content, self.headers(path, content), port=port)
        assert answer.client_id == self.client_ref
        return answer

    def pay(
        self,
        ref: str,
        code: str | None,
        value: object = "1000",
        currency: str = "EUR",
        *,
        port: int | None = None,
        **changed: Any,
    ) -> Answer:
        body = in_store(ref, code, value, currency) | changed
        if self.notify_url:
            body.setdefault("paymentNotifyUrl", self.notify_url)
        return self.call("pay", body, port=port)

    def inquire(self, ref: str) -> Answer:
        return self.call("inquiryPayment", {"paymentRequestId": ref})

    def cancel(self, ref: str, *, port: int | None = None) -> Answer:
        return self.call("cancel", {"paymentRequestId": ref}, port=port)

    def refund(
        self, ref: str, payment_id: str, value: object, currency: str = "EUR", *, port: int | None = None
    ) -> Answer:
        body = {
            "refundRequestId": ref, "paymentId": payment_id, "refundAmount": amount(value, currency),
        }  # fmt: skip
        return self.call("refund", body, port=port)

    def authorize(self, ref: str, code: str, value: object = "1000") -> Answer:
        """Have the money held until it is captured."""
        factor = {"inStorePaymentScenario": "PaymentCode", "isAuthorization": True, "captureMode": "MANUAL"}
        return self.pay(ref, code, value, paymentFactor=factor)

    def capture(self, ref: str, payment_id: str, value: object, *, last: bool = False) -> Answer:
        body = {
            "captureRequestId": ref, "paymentId": payment_id, "captureAmount": amount(value, "EUR"),
            "isLastCapture": last,
        }  # fmt: skip
        return self.call("capture", body)

    def raw(self, request: bytes, signed_path: str) -> Answer:
        """Bytes on a socket, what comes back until the server closes or the body is complete."""
        with socket.create_connection(("127.0.0.1", self.ports[0]), 10) as wire:
            wire.sendall(request)
            reader = wire.makefile("rb")
            status = int(reader.readline().split()[1])
            headers: list[tuple[bytes, bytes]] = []
            while (line := reader.readline().rstrip(b"\r\n")) != b"":
                name, _, value = line.partition(b":")
                headers.append((name, value.strip()))
            length = next((int(value) for name, value in headers if name.lower() == b"content-length"), 0)
            content = reader.read(length)
        return checked(status, headers, content, signed_path, self.platform_key)

    def close(self) -> None:
        self._http.close()
