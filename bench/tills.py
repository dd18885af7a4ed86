"""Requests signed beforehand, byte for byte as the official SDK sends them.

A payment code is good for about half a minute, so requests are signed shortly before they are sent; two
processes sign some 7,000 a second. No code is ever used twice.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bench.world import Shop, World

PATH = "/ams/api/v1/payments/pay"
INQUIRY_PATH = "/ams/api/v1/payments/inquiryPayment"
#: Where notifications would go; no worker runs, but every payment writes its own to the outbox.
_NOTIFY_URL = "https://shop.example/notify"
_HEAD = (
    "POST {path} HTTP/1.1\r\n"
    "Host: localhost\r\n"
    "Accept-Encoding: identity\r\n"
    "Content-Length: {length}\r\n"
    "Content-type: application/json; charset=UTF-8\r\n"
    "Accept: text/plain,text/xml,text/javascript,text/html\r\n"
    "Cache-Control: no-cache\r\n"
    "Connection: Keep-Alive\r\n"
    "User-Agent: global-open-sdk-python/1.7.1\r\n"
    "Request-Time: {time}\r\n"
    "client-id: {client}\r\n"
    "Signature: {signature}\r\n\r\n"
)

_UIN_USES = 10  # a device makes ten codes in one half minute


@dataclass(frozen=True)
class Order:
    """One payment to be asked for: which shop (by place), which device (by place) with which counter."""

    shop: int
    device: int
    n: int


class Tills:
    """Signs requests for a world, in `processes` processes of its own."""

    def __init__(self, world: World, processes: int | None = None) -> None:
        self._world = world
        self._used = 0
        self._processes = processes or os.cpu_count() or 1
        self._pool = ProcessPoolExecutor(
            self._processes, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(world,)
        )

    def sign(self, count: int, *, one_shop: bool = False) -> list[bytes]:
        """`count` requests of fresh codes, as they travel: spread over all shops, or all from the first."""
        shops, devices = len(self._world.shops), len(self._world.devices)
        orders = [
            Order(
                0 if one_shop else random.randrange(shops),
                number % devices,
                number // devices % _UIN_USES,
            )
            for number in range(self._used, self._used + count)
        ]
        self._used += count
        share = -(-count // (4 * self._processes)) or 1
        parts = [orders[start : start + share] for start in range(0, count, share)]
        return [request for part in self._pool.map(_sign, parts) for request in part]

    def sign_inquiries(self, payments: Sequence[tuple[int, str]]) -> list[bytes]:
        """A request about each payment, given as (place of the shop, request id)."""
        return list(self._pool.map(_sign_inquiry, payments, chunksize=50))

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown()


class _Signing:
    """What a signing process keeps: the world, keys ready to sign, a body of each shop."""

    def __init__(self, world: World) -> None:
        from comptoir.standards.antom import signing

        self.devices = world.devices
        self.clients = [shop.client_ref for shop in world.shops]
        self.keys = [signing.private_key_from_der(shop.private_der) for shop in world.shops]
        self.bodies = [_template(shop) for shop in world.shops]


_signing: _Signing | None = None


def _begin(world: World) -> None:
    global _signing  # noqa: PLW0603 - one per signing process
    _signing = _Signing(world)


def _sign(orders: Sequence[Order]) -> list[bytes]:
    assert _signing is not None
    now = datetime.now(UTC)
    return [_request(_signing, order, now) for order in orders]


def _sign_inquiry(payment: tuple[int, str]) -> bytes:
    assert _signing is not None
    shop, reference = payment
    body = json.dumps({"paymentRequestId": reference}, indent=3).encode()
    return _signed(_signing, INQUIRY_PATH, shop, body, datetime.now(UTC))


def _request(signer: _Signing, order: Order, now: datetime) -> bytes:
    from comptoir.standards import payment_code

    number, seed = signer.devices[order.device]
    code = payment_code.build(payment_code.Form.SHORT, number, seed, now, order.n)
    reference = uuid4().hex
    text = signer.bodies[order.shop].replace("@reference@", reference).replace("@code@", code)
    body = text.replace("@amount@", str(random.randrange(100, 5000))).encode()
    return _signed(signer, PATH, order.shop, body, now)


def _signed(signer: _Signing, path: str, shop: int, body: bytes, now: datetime) -> bytes:
    from comptoir.standards.antom import signing

    time, client = now.isoformat(timespec="seconds"), signer.clients[shop]
    encoded = signing.sign(signer.keys[shop], signing.content_to_sign(path, client, time, body))
    header = signing.format_header(1, encoded)
    head = _HEAD.format(path=path, length=len(body), time=time, client=client, signature=header)
    return head.encode() + body


def _template(shop: Shop) -> str:
    """What the official SDK makes of a scanned code, with marks where payments differ."""
    from com.alipay.ams.api.model.amount import Amount
    from com.alipay.ams.api.model.env import Env
    from com.alipay.ams.api.model.merchant import Merchant
    from com.alipay.ams.api.model.order import Order as SdkOrder
    from com.alipay.ams.api.model.store import Store
    from com.alipay.ams.api.request.pay import user_presented_code_payment_request as scanned

    store: Any = Store()
    store.reference_store_id, store.store_name, store.store_mcc = shop.store_ref, "Grand-Place", "5812"
    merchant: Any = Merchant()
    merchant.reference_merchant_id, merchant.merchant_mcc = shop.merchant_ref, "5812"
    merchant.merchant_name, merchant.store = "Chocolaterie", store
    env: Any = Env()
    env.store_terminal_id, env.store_terminal_request_time = "T1", "2026-11-23T09:20:36+00:00"
    order: Any = SdkOrder()
    order.reference_order_id, order.order_description = "@reference@", "Pralines, 500 g"
    order.order_amount, order.merchant, order.env = Amount("EUR", "@amount@"), merchant, env
    request = scanned.UserPresentedCodePaymentRequest(
        "@reference@", order, "EUR", "@amount@", "@code@", _NOTIFY_URL
    )
    return str(request.to_ams_json())
