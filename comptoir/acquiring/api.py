"""The acquirer's door."""

from __future__ import annotations

from comptoir.acquiring.types import (
    ContractView,
    MerchantView,
    PaymentState,
    PaymentView,
    Product,
    RefundState,
    RefundView,
    Scenario,
)

__all__ = [
    "ContractView",
    "MerchantView",
    "PaymentState",
    "PaymentView",
    "Product",
    "RefundState",
    "RefundView",
    "Scenario",
]
