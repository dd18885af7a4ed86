"""What a shop assistant sees of a payment, and what there is to do: pure, and complete over all codes.

`words` says it in the assistant's language. A code that this table does not know is a refusal by the
wallet, with no reason that an assistant could do anything about.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from comptoir.acquiring.api import PaymentState, PaymentView, RefundState, RefundView
from comptoir.acquiring.api import errors as acquiring
from comptoir.fx.api import errors as fx
from comptoir.risk.api import errors as risk
from comptoir.wallet.api import errors as wallet


class Sight(StrEnum):
    """The one thing to be read from two metres. All but the first four are final."""

    TO_SCAN = "to_scan"  # the customer has to scan our code
    TO_CONFIRM = "to_confirm"  # the customer has to confirm on the phone
    NO_ANSWER = "no_answer"  # it may be paid or not; nobody knows yet
    HELD = "held"  # authorized by the shop's software, to be captured by it
    PAID = "paid"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why a payment was refused, as far as it is the assistant's business."""

    CODE_OLD = "code_old"
    CODE_USED = "code_used"
    CODE_WRONG = "code_wrong"
    TOO_LITTLE = "too_little"
    LIMIT = "limit"
    DECLINED = "declined"
    WALLET_LOCKED = "wallet_locked"
    WALLET_SAYS_NO = "wallet_says_no"
    AMOUNT_SMALL = "amount_small"
    AMOUNT_LARGE = "amount_large"
    NO_RATE = "no_rate"
    SHOP_CLOSED = "shop_closed"


class Advice(StrEnum):
    """What to do now."""

    NOTHING = "nothing"
    WAIT = "wait"
    FRESH_CODE = "fresh_code"
    ANOTHER_WAY = "another_way"
    ASK_CUSTOMER = "ask_customer"
    CHECK_AMOUNT = "check_amount"
    LATER = "later"
    CALL_MANAGER = "call_manager"


class Seen(msgspec.Struct, frozen=True):
    """What is seen of a payment. Only a refusal has a reason."""

    sight: Sight
    advice: Advice
    reason: Reason | None = None

    @property
    def is_open(self) -> bool:
        """It may still change: the page asks again."""
        return self.sight in (Sight.TO_SCAN, Sight.TO_CONFIRM, Sight.NO_ANSWER)


_ADVICE: Final = {
    Reason.CODE_OLD: Advice.FRESH_CODE,
    Reason.CODE_USED: Advice.FRESH_CODE,
    Reason.CODE_WRONG: Advice.FRESH_CODE,
    Reason.TOO_LITTLE: Advice.ANOTHER_WAY,
    Reason.LIMIT: Advice.ANOTHER_WAY,
    Reason.DECLINED: Advice.ASK_CUSTOMER,
    Reason.WALLET_LOCKED: Advice.ANOTHER_WAY,
    Reason.WALLET_SAYS_NO: Advice.ANOTHER_WAY,
    Reason.AMOUNT_SMALL: Advice.CHECK_AMOUNT,
    Reason.AMOUNT_LARGE: Advice.CHECK_AMOUNT,
    Reason.NO_RATE: Advice.LATER,
    Reason.SHOP_CLOSED: Advice.CALL_MANAGER,
}

