"""What the outbox holds for the worker: each topic is handled by one of its jobs."""

from __future__ import annotations

from typing import Final

#: Tell the merchant how a payment, a refund, a capture, or a change of an authorized amount ended
#: (flows.notifications).
NOTIFY_PAYMENT: Final = "notify.payment"
NOTIFY_REFUND: Final = "notify.refund"
NOTIFY_CAPTURE: Final = "notify.capture"
NOTIFY_AMOUNT: Final = "notify.amount"

#: Tell the merchant that an agreement has tokens, or has ended (flows.notifications).
NOTIFY_AGREEMENT: Final = "notify.agreement"

#: Tell the merchant that a subscription began, changed or ended.
NOTIFY_SUBSCRIPTION: Final = "notify.subscription"

#: Tell the merchant what happened to a dispute (flows.notifications).
NOTIFY_DISPUTE: Final = "notify.dispute"

#: Try whether a merchant's server hears us and acknowledges; about no record, and told once.
NOTIFY_TEST: Final = "notify.test"

#: Ask another issuer what became of a payment; have it reversed; have a refund made; ask which of two
#: contradictory answers holds (flows.worker.issuers).
ISSUER_RESOLVE: Final = "issuer.resolve"
ISSUER_REVERSE: Final = "issuer.reverse"
ISSUER_REFUND: Final = "issuer.refund"
ISSUER_CHECK: Final = "issuer.check"
