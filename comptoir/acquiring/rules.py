"""What the acquirer decides: which contract holds, what may be cancelled or refunded, how much goes back."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from comptoir.acquiring import errors
from comptoir.acquiring.errors import MerchantInvalid, Refused
from comptoir.acquiring.types import ContractView, MerchantView, PaymentState, PaymentView, Product
from comptoir.kernel.clock import CHINA
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.money import Money

#: A payment lives at most this long, so that its quote (30 minutes, at most 5 of them gone) outlives it.
#: The interface says "less than 10 minutes" on one page and 14 by default on another (antom-api.md §2.1).
LONGEST_EXPIRY = timedelta(minutes=25)

#: A session lives an hour, unless it is to end sooner (docs.antom.com "createPaymentSession", November 2026).
#: No longer: what the merchant is owed in another currency was fixed when it was opened.
SESSION_LIFE = timedelta(hours=1)

#: The most a contract's traveller margin may be: ten percent, in hundredths of a percent.
LARGEST_MARGIN_BPS = 1000

_REF = re.compile(r"[A-Za-z0-9._-]{1,32}")
_MCC = re.compile(r"[0-9]{4}")
_COUNTRY = re.compile(r"[A-Z]{2}")


def contract_for(
    merchant: MerchantView | None, currency: str, settlement_currency: str | None
) -> ContractView:
    """The contract under which this merchant may charge in `currency`. Raises Refused."""
    if merchant is None:
        raise Refused("the merchant is not registered", code=errors.MERCHANT_UNKNOWN)
    if not merchant.active:
        raise Refused("the merchant is not active", code=errors.MERCHANT_INACTIVE)
    wanted = [c for c in merchant.contracts if settlement_currency in (None, c.settlement_currency)]
    if not wanted:
        raise Refused(
            f"no contract settles in {settlement_currency}",
            code=errors.SETTLEMENT_NOT_CONTRACTED,
            field="settlementStrategy.settlementCurrency",
        )
    if settlement_currency is None and len(wanted) > 1:
        same = [c for c in wanted if c.settlement_currency == currency]
        if not same:
            raise Refused(
                "several contracts hold: name the settlement currency",
                code=errors.SETTLEMENT_NOT_CONTRACTED,
                field="settlementStrategy.settlementCurrency",
            )
        wanted = same
    if currency not in wanted[0].payment_currencies:
        raise Refused(
            f"the contract does not take {currency}",
            code=errors.CURRENCY_NOT_SUPPORTED,
            field="paymentAmount.currency",
        )
    return wanted[0]


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
    product: str, amount: Money, method_type: str, code: str | None, quote_id: UUID | None = None
) -> bytes:
    """What must be the same for a repeated request to be a repeat (antom-api.md §3.3, November 2026):
    product, amount, the payment method with the scanned code, and the quote where one is asked for: another
    price is another payment (decision 0021). The code itself is not kept."""
    parts = [product, amount.currency, str(amount.minor), method_type, code or ""]
    if quote_id is not None:
        parts.append(quote_id.hex)
    return sha256("\x1f".join(parts).encode()).digest()


def refund_hash(payment_id: str, amount: Money) -> bytes:
    """What must be the same for a repeated refund request to be a repeat: payment and amount."""
    return sha256("\x1f".join((payment_id, amount.currency, str(amount.minor))).encode()).digest()


def cancel_refusal(payment: PaymentView, now: datetime) -> str | None:
    """Why this payment cannot be cancelled now, or None.

    The window is open until 00:15 UTC+8 of the day after the payment (antom-api.md §2.5).
    """
    if payment.refunded:
        return errors.CANCEL_AFTER_REFUND
    paid = payment.finished_at or payment.created_at
    midnight = paid.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    if payment.state is PaymentState.SUCCESS and now >= midnight + timedelta(days=1, minutes=15):
        return errors.CANCEL_WINDOW
    return None


def refund_refusal(payment: PaymentView, amount: Money, window_days: int, now: datetime) -> str | None:
    """Why this refund cannot be, or None."""
    if payment.state is PaymentState.CANCELLED:
        return errors.PAYMENT_CANCELLED
    if payment.state is not PaymentState.SUCCESS:
        return errors.PAYMENT_NOT_PAID
    if amount.currency != payment.amount.currency:
        return errors.REFUND_CURRENCY
    if payment.refunded + amount.minor > payment.amount.minor:
        return errors.REFUND_EXCEEDS
    if now > (payment.finished_at or payment.created_at) + timedelta(days=window_days):
        return errors.REFUND_WINDOW
    return None


class RefundParts(NamedTuple):
    """What goes back, in minor units: to the wallet (mid part and margin part), and from the merchant."""

    mid: int
    margin: int
    settlement: int


def refund_parts(payment: PaymentView, amount: Money) -> RefundParts:
    """The parts of a refund at the payment's own rate.

    Each part is what is due for all refunds so far, rounded down, less what went back before: so many
    small refunds give back exactly what one large one would, and the last gives back the rest.
    """
    if payment.wallet_total is None or payment.wallet_margin is None:
        raise InvariantBroken("a payment that no wallet paid cannot be refunded")
    margin = payment.wallet_margin.minor
    mid = payment.wallet_total.minor - margin
    return RefundParts(
        _part(mid, payment.wallet_refunded - payment.margin_refunded, payment, amount),
        _part(margin, payment.margin_refunded, payment, amount),
        settlement_part(payment, amount),
    )


def settlement_part(payment: PaymentView, amount: Money) -> int:
    """What a refund of `amount` takes from the merchant, in minor units of the settlement currency."""
    return _part(payment.settlement.minor, payment.settlement_refunded, payment, amount)


def _part(whole: int, gone: int, payment: PaymentView, amount: Money) -> int:
    """What of `whole` is due for all refunds with this one, less what is gone.

    Never negative: after a refund that another issuer refused, one minor unit more than due may be gone.
    """
    due = whole * (payment.refunded + amount.minor) // payment.amount.minor
    return max(due - gone, 0)


def check_ref(ref: str) -> str:
    """A merchant's public reference: 1 to 32 letters, digits, dots, dashes, underscores.

    Raises MerchantInvalid.
    """
    if not _REF.fullmatch(ref):
        raise MerchantInvalid(
            "a merchant's reference is 1 to 32 letters, digits, dots, dashes or underscores", field="ref"
        )
    return ref


def check_label(text: str, field: str, longest: int) -> str:
    """A name for people or a reference of the merchant's own: trimmed, printable. Raises MerchantInvalid."""
    cleaned = text.strip()
    if not 1 <= len(cleaned) <= longest or not cleaned.isprintable():
        raise MerchantInvalid(f"{field} has 1 to {longest} printable characters", field=field)
    return cleaned


