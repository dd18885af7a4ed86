"""Records and outbox items for tests of the notifications, and a worker's job driven by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from comptoir.acquiring.api import (
    PaymentState,
    PaymentView,
    Product,
    RefundState,
    RefundView,
    Scenario,
    store_payments,
    store_refunds,
)
from comptoir.db import outbox
from comptoir.flows.notifications import Sender
from comptoir.flows.topics import NOTIFY_PAYMENT, NOTIFY_REFUND
from comptoir.flows.worker.notify import NotifyJob
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Statement

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MERCHANT = UUID(int=0xA1)
CLIENT = "5Y0000000000001"


def payment(merchant_id: UUID = MERCHANT, **changes: Any) -> PaymentView:
    """A paid payment of 12.50 EUR for CNY, settled in EUR; `changes` over that."""
    given: dict[str, Any] = {
        "id": new_id(),
        "merchant_id": merchant_id,
        "client_ref": CLIENT,
        "request_ref": new_id().hex,
        "input_hash": bytes(32),
        "product": Product.IN_STORE,
        "scenario": Scenario.PAYMENT_CODE,
        "amount": Money(1250, "EUR"),
        "settlement": Money(1250, "EUR"),
        "settlement_price": Decimal(1),
        "state": PaymentState.SUCCESS,
        "created_at": NOW,
        "expires_at": NOW + timedelta(minutes=10),
        "finished_at": NOW + timedelta(seconds=1),
        "method_type": "CONNECT_WALLET",
        "issuer": "COMPTOIR_CN",
        "wallet_id": UUID(int=0xB1),
        "authorization_id": UUID(int=0xB2),
        "wallet_total": Money(9789, "CNY"),
        "wallet_margin": Money(96, "CNY"),
        "quote_id": UUID(int=0xC1),
        "quote_price": Decimal("7.8310"),
        "quote_from": NOW,
        "quote_until": NOW + timedelta(minutes=15),
        "customer_ref": "2088000000000001",
    }
    return PaymentView(**{**given, **changes})


def refund(of: PaymentView, **changes: Any) -> RefundView:
    """A refund of 2.50 EUR; `changes` over that."""
    given: dict[str, Any] = {
        "id": new_id(),
        "merchant_id": of.merchant_id,
        "payment_id": of.id,
        "client_ref": CLIENT,
        "request_ref": new_id().hex,
        "input_hash": bytes(32),
        "amount": Money(250, "EUR"),
        "state": RefundState.SUCCESS,
        "created_at": NOW,
        "finished_at": NOW + timedelta(seconds=2),
        "wallet_amount": Money(1957, "CNY"),
        "wallet_margin": Money(19, "CNY"),
        "settlement": Money(250, "EUR"),
    }
    return RefundView(**{**given, **changes})


def notice(about: PaymentView | RefundView, url: str, due_at: datetime = NOW) -> outbox.OutboxItem:
    """The outbox item that the engine writes."""
    topic = NOTIFY_PAYMENT if isinstance(about, PaymentView) else NOTIFY_REFUND
    payload = {"url": url, "client_ref": about.client_ref}
    return outbox.OutboxItem(new_id(), about.merchant_id, topic, about.id, payload, due_at)


def execute(connection: psycopg.Connection[Any], *statements: Statement) -> None:
    for one in statements:
        connection.execute(one.sql, one.params)


def owe(
    connection: psycopg.Connection[Any], url: str, *, count: int = 1, merchant_id: UUID = MERCHANT
) -> None:
    """Record `count` paid payments whose notification is due."""
    paid = [payment(merchant_id) for _ in range(count)]
    execute(connection, store_payments(paid), outbox.enqueue([notice(one, url) for one in paid]))


def record(connection: psycopg.Connection[Any], url: str, *about: PaymentView | RefundView) -> None:
    """Record payments and refunds as given, each with a notification that is due."""
    paid = [one for one in about if isinstance(one, PaymentView)]
    given_back = [one for one in about if isinstance(one, RefundView)]
    execute(connection, store_payments(paid), store_refunds(given_back))
    execute(connection, outbox.enqueue([notice(one, url) for one in about]))


class Hands:
    """A notify job over one connection, at an instant that the test sets."""

    def __init__(self, url: str, *, total_seconds: float = 10.0, allow_private: bool = True) -> None:
        self.now = NOW
        self._url = url
        self.job = NotifyJob(
            Sender(allow_private=allow_private, total_seconds=total_seconds), lambda: self.now
        )
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def round(self, at: datetime | None = None) -> None:
        """Claim and send what is due at `at`, wait for the answers, write them down."""
        self.now = at or self.now
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
            await self.job.begin(self._connection)
        while await self.job.step(self._connection, self.now):
            await self.rest()
        await self.rest()
        await self.job.step(self._connection, self.now)

    async def rest(self) -> None:
        """Wait until nothing is under way."""
        while self.job.under_way:
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        if self._connection is not None:
            await self.job.finish(self._connection)
            await self._connection.close()
