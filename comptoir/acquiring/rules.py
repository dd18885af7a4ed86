"""What the acquirer decides: which contract holds, what may be cancelled or refunded, how much goes back."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from comptoir.acquiring import errors
from comptoir.acquiring.errors import DocumentUnfit, MerchantInvalid, Refused
from comptoir.acquiring.types import (
    AgreementState,
    AgreementView,
    CaptureMode,
    CaptureView,
    ContractView,
    DisputeKind,
    DisputeState,
    DisputeView,
    DocumentFormat,
    MerchantView,
    PaymentState,
    PaymentView,
    Period,
    PeriodType,
    Product,
    SubscriptionState,
    SubscriptionView,
)
from comptoir.kernel.clock import CHINA
from comptoir.kernel.errors import InvalidValue, InvariantBroken
from comptoir.kernel.money import Money
from comptoir.standards import time_zones

#: A payment lives at most this long, so that its quote (30 minutes, at most 5 of them gone) outlives it.
#: The interface says "less than 10 minutes" on one page and 14 by default on another (antom-api.md §2.1).
LONGEST_EXPIRY = timedelta(minutes=25)

#: A session lives an hour, unless it is to end sooner (docs.antom.com "createPaymentSession", November 2026).
#: No longer: what the merchant is owed in another currency was fixed when it was opened.
SESSION_LIFE = timedelta(hours=1)

#: How long an authorization holds money for captures: seven days, then it is released (docs.antom.com,
#: "Capture", November 2026). Changing its amount does not prolong it.
AUTHORIZATION_LIFE = timedelta(days=7)

#: The most a contract's traveller margin may be: ten percent, in hundredths of a percent.
LARGEST_MARGIN_BPS = 1000

#: How long a traveller may take to approve an agreement (antom-api.md §3.5: 30 minutes for subscriptions).
CONSENT_TIME = timedelta(minutes=30)

#: An authorization code is exchanged at once; RFC 6749 §4.1.2 (October 2012) recommends 10 minutes at most.
AUTH_CODE_TIME = timedelta(minutes=10)

#: How long tokens are good. A refresh token outlives its access token by as much again.
ACCESS_TIME = timedelta(days=365)
REFRESH_TIME = timedelta(days=730)

#: A phase that could not be paid is tried again so long after it was due, as long as the next has not begun.
RETRY_AFTER = (timedelta(days=1), timedelta(days=3), timedelta(days=7))

#: No period is longer than ten years.
_LONGEST_PERIOD = {
    PeriodType.DAY: 3652,
    PeriodType.WEEK: 521,
    PeriodType.MONTH: 120,
    PeriodType.QUARTER: 40,
    PeriodType.HALF_YEAR: 20,
    PeriodType.YEAR: 10,
}
_DAYS = {PeriodType.DAY: 1, PeriodType.WEEK: 7}
_MONTHS = {PeriodType.MONTH: 1, PeriodType.QUARTER: 3, PeriodType.HALF_YEAR: 6, PeriodType.YEAR: 12}

_REF = re.compile(r"[A-Za-z0-9._-]{1,32}")
_MCC = re.compile(r"[0-9]{4}")
_COUNTRY = re.compile(r"[A-Z]{2}")


def check_active(merchant: MerchantView | None) -> MerchantView:
    """The merchant, if it is one that may take payments. Raises Refused."""
    if merchant is None:
        raise Refused("the merchant is not registered", code=errors.MERCHANT_UNKNOWN)
    if not merchant.active:
        raise Refused("the merchant is not active", code=errors.MERCHANT_INACTIVE)
    return merchant


def contract_for(
    merchant: MerchantView | None, currency: str, settlement_currency: str | None
) -> ContractView:
    """The contract under which this merchant may charge in `currency`. Raises Refused."""
    merchant = check_active(merchant)
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


def access_refusal(agreement: AgreementView | None, now: datetime) -> str | None:
    """Why an access token does not pay now, or None. Unknown, foreign, expired and ended look the same."""
    if agreement is None or agreement.state is not AgreementState.ACTIVE:
        return errors.ACCESS_TOKEN_INVALID
    if agreement.access_expires_at is None or now >= agreement.access_expires_at:
        return errors.ACCESS_TOKEN_INVALID
    return None


def auth_code_refusal(agreement: AgreementView | None, now: datetime) -> str | None:
    """Why an authorization code makes no tokens now, or None. A used one is as invalid as any other text."""
    if agreement is None or agreement.state is not AgreementState.APPROVED:
        return errors.AUTH_CODE_INVALID
    if agreement.grant_expires_at is None or now >= agreement.grant_expires_at:
        return errors.AUTH_CODE_EXPIRED
    return None


def refresh_refusal(agreement: AgreementView | None, refresh_hash: bytes, now: datetime) -> str | None:
    """Why a refresh token makes no tokens now, or None: unknown, used, expired and ended look the same."""
    if agreement is None or agreement.state is not AgreementState.ACTIVE:
        return errors.REFRESH_TOKEN_INVALID
    if agreement.refresh_hash != refresh_hash:
        return errors.REFRESH_TOKEN_INVALID
    if agreement.refresh_expires_at is None or now >= agreement.refresh_expires_at:
        return errors.REFRESH_TOKEN_INVALID
    return None


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


class Shares(NamedTuple):
    """What a capture or a refund moves, in minor units: of the wallet (mid part and margin part), and of the
    merchant."""

    mid: int
    margin: int
    settlement: int


def taken(payment: PaymentView) -> int:
    """What was taken of a paid payment, in minor units of its currency: all of it, or what was captured."""
    return payment.amount.minor if payment.capture_mode is None else payment.captured


def refundable(payment: PaymentView) -> Money:
    """What may still be given back of a payment: nothing of one that is not paid."""
    paid = payment.state is PaymentState.SUCCESS
    return Money(taken(payment) - payment.refunded if paid else 0, payment.amount.currency)


def whole_shares(payment: PaymentView) -> Shares:
    """A whole payment, as its wallet pays and its merchant is owed it."""
    if payment.wallet_total is None or payment.wallet_margin is None:
        raise InvariantBroken("no wallet has priced this payment")
    margin = payment.wallet_margin.minor
    return Shares(payment.wallet_total.minor - margin, margin, payment.settlement.minor)


def captured_shares(payment: PaymentView) -> Shares:
    """What was captured of an authorization."""
    return Shares(
        payment.wallet_captured - payment.margin_captured,
        payment.margin_captured,
        payment.settlement_captured,
    )


def capture_shares(payment: PaymentView, amount: Money) -> Shares:
    """What a capture of `amount` takes, at the authorization's own rate; the last one takes the rest."""
    done = payment.captured + amount.minor
    return _shares(whole_shares(payment), captured_shares(payment), done, payment.amount.minor)