#: Why, by the dotted code. What the rules against fraud say is nobody's business at a counter.
_REASONS: Final = {
    wallet.CODE_EXPIRED: Reason.CODE_OLD,
    wallet.CODE_USED: Reason.CODE_USED,
    wallet.CODE_INVALID: Reason.CODE_WRONG,
    wallet.BALANCE_INSUFFICIENT: Reason.TOO_LITTLE,
    wallet.PAYMENT_LIMIT: Reason.LIMIT,
    wallet.DAY_LIMIT: Reason.LIMIT,
    wallet.DECLINED: Reason.DECLINED,
    wallet.DEVICE_LOCKED: Reason.WALLET_LOCKED,
    wallet.WALLET_INACTIVE: Reason.WALLET_LOCKED,
    wallet.REFUSED: Reason.WALLET_SAYS_NO,
    risk.REFUSED: Reason.WALLET_SAYS_NO,
    fx.AmountTooSmall.code: Reason.AMOUNT_SMALL,
    fx.AmountTooLarge.code: Reason.AMOUNT_LARGE,
    fx.RateMissing.code: Reason.NO_RATE,
    fx.RateStale.code: Reason.NO_RATE,
    acquiring.MERCHANT_UNKNOWN: Reason.SHOP_CLOSED,
    acquiring.MERCHANT_INACTIVE: Reason.SHOP_CLOSED,
    acquiring.SANDBOX_MISMATCH: Reason.SHOP_CLOSED,
    acquiring.CURRENCY_NOT_SUPPORTED: Reason.SHOP_CLOSED,
    acquiring.SETTLEMENT_NOT_CONTRACTED: Reason.SHOP_CLOSED,
}

_CANCELLED: Final = frozenset({acquiring.PAYMENT_CANCELLED, wallet.CANCELLED})
_EXPIRED: Final = frozenset({acquiring.PAYMENT_EXPIRED, wallet.AUTHORIZATION_CLOSED})


def seen(payment: PaymentView, now: datetime) -> Seen:
    """What the assistant sees of a payment now."""
    match payment.state:
        case PaymentState.SUCCESS if payment.hold_id is not None:
            return Seen(Sight.HELD, Advice.NOTHING)
        case PaymentState.SUCCESS:
            return Seen(Sight.PAID, Advice.NOTHING)
        case PaymentState.CANCELLED:
            return Seen(Sight.CANCELLED, Advice.NOTHING)
        case PaymentState.FAIL:
            return refusal(payment.failure_code or "")
        case PaymentState.PROCESSING:
            return Seen(_waiting(payment, now), Advice.WAIT)


def refusal(code: str) -> Seen:
    """What is seen of a refusal with this dotted code."""
    if code in _CANCELLED:
        return Seen(Sight.CANCELLED, Advice.NOTHING)
    if code in _EXPIRED:
        return Seen(Sight.EXPIRED, Advice.NOTHING)
    reason = _REASONS.get(code, Reason.WALLET_SAYS_NO)
    return Seen(Sight.REFUSED, _ADVICE[reason], reason)


def _waiting(payment: PaymentView, now: datetime) -> Sight:
    """Whom an open payment waits for. When its time is up that is us, who close it."""
    if now >= payment.expires_at:
        return Sight.NO_ANSWER
    if payment.wallet_id is not None:
        return Sight.TO_CONFIRM
    return Sight.TO_SCAN if payment.order_code else Sight.NO_ANSWER


class Refunded(StrEnum):
    """How asking for a refund ended."""

    GIVEN = "given"
    NO_ANSWER = "no_answer"  # the wallet has not answered; it goes on by itself
    EXCEEDS = "exceeds"
    TOO_LATE = "too_late"
    NO_MONEY = "no_money"  # the shop is owed less than it would give back
    NOT_PAID = "not_paid"
    ANOTHER = "another"  # this form was sent before, with another amount
    REFUSED = "refused"


_NOT_REFUNDED: Final = {
    acquiring.REFUND_EXCEEDS: Refunded.EXCEEDS,
    acquiring.REFUND_WINDOW: Refunded.TOO_LATE,
    acquiring.MERCHANT_BALANCE: Refunded.NO_MONEY,
    acquiring.PAYMENT_NOT_PAID: Refunded.NOT_PAID,
    acquiring.PAYMENT_CANCELLED: Refunded.NOT_PAID,
    acquiring.REQUEST_REUSED: Refunded.ANOTHER,
}


def refunded(refund: RefundView | None, code: str) -> Refunded:
    """What became of a refund that was asked for, with the engine's `code`; None: no record was made."""
    if refund is not None and refund.state is RefundState.SUCCESS:
        return Refunded.GIVEN
    if refund is not None and refund.state is RefundState.PROCESSING:
        return Refunded.NO_ANSWER
    return _NOT_REFUNDED.get(code, Refunded.REFUSED)
