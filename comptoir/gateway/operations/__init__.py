"""What the API does once a request is believed: one module per operation.

Each reads its request, submits one command or asks one question, and says the outcome on the wire.
"""

from __future__ import annotations

from functools import partial

from comptoir.gateway.call import Operations
from comptoir.gateway.operations import (
    acquirer,
    agreements,
    cancel,
    capture,
    consult,
    disputes,
    exchange_rate,
    inquiry_payment,
    inquiry_refund,
    notification,
    pay,
    payment_session,
    refund,
    subscriptions,
    update_amount,
)
from comptoir.gateway.operations.services import Services

__all__ = ["Services", "operations"]


def operations(services: Services) -> Operations:
    """Every operation that is open, by its key in the catalogue of paths."""
    return {
        "payments/pay": partial(pay.pay, services),
        "payments/createPaymentSession": partial(payment_session.create_payment_session, services),
        "payments/retrievePaymentSession": partial(payment_session.retrieve_payment_session, services),
        "payments/inquiryPayment": partial(inquiry_payment.inquiry_payment, services),
        "payments/consult": partial(consult.consult, services),
        "payments/inquireExchangeRate": partial(exchange_rate.exchange_rate, services),
        "notification/inquireNotification": partial(notification.inquire_notification, services),
        "notification/inquireNotificationList": partial(notification.inquire_notification_list, services),
        "payments/cancel": partial(cancel.cancel, services),
        "payments/capture": partial(capture.capture, services),
        "payments/updateAmount": partial(update_amount.update_amount, services),
        "payments/refund": partial(refund.refund, services),
        "payments/inquiryRefund": partial(inquiry_refund.inquiry_refund, services),
        "payments/acceptDispute": partial(disputes.accept_dispute, services),
        "payments/supplyDefenseDocument": partial(disputes.supply_defense_document, services),
        "payments/downloadDisputeEvidence": partial(disputes.download_dispute_evidence, services),
        "aps/payments/pay": partial(acquirer.pay, services),
        "aps/payments/inquiryPayment": partial(acquirer.inquiry_payment, services),
        "aps/payments/cancelPayment": partial(acquirer.cancel_payment, services),
        "aps/payments/refund": partial(acquirer.refund, services),
        "subscriptions/create": partial(subscriptions.create, services),
        "subscriptions/change": partial(subscriptions.change, services),
        "subscriptions/update": partial(subscriptions.update, services),
        "subscriptions/cancel": partial(subscriptions.cancel, services),
        "subscriptions/inquiry": partial(subscriptions.inquiry, services),
        "subscriptions/inquireSubscription": partial(subscriptions.inquire_subscription, services),
        "subscriptions/inquireSubscriptionList": partial(subscriptions.inquire_subscription_list, services),
        "subscriptions/inquireSubscriptionPayment": partial(
            subscriptions.inquire_subscription_payment, services
        ),
        "authorizations/consult": partial(agreements.consult, services),
        "authorizations/applyToken": partial(agreements.apply_token, services),
        "authorizations/revoke": partial(agreements.revoke, services),
        "authorizations/query": partial(agreements.query, services),
    }