def refund_shares(payment: PaymentView, amount: Money) -> Shares:
    """What a refund of `amount` gives back, at the payment's own rate; the last one gives back the rest."""
    gone = Shares(
        payment.wallet_refunded - payment.margin_refunded,
        payment.margin_refunded,
        payment.settlement_refunded,
    )
    whole = whole_shares(payment) if payment.capture_mode is None else captured_shares(payment)
    return _shares(whole, gone, payment.refunded + amount.minor, taken(payment))


def settlement_share(payment: PaymentView, amount: Money) -> int:
    """What a refund of `amount` takes from the merchant where the wallet is another issuer's."""
    done = payment.refunded + amount.minor
    return _share(payment.settlement.minor, payment.settlement_refunded, done, payment.amount.minor)


def _shares(whole: Shares, gone: Shares, done: int, of: int) -> Shares:
    return Shares(*(_share(all_, before, done, of) for all_, before in zip(whole, gone, strict=True)))


def _share(whole: int, gone: int, done: int, of: int) -> int:
    """What of `whole` is due for the steps so far, this one included (`done` out of `of`), less what is gone.

    Rounded down as a sum, so many small steps come to exactly what one large one would, and the one that
    completes takes the rest. Never negative: after a refund that another issuer refused, one minor unit
    more than due may be gone.
    """
    return max(whole * done // of - gone, 0)


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


def check_time_zone(name: str) -> str:
    """The name of a time zone of the IANA database. Raises MerchantInvalid."""
    try:
        return time_zones.validate(name)
    except InvalidValue as error:
        raise MerchantInvalid(error.message, field="time_zone") from None


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


def check_period(period: Period) -> None:
    """Refuse a period of nothing, or of more than ten years. Raises Refused."""
    longest = _LONGEST_PERIOD[period.kind]
    if not 1 <= period.count <= longest:
        raise Refused(
            f"a period of {period.kind} has 1 to {longest} of them",
            code=errors.SUBSCRIPTION_INVALID,
            field="periodRule.periodCount",
        )


def periods_after(anchor: datetime, period: Period, number: int) -> datetime:
    """When the `number`-th period after the one that begins at `anchor` begins, by the calendar of China.

    Counted from the anchor and never from the period before, so that the 31st comes back after a February: a
    day that a month does not have is its last. At the time of day of the anchor.
    """
    if period.kind in _DAYS:
        return anchor + timedelta(days=_DAYS[period.kind] * period.count * number)
    local = anchor.astimezone(CHINA)
    months = local.year * 12 + local.month - 1 + _MONTHS[period.kind] * period.count * number
    year, month = divmod(months, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(anchor.tzinfo)


def phase_start(one: SubscriptionView, phase: int) -> datetime:
    """When a phase of a subscription (from its anchor's on) begins."""
    return periods_after(one.anchor_at, one.period, phase - one.anchor_phase)


def is_withdrawn(asked: AgreementView, subscription: SubscriptionView | None) -> bool:
    """Whether the merchant ended the subscription that this asked for before anybody had approved it."""
    ended = (SubscriptionState.CANCELLED, SubscriptionState.TERMINATED)
    return asked.state is AgreementState.DECLINED and subscription is not None and subscription.state in ended


class RunningPhase(NamedTuple):
    """The phase that runs, 0 before the first; `begins` and `ends` where they are known."""

    number: int
    begins: datetime | None
    ends: datetime | None


def running_phase(one: SubscriptionView) -> RunningPhase:
    """The phase before the next that is charged for the first time. It keeps its begin when the anchor moves.

    Its end is where the next begins, by the terms as they are now.
    """
    number = one.phase - 1 if one.attempt == 1 else one.phase
    if number == 0:
        return RunningPhase(0, None, None)
    begins = phase_start(one, number) if number >= one.anchor_phase else one.before_anchor_at
    return RunningPhase(number, begins, phase_start(one, number + 1))


def phase_amount(one: SubscriptionView, phase: int) -> Money:
    """What a phase costs: a trial's amount if it is one's, which may be nothing, else the subscription's."""
    trial = next((t for t in one.trials if t.first <= phase <= t.last), None)
    return one.amount if trial is None else Money(trial.amount, one.amount.currency)


def next_try(one: SubscriptionView) -> datetime | None:
    """When the present phase is tried again after a failed try; None if it is not."""
    if not one.allow_retry or one.attempt > len(RETRY_AFTER):
        return None
    at = phase_start(one, one.phase) + RETRY_AFTER[one.attempt - 1]
    return at if at < phase_start(one, one.phase + 1) else None
