"""The payment that a phase of a subscription asks for: for its decision, and for the risk rules before it."""

from __future__ import annotations

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import Product, SubscriptionView
from comptoir.flows.types import Pay, Renew
from comptoir.kernel.clock import isoformat


def phase_payment(one: SubscriptionView, command: Renew) -> Pay:
    """What is asked of the wallet for the phase that is due, under the request id of this try."""
    begins = acquiring.rules.phase_start(one, one.phase)
    ends = acquiring.rules.phase_start(one, one.phase + 1)
    return Pay(
        merchant_id=one.merchant_id,
        client_ref=one.client_ref,
        request_ref=command.payment_ref,
        product=Product.AGREEMENT,
        scenario=None,
        amount=acquiring.rules.phase_amount(one, one.phase),
        method_type=one.method_type,
        agreement_id=one.id,
        settlement_currency=one.settlement_currency,
        notify_url=one.payment_notify_url,
        details={
            "description": one.description,
            "subscriptionId": one.id.hex,
            "subscriptionRequestId": one.request_ref,
            "periodStartTime": isoformat(begins),
            "periodEndTime": isoformat(ends),
            "phaseNo": one.phase,
        },
    )
