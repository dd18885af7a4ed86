"""A shop whose software is the official Python SDK, talking to the application in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from com.alipay.ams.api import default_alipay_client as sdk
from django.db import connections

from tests.official_sdk import misread

from .world import CLIENT, World

PATHS = "/ams/api/v1/payments/"


@dataclass
class Request:
    """A request in the shape the SDK's client wants: a path, a method and a body."""

    path: str
    body: dict[str, Any]

    class http_method:
        value = "POST"

    def to_ams_json(self) -> str:
        return json.dumps(self.body, indent=3)


@dataclass
class Shop:
    """The official client, talking to our application in this process instead of to port 443."""

    app: Any
    key: str
    platform_key: str
    world: World

    async def call(self, name: str, client_id: str = CLIENT, /, **body: Any) -> dict[str, Any]:
        """One call; the SDK signs it, verifies the answer and reads it with its own classes."""
        return await self.execute(Request(PATHS + name, body), client_id)

    async def execute(self, request: Any, client_id: str = CLIENT) -> dict[str, Any]:
        client = sdk.DefaultAlipayClient("https://localhost", client_id, self.key, self.platform_key)
        body = await asyncio.to_thread(client.execute, request)
        assert misread(request.path, body) == []
        answer: dict[str, Any] = json.loads(body)
        return answer

    async def pay(self, client_id: str = CLIENT, /, **changed: Any) -> dict[str, Any]:
        """A payment in the shop, by default of a fresh code for 12.50 EUR."""
        return await self.call("pay", client_id, **await aside(lambda: in_store(self.world, **changed)))


def now() -> datetime:
    return datetime.now(UTC)


def in_store(world: World, **changed: Any) -> dict[str, Any]:
    value = changed.pop("value", "1250")
    amount = {"currency": changed.pop("currency", "EUR"), "value": value}
    scenario = changed.pop("scenario", "PaymentCode")
    method = {"paymentMethodType": "CONNECT_WALLET"}
    if scenario.upper() == "PAYMENTCODE":
        method["paymentMethodId"] = changed.pop("code", None) or world.code(now())
    return {
        "productCode": "IN_STORE_PAYMENT",
        "paymentRequestId": "R1",
        "order": {
            "referenceOrderId": "O1",
            "orderDescription": "巧克力",
            "orderAmount": amount,
            "merchant": {"referenceMerchantId": "M1", "store": {"referenceStoreId": "S1"}},
        },
        "paymentAmount": amount,
        "paymentMethod": method,
        "paymentFactor": {"inStorePaymentScenario": scenario},
    } | changed


async def aside(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run what uses Django's ORM, which belongs to threads without an event loop."""

    def run() -> Any:
        try:
            return function(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


def code_of(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["result"]["resultCode"], answer["result"]["resultStatus"]
