"""The acquirer's door."""

from __future__ import annotations

from comptoir.acquiring import errors, rules
from comptoir.acquiring.errors import (
    ContractExists,
    MerchantExists,
    MerchantInvalid,
    MerchantUnknown,
    Refused,
    StoreExists,
    StoreUnknown,
    TerminalExists,
)
from comptoir.acquiring.operations.engine import store_payments, store_refunds
from comptoir.acquiring.operations.merchants import (
    add_store,
    add_terminal,
    open_contract,
    register_merchant,
    set_status,
)
from comptoir.acquiring.queries.merchants import (
    decode_merchants,
    merchant_summaries,
    merchant_summary,
    merchants,
)
from comptoir.acquiring.queries.payments import (
    decode_payments,
    decode_refunds,
    due_payments,
    payments_by_id,
    payments_by_order_code,
    payments_by_request,
    refunds_by_id,
    refunds_by_request,
    refunds_of_payment,
)
from comptoir.acquiring.queries.proof import (
    AtQuote,
    Expected,
    counts,
    expected_movements,
    payments_at_quotes,
    refund_difference,
)
from comptoir.acquiring.types import (
    ContractView,
    MerchantSummary,
    MerchantView,
    PaymentState,
    PaymentView,
    Product,
    RefundState,
    RefundView,
    Scenario,
    StoreSummary,
)

__all__ = [
    "AtQuote",
    "ContractExists",
    "ContractView",
    "Expected",
    "MerchantExists",
    "MerchantInvalid",
    "MerchantSummary",
    "MerchantUnknown",
    "MerchantView",
    "PaymentState",
    "PaymentView",
    "Product",
    "RefundState",
    "RefundView",
    "Refused",
    "Scenario",
    "StoreExists",
    "StoreSummary",
    "StoreUnknown",
    "TerminalExists",
    "add_store",
    "add_terminal",
    "counts",
    "decode_merchants",
    "decode_payments",
    "decode_refunds",
    "due_payments",
    "errors",
    "expected_movements",
    "merchant_summaries",
    "merchant_summary",
    "merchants",
    "open_contract",
    "payments_at_quotes",
    "payments_by_id",
    "payments_by_order_code",
    "payments_by_request",
    "refund_difference",
    "refunds_by_id",
    "refunds_by_request",
    "refunds_of_payment",
    "register_merchant",
    "rules",
    "set_status",
    "store_payments",
    "store_refunds",
]
