"""What the API does once a request is believed: one module per operation.

Each reads its request, submits one command or asks one question, and says the outcome on the wire.
"""

from __future__ import annotations

from functools import partial

from comptoir.gateway.call import Operations
from comptoir.gateway.operations import (
    cancel,
    consult,
    exchange_rate,
    inquiry_payment,
    inquiry_refund,
    notification,
    pay,
    refund,
)
from comptoir.gateway.operations.services import Services

__all__ = ["Services", "operations"]


def operations(services: Services) -> Operations:
    """Every operation that is open, by its name in the catalogue of paths."""
    return {
        "payments/pay": partial(pay.pay, services),
        "payments/inquiryPayment": partial(inquiry_payment.inquiry_payment, services),
        "payments/consult": partial(consult.consult, services),
        "payments/inquireExchangeRate": partial(exchange_rate.exchange_rate, services),
        "notification/inquireNotification": partial(notification.inquire_notification, services),
        "notification/inquireNotificationList": partial(notification.inquire_notification_list, services),
        "payments/cancel": partial(cancel.cancel, services),
        "payments/refund": partial(refund.refund, services),
        "payments/inquiryRefund": partial(inquiry_refund.inquiry_refund, services),
    }
