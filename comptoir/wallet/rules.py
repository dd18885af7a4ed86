"""What the wallet decides: is this code good, and may this wallet pay. Pure: state in, verdict out."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from uuid import UUID

from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.kernel.pin import is_guessable, is_pin
from comptoir.standards import payment_code
from comptoir.wallet import errors
from comptoir.wallet.errors import LimitsTooHigh, LimitsUnfit, PinUnfit
from comptoir.wallet.types import (
    AgreementState,
    AgreementView,
    CodeUse,
    DeviceView,
    Limits,
    WalletState,
    WalletView,
)

#: After so many wrong codes for one device in a row its codes are refused for a while. With three live
#: values among ten million a guesser has at best 5 * 3 / 10**7 before each pause.
BAD_CODES_BEFORE_LOCK = 5
LOCK_MINUTES = 15

#: The largest amount the books take: 16 digits of minor units.
LARGEST_AMOUNT = 10**16 - 1


class Verdict(Enum):
    """PAY: post now. WAIT: the traveller has to confirm first."""

    PAY = "pay"
    WAIT = "wait"


def device_number(code: str) -> int | None:
    """The device a scanned code names, or None if it is not one of our codes."""
    try:
        presented = payment_code.parse(code)
    except InvalidValue:
        return None
    return presented.device_number


def check_code(code: str, device: DeviceView | None, now: datetime) -> CodeUse | str:
    """The use of a scanned code that is good now, or the code of the refusal.

    A wrong one-time part looks the same whether it is guessed or long expired: both are CODE_INVALID
    towards a guesser's counter, except when it is provably a code of this device's recent past.
    """
    if device is None or not device.active:
        return errors.CODE_INVALID
    if device.locked_until is not None and now < device.locked_until:
        return errors.DEVICE_LOCKED
    presented = payment_code.parse(code)
    window = payment_code.matching_window(presented, device.seed, now)
    if window is None:
        shown_before = payment_code.was_valid(presented, device.seed, now)
        return errors.CODE_EXPIRED if shown_before else errors.CODE_INVALID
    if window * 10 + presented.n in device.used:
        return errors.CODE_USED
    return CodeUse(device.wallet.id, device.number, window, presented.n, now)


def device_refusal(device: DeviceView | None, wallet: UUID) -> str | None:
    """Why a phone does nothing in the name of this wallet, or None: it is not, or no longer, its own."""
    own = device is not None and device.active and device.wallet.id == wallet
    return None if own else errors.DEVICE_UNKNOWN


def decide(wallet: WalletView, total: Money, confirmed: bool) -> Verdict | str:
    """May this wallet pay `total` (in its own currency)? The balance is the ledger's to judge.

    `confirmed` says that the traveller approved this very payment with the PIN. Small payments go
    through without it, up to the wallet's own limit. Returns a verdict or the code of the refusal.
    """
    reason = _over_limits(wallet, total.minor, total.minor)
    if reason is not None:
        return reason
    if confirmed or total.minor <= wallet.no_pin_limit:
        return Verdict.PAY
    return Verdict.WAIT


def increase_refusal(wallet: WalletView, total: Money, increase: int, approved: int) -> str | None:
    """Why a held authorization may not grow by `increase` (minor units) to `total`, or None.

    Nobody asks the traveller: what goes beyond what was `approved` with the PIN may not be more than the
    wallet lets go without it.
    """
    reason = _over_limits(wallet, total.minor, increase)
    if reason is None and total.minor - approved > wallet.no_pin_limit:
        return errors.PAYMENT_LIMIT
    return reason


def _over_limits(wallet: WalletView, total: int, more: int) -> str | None:
    """Why a wallet may not pay `total` at once, `more` of it counted today, or None."""
    if wallet.state is not WalletState.ACTIVE:
        return errors.WALLET_INACTIVE
    if total > wallet.payment_limit:
        return errors.PAYMENT_LIMIT
    return errors.DAY_LIMIT if wallet.spent + more > wallet.day_limit else None


def decide_unasked(wallet: WalletView, agreement: AgreementView, total: Money) -> Verdict | str:
    """May an agreement debit `total` (in the wallet's currency) without asking? PAY, or the refusal's code.

    The agreement's own limits hold beside the wallet's. Nobody is there to confirm, so nothing waits.
    """
    if agreement.state is not AgreementState.ACTIVE:
        return errors.AGREEMENT_ENDED
    if total.minor > agreement.payment_limit:
        return errors.PAYMENT_LIMIT
    if agreement.spent + total.minor > agreement.day_limit:
        return errors.DAY_LIMIT
    return decide(wallet, total, confirmed=True)


def agreement_limits(wallet: WalletView, payment: int | None, day: int | None) -> tuple[int, int] | None:
    """What an agreement may debit at once and on a day, in minor units; None for limits that cannot be.

    What the traveller does not choose is little: at once what the wallet lets go without the PIN, on a day
    what one payment with the PIN may take. No choice goes beyond the wallet's own limits.
    """
    at_once = min(wallet.no_pin_limit, wallet.payment_limit) if payment is None else payment
    a_day = max(wallet.payment_limit, at_once) if day is None else day
    if not 0 < at_once <= a_day or at_once > wallet.payment_limit or a_day > wallet.day_limit:
        return None
    return at_once, a_day


def check_pin_form(pin: str) -> None:
    """Refuse a PIN that is no PIN, or among the first a thief would try. Raises PinUnfit.

    Six digits, not all equal, not a run up or down (through 9 and 0 as well: 789012).
    """
    if not is_pin(pin):
        raise PinUnfit("a PIN has six digits", field="pin")
    if is_guessable(pin):
        raise PinUnfit("a PIN is neither one digit repeated nor a run of digits", field="pin")


def check_limits(limits: Limits) -> None:
    """Refuse limits that contradict each other. Raises LimitsUnfit."""
    values = (limits.no_pin, limits.payment, limits.day)
    if any(type(value) is not int for value in values):
        raise LimitsUnfit("limits are whole minor units")
    if not 0 <= limits.no_pin <= limits.payment <= limits.day <= LARGEST_AMOUNT:
        raise LimitsUnfit("limits rise: 0, without PIN, at once, on a day; at most 16 digits")


def check_choice(wanted: Limits, most: Limits) -> None:
    """Refuse limits that a holder may not choose. Raises LimitsUnfit, LimitsTooHigh (naming the first)."""
    check_limits(wanted)
    for name in ("no_pin", "payment", "day"):
        if getattr(wanted, name) > getattr(most, name):
            raise LimitsTooHigh("this limit is above what the operator allows", field=name)


def limits_after(chosen: Limits, most: Limits, new_most: Limits) -> Limits:
    """The holder's limits once the operator has set others: what the holder had lowered stays that low."""

    def follow(name: str) -> int:
        own, allowed, limit = (int(getattr(one, name)) for one in (chosen, most, new_most))
        return limit if own == allowed else min(own, limit)

    day = follow("day")
    payment = min(follow("payment"), day)
    return Limits(no_pin=min(follow("no_pin"), payment), payment=payment, day=day)
