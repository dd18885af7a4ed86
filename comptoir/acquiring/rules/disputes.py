"""What may be disputed, what a dispute holds, and what its documents are."""

from __future__ import annotations

from datetime import datetime, timedelta

from comptoir.acquiring import errors
from comptoir.acquiring.errors import DocumentUnfit
from comptoir.acquiring.rules.shares import taken
from comptoir.acquiring.types import (
    DisputeKind,
    DisputeState,
    DisputeView,
    DocumentFormat,
    PaymentState,
    PaymentView,
)
from comptoir.kernel.money import Money

#: How long before a defense is due the merchant is reminded (docs.antom.com "notifyDispute", November 2026);
#: at most half of the time it has.
DISPUTE_ALERT = timedelta(days=1)

#: The largest document of a dispute: what 1,000,000 characters of Base64 hold (antom-api.md §2.15).
LARGEST_DOCUMENT = 750_000
_FORMATS = (
    (b"%PDF-", DocumentFormat.PDF),
    (b"\xff\xd8\xff", DocumentFormat.JPG),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DocumentFormat.WORD),
)


def document_format(content: bytes) -> DocumentFormat:
    """What a document is, by its own bytes: PDF, JPEG, or Word (both of its forms). Raises DocumentUnfit."""
    if not 0 < len(content) <= LARGEST_DOCUMENT:
        raise DocumentUnfit(f"a document has 1 to {LARGEST_DOCUMENT:,} bytes", field="disputeEvidence")
    for mark, kind in _FORMATS:
        if content.startswith(mark):
            return kind
    # The newer form is a ZIP archive, which names its parts in the clear.
    if content.startswith(b"PK\x03\x04") and b"word/document.xml" in content:
        return DocumentFormat.WORD
    raise DocumentUnfit("a document is PDF, Word or JPEG", field="disputeEvidence")


def has_money(dispute: DisputeView) -> bool:
    """Whether a dispute takes something of what may be refunded: a chargeback that waits or was lost."""
    let_go = (DisputeState.WON, DisputeState.CANCELLED)
    return dispute.kind is DisputeKind.CHARGEBACK and dispute.state not in let_go


def dispute_alert(created_at: datetime, due_at: datetime) -> datetime:
    """When the merchant is reminded that its defense is due."""
    return due_at - min(DISPUTE_ALERT, (due_at - created_at) / 2)


def dispute_refusal(payment: PaymentView, amount: Money, kind: DisputeKind) -> str | None:
    """Why this payment cannot be disputed for `amount`, or None: only what was paid and not given back."""
    if payment.state is PaymentState.CANCELLED:
        return errors.PAYMENT_CANCELLED
    if payment.state is not PaymentState.SUCCESS or not taken(payment):
        return errors.PAYMENT_NOT_PAID
    if amount.currency != payment.amount.currency:
        return errors.REFUND_CURRENCY
    given = payment.refunded if kind is DisputeKind.CHARGEBACK else 0
    return errors.DISPUTE_EXCEEDS if given + amount.minor > taken(payment) else None