def check_mcc(mcc: str) -> str:
    """A merchant category code of ISO 18245: four digits. Raises MerchantInvalid."""
    if not _MCC.fullmatch(mcc):
        raise MerchantInvalid("a merchant category code (ISO 18245) has four digits", field="mcc")
    return mcc


def check_country(country: str) -> str:
    """A country code of ISO 3166-1 alpha-2: two capital letters. Raises MerchantInvalid."""
    if not _COUNTRY.fullmatch(country):
        raise MerchantInvalid("a country (ISO 3166-1 alpha-2) is two capital letters", field="country")
    return country


def check_terms(
    margin_bps: int, in_store_expiry_s: int, online_expiry_s: int, refund_window_days: int, overdraft: int
) -> None:
    """Refuse terms that no contract may have. Seconds, days, minor units. Raises MerchantInvalid."""
    longest = int(LONGEST_EXPIRY.total_seconds())
    if not 0 <= margin_bps <= LARGEST_MARGIN_BPS:
        raise MerchantInvalid(f"a margin is 0 to {LARGEST_MARGIN_BPS} basis points", field="margin_bps")
    if not (0 < in_store_expiry_s <= longest and 0 < online_expiry_s <= longest):
        raise MerchantInvalid(f"a payment lives 1 to {longest} seconds", field="expiry_s")
    if not 0 < refund_window_days <= 3650:
        raise MerchantInvalid("refunds are taken for 1 to 3650 days", field="refund_window_days")
    if overdraft < 0:
        raise MerchantInvalid("an overdraft is not below zero", field="overdraft")
