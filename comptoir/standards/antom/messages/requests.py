"""Which message each operation reads, by the operation's key in the catalogue of paths."""

from __future__ import annotations

from typing import Final

import msgspec

from comptoir.standards.antom import messages as wire

#: What each open operation reads. What it answers stands in its own signature.
REQUESTS: Final[dict[str, type[msgspec.Struct]]] = {
    "payments/pay": wire.PayRequest,
    "payments/inquiryPayment": wire.InquiryPaymentRequest,
    "payments/cancel": wire.CancelRequest,
    "payments/refund": wire.RefundRequest,
    "payments/inquiryRefund": wire.InquiryRefundRequest,
    "payments/capture": wire.CaptureRequest,
    "payments/updateAmount": wire.UpdateAmountRequest,
    "payments/consult": wire.ConsultRequest,
    "payments/inquireExchangeRate": wire.InquireExchangeRateRequest,
    "payments/createPaymentSession": wire.CreatePaymentSessionRequest,
    "payments/retrievePaymentSession": wire.RetrievePaymentSessionRequest,
    "authorizations/consult": wire.AuthConsultRequest,
    "authorizations/applyToken": wire.ApplyTokenRequest,
    "authorizations/revoke": wire.RevokeRequest,
    "authorizations/query": wire.QueryTokenRequest,
    "payments/acceptDispute": wire.AcceptDisputeRequest,
    "payments/supplyDefenseDocument": wire.SupplyDefenseDocumentRequest,
    "payments/downloadDisputeEvidence": wire.DownloadDisputeEvidenceRequest,
    "notification/inquireNotification": wire.InquireNotificationRequest,
    "notification/inquireNotificationList": wire.InquireNotificationListRequest,
    "subscriptions/create": wire.SubscriptionCreateRequest,
    "subscriptions/change": wire.SubscriptionChangeRequest,
    "subscriptions/update": wire.SubscriptionUpdateRequest,
    "subscriptions/cancel": wire.SubscriptionCancelRequest,
    "subscriptions/inquiry": wire.SubscriptionInquiryRequest,
    "subscriptions/inquireSubscription": wire.SubscriptionInquiryRequest,
    "subscriptions/inquireSubscriptionList": wire.SubscriptionListRequest,
    "subscriptions/inquireSubscriptionPayment": wire.SubscriptionPaymentsRequest,
    "aps/payments/pay": wire.AcquirerPayRequest,
    "aps/payments/inquiryPayment": wire.InquiryPaymentRequest,
    "aps/payments/cancelPayment": wire.CancelRequest,
    "aps/payments/refund": wire.AcquirerRefundRequest,
}
