"""Values of the acquirer, by noun: what a payment and a refund are to everyone outside this context."""

from __future__ import annotations

from comptoir.acquiring.types.agreements import AgreementEnd, AgreementState, AgreementView
from comptoir.acquiring.types.disputes import (
    DOCUMENT_PURPOSE,
    AcceptReason,
    ConflictView,
    DisputeKind,
    DisputeState,
    DisputeView,
    Document,
    DocumentFormat,
    DocumentRole,
)
from comptoir.acquiring.types.merchants import (
    ContractView,
    EntryCodeView,
    MerchantSummary,
    MerchantView,
    StoreSummary,
)
from comptoir.acquiring.types.payments import (
    STAFF,
    AmountUpdateView,
    CaptureMode,
    CaptureView,
    PaymentState,
    PaymentView,
    Product,
    RefundState,
    RefundView,
    Scenario,
    StepState,
)
from comptoir.acquiring.types.subscriptions import (
    Period,
    PeriodType,
    SubscriptionChange,
    SubscriptionPayment,
    SubscriptionState,
    SubscriptionView,
    Trial,
)

__all__ = [
    "DOCUMENT_PURPOSE",
    "STAFF",
    "AcceptReason",
    "AgreementEnd",
    "AgreementState",
    "AgreementView",
    "AmountUpdateView",
    "CaptureMode",
    "CaptureView",
    "ConflictView",
    "ContractView",
    "DisputeKind",
    "DisputeState",
    "DisputeView",
    "Document",
    "DocumentFormat",
    "DocumentRole",
    "EntryCodeView",
    "MerchantSummary",
    "MerchantView",
    "PaymentState",
    "PaymentView",
    "Period",
    "PeriodType",
    "Product",
    "RefundState",
    "RefundView",
    "Scenario",
    "StepState",
    "StoreSummary",
    "SubscriptionChange",
    "SubscriptionPayment",
    "SubscriptionState",
    "SubscriptionView",
    "Trial",
]
