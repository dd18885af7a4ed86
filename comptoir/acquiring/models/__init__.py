"""Tables of the acquirer, by noun. Every one carries the merchant's id first in its key."""

from __future__ import annotations

from comptoir.acquiring.models.agreements import (
    Agreement,
    Subscription,
    SubscriptionChange,
    SubscriptionPayment,
)
from comptoir.acquiring.models.disputes import Conflict, Dispute, DisputeDocument
from comptoir.acquiring.models.merchants import Contract, EntryCode, Merchant, Store, Terminal
from comptoir.acquiring.models.payments import AmountUpdate, Capture, Payment, Refund

__all__ = [
    "Agreement",
    "AmountUpdate",
    "Capture",
    "Conflict",
    "Contract",
    "Dispute",
    "DisputeDocument",
    "EntryCode",
    "Merchant",
    "Payment",
    "Refund",
    "Store",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionPayment",
    "Terminal",
]
