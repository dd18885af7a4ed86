"""How long a payment lives, what is a repeat, and what may be cancelled, captured, changed or refunded."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from comptoir.acquiring import errors
from comptoir.acquiring.errors import Refused
from comptoir.acquiring.rules.shares import taken
from comptoir.acquiring.types import (
    CaptureMode,
    CaptureView,
    ContractView,
    PaymentState,
    PaymentView,
    Product,
)
from comptoir.kernel.clock import CHINA
from comptoir.kernel.money import Money

#: A payment lives at most this long, so that its quote (30 minutes, at most 5 of them gone) outlives it.
#: The interface says "less than 10 minutes" on one page and 14 by default on another (antom-api.md §2.1).
LONGEST_EXPIRY = timedelta(minutes=25)

#: A session lives an hour, unless it is to end sooner (docs.antom.com "createPaymentSession", November 2026).
#: No longer: what the merchant is owed in another currency was fixed when it was opened.
SESSION_LIFE = timedelta(hours=1)

#: How long an authorization holds money for captures: seven days, then it is released (docs.antom.com,
#: "Capture", November 2026). Changing its amount does not prolong it.
AUTHORIZATION_LIFE = timedelta(days=7)


def expiry(contract: ContractView, product: Product, asked: datetime | None, now: datetime) -> datetime:
    """Until when a payment may be paid. Raises Refused for an instant that has passed or is too far."""
    if asked is None:
        seconds = contract.in_store_expiry_s if product is Product.IN_STORE else contract.online_expiry_s
        return now + timedelta(seconds=seconds)
    if asked <= now:
        raise Refused("the expiry has passed", code=errors.EXPIRY_INVALID, field="paymentExpiryTime")
    return min(asked, now + LONGEST_EXPIRY)


def session_expiry(asked: datetime | None, now: datetime) -> datetime:
    """Until when a session may be paid: an hour, or less. Raises Refused for an instant that has passed."""
    if asked is not None and asked <= now:
        raise Refused("the expiry has passed", code=errors.EXPIRY_INVALID, field="paymentSessionExpiryTime")
    longest = now + SESSION_LIFE
    return longest if asked is None else min(asked, longest)


def payment_hash(
    product: str,
    amount: Money,
    method_type: str,
    code: str | None,
    quote_id: UUID | None = None,
    capture_mode: str | None = None,
) -> bytes:
    """What must be the same for a repeated request to be a repeat (antom-api.md §3.3, November 2026):
    product, amount, the payment method with the scanned code, and the quote where one is asked for: another
    price is another payment (decision 0021), and so is an authorization. The code itself is not kept."""
    parts = [product, amount.currency, str(amount.minor), method_type, code or ""]
    if quote_id is not None:
        parts.append(quote_id.hex)
    if capture_mode is not None:
        parts.append(capture_mode)
    return _hash(*parts)


def step_hash(payment_id: str, amount: Money, capture_id: str | None = None) -> bytes:
    """What must be the same for a repeated request about a payment (a refund, a capture, a change of its
    amount) to be a repeat: payment and amount, and of a refund the capture that it names."""
    return _hash(payment_id, amount.currency, str(amount.minor), *([capture_id] if capture_id else []))


def _hash(*parts: str) -> bytes:
    return sha256("\x1f".join(parts).encode()).digest()


def cancel_refusal(payment: PaymentView, now: datetime) -> str | None:
    """Why this payment cannot be cancelled now, or None.

    The window is open until 00:15 UTC+8 of the day after the payment; for an authorization it is as long
    as its money is held and nothing was captured (antom-api.md §2.5).
    """
    if payment.refunded:
        return errors.CANCEL_AFTER_REFUND
    if payment.capture_mode is CaptureMode.MANUAL and payment.state is PaymentState.SUCCESS:
        return errors.CANCEL_AFTER_CAPTURE if payment.captured else None
    paid = payment.finished_at or payment.created_at
    midnight = paid.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    if payment.state is PaymentState.SUCCESS and now >= midnight + timedelta(days=1, minutes=15):
        return errors.CANCEL_WINDOW
    return None


def authorization_refusal(payment: PaymentView, now: datetime) -> str | None:
    """Why nothing can be captured of this payment, nor its amount be changed, or None."""
    if payment.capture_mode is not CaptureMode.MANUAL:
        return errors.AUTHORIZATION_MISSING
    ended_at = payment.cancelled_at or now
    if payment.auth_expires_at is not None and ended_at >= payment.auth_expires_at:
        return errors.AUTHORIZATION_EXPIRED
    if payment.state is PaymentState.CANCELLED:
        return errors.AUTHORIZATION_CANCELLED
    return None if payment.state is PaymentState.SUCCESS else errors.PAYMENT_NOT_PAID


def capture_refusal(payment: PaymentView, amount: Money, now: datetime) -> str | None:
    """Why this capture cannot be, or None."""
    reason = authorization_refusal(payment, now)
    if reason is not None:
        return reason
    if amount.currency != payment.amount.currency:
        return errors.CAPTURE_CURRENCY
    if payment.hold_id is None or payment.captured + amount.minor > payment.amount.minor:
        return errors.CAPTURE_EXCEEDS
    return None


def update_refusal(payment: PaymentView, amount: Money, now: datetime) -> str | None:
    """Why an authorized amount cannot become `amount`, or None. The wallet's word comes after this one."""
    reason = authorization_refusal(payment, now)
    if reason is not None:
        return reason
    if payment.captured:
        return errors.UPDATE_AFTER_CAPTURE
    return errors.CAPTURE_CURRENCY if amount.currency != payment.amount.currency else None


def refund_refusal(
    payment: PaymentView,
    amount: Money,
    window_days: int,
    now: datetime,
    capture: CaptureView | None = None,
) -> str | None:
    """Why this refund (of `capture` alone, if the merchant names one) cannot be, or None."""
    if payment.state is PaymentState.CANCELLED:
        return errors.PAYMENT_CANCELLED
    if payment.state is not PaymentState.SUCCESS:
        return errors.PAYMENT_NOT_PAID
    if amount.currency != payment.amount.currency:
        return errors.REFUND_CURRENCY
    if payment.capture_mode is not None and not payment.captured:
        return errors.PAYMENT_NOT_PAID
    if payment.refunded + amount.minor > taken(payment):
        return errors.REFUND_EXCEEDS
    if capture is not None and capture.refunded + amount.minor > capture.amount.minor:
        return errors.REFUND_EXCEEDS
    if now > (payment.finished_at or payment.created_at) + timedelta(days=window_days):
        return errors.REFUND_WINDOW
    return None
