"""Payments of the world's traveller at the world's first shop."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from comptoir.acquiring.api import PaymentView, Product, Scenario
from comptoir.flows import api as flows
from comptoir.kernel.money import Money
from comptoir.standards.payment_code import Form, build
from tests.web.world import World


def pay(world: World, ref: str, minor: int = 1000, *, now: datetime, n: int = 0, **given: Any) -> PaymentView:
    """A payment by payment code, in EUR, as it ended. `n` keeps codes of one instant apart."""
    payer = world.traveller
    fields: dict[str, Any] = {
        "merchant_id": world.shop.merchant_id,
        "client_ref": world.shop.client_ref,
        "request_ref": ref,
        "product": Product.IN_STORE,
        "scenario": Scenario.PAYMENT_CODE,
        "amount": Money(minor, "EUR"),
        "method_type": "CONNECT_WALLET",
        "code": build(Form.SHORT, payer.device, payer.seed, now, n),
        "store_ref": "one-S1",
        "terminal_ref": "T1",
    }
    [outcome] = flows.execute([flows.Pay(**(fields | given))], now, flows.Desk(5))
    assert outcome.payment is not None, outcome
    return outcome.payment
