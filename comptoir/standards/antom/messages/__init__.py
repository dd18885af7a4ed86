"""Every message of the API that Comptoir speaks.

Read one with a `Codec` built once per kind (``Codec(PayRequest).decode(body)``), write one with
`encode`. `Amount.money()` and `Amount.of()` lead to and from the house's own money.
"""

from __future__ import annotations

from comptoir.standards.antom.messages.alipay_plus import (
    AcquirerCancelResponse,
    AcquirerInquiryResponse,
    AcquirerPaymentFactor,
    AcquirerPaymentNotification,
    AcquirerPayRequest,
    AcquirerPayResponse,
    AcquirerRefundRequest,
    AcquirerRefundResponse,
)
from comptoir.standards.antom.messages.consult import (
    AmountLimit,
    AmountLimits,
    ConsultRequest,
    ConsultResponse,
    DisableReason,
    PaymentOption,
)
from comptoir.standards.antom.messages.notifications import (
    Acknowledgement,
    PaymentNotification,
    RefundNotification,
    is_acknowledged,
)
from comptoir.standards.antom.messages.payments import (
    CancelRequest,
    CancelResponse,
    InquiryPaymentRequest,
    InquiryPaymentResponse,
    PayRequest,
    PayResponse,
)
from comptoir.standards.antom.messages.rates import (
    CurrencyPair,
    InquireExchangeRateRequest,
    InquireExchangeRateResponse,
    PaymentQuote,
    RateType,
)
from comptoir.standards.antom.messages.refunds import (
    InquiryRefundRequest,
    InquiryRefundResponse,
    RefundRequest,
    RefundResponse,
)
from comptoir.standards.antom.messages.replay import (
    InquireNotificationListRequest,
    InquireNotificationListResponse,
    InquireNotificationRequest,
    InquireNotificationResponse,
    NotificationEvent,
)
from comptoir.standards.antom.messages.sessions import (
    CreatePaymentSessionRequest,
    CreatePaymentSessionResponse,
    RetrievePaymentSessionRequest,
    RetrievePaymentSessionResponse,
)
from comptoir.standards.antom.messages.shared import (
    Amount,
    CodeDetail,
    Env,
    Goods,
    InStorePaymentScenario,
    Merchant,
    Order,
    OrderCodeForm,
    PaymentFactor,
    PaymentMethod,
    ProductCode,
    PspCustomerInfo,
    Quote,
    Result,
    SettlementStrategy,
    Store,
    Transaction,
)
from comptoir.standards.antom.messages.wire import Codec, Message, encode

__all__ = [
    "Acknowledgement",
    "AcquirerCancelResponse",
    "AcquirerInquiryResponse",
    "AcquirerPayRequest",
    "AcquirerPayResponse",
    "AcquirerPaymentFactor",
    "AcquirerPaymentNotification",
    "AcquirerRefundRequest",
    "AcquirerRefundResponse",
    "Amount",
    "AmountLimit",
    "AmountLimits",
    "CancelRequest",
    "CancelResponse",
    "CodeDetail",
    "Codec",
    "ConsultRequest",
    "ConsultResponse",
    "CreatePaymentSessionRequest",
    "CreatePaymentSessionResponse",
    "CurrencyPair",
    "DisableReason",
    "Env",
    "Goods",
    "InStorePaymentScenario",
    "InquireExchangeRateRequest",
    "InquireExchangeRateResponse",
    "InquireNotificationListRequest",
    "InquireNotificationListResponse",
    "InquireNotificationRequest",
    "InquireNotificationResponse",
    "InquiryPaymentRequest",
    "InquiryPaymentResponse",
    "InquiryRefundRequest",
    "InquiryRefundResponse",
    "Merchant",
    "Message",
    "NotificationEvent",
    "Order",
    "OrderCodeForm",
    "PayRequest",
    "PayResponse",
    "PaymentFactor",
    "PaymentMethod",
    "PaymentNotification",
    "PaymentOption",
    "PaymentQuote",
    "ProductCode",
    "PspCustomerInfo",
    "Quote",
    "RateType",
    "RefundNotification",
    "RefundRequest",
    "RefundResponse",
    "Result",
    "RetrievePaymentSessionRequest",
    "RetrievePaymentSessionResponse",
    "SettlementStrategy",
    "Store",
    "Transaction",
    "encode",
    "is_acknowledged",
]
