"""What the wallet decides: is this code good, and may this wallet pay. Pure: state in, verdict out."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.standards import payment_code
from comptoir.wallet import errors
from comptoir.wallet.types import CodeUse, DeviceView, WalletState, WalletView

#: After so many wrong codes for one device in a row its codes are refused for a while. With three live
#: values among ten million a guesser has at best 5 * 3 / 10**7 before each pause.
BAD_CODES_BEFORE_LOCK = 5
LOCK_MINUTES = 15


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
        return errors.CODE_EXPIRED if payment_code.was_valid(presented, device.seed, now) else errors.CODE_INVALID
    if window * 10 + presented.n in device.used:
        return errors.CODE_USED
    return CodeUse(device.wallet.id, device.number, window, presented.n, now)


def decide(wallet: WalletView, total: Money, confirmed: bool) -> Verdict | str:
    """May this wallet pay `total` (in its own currency)? The balance is the ledger's to judge.

    `confirmed` says that the traveller approved this very payment with the PIN. Small payments go
    through without it, up to the wallet's own limit. Returns a verdict or the code of the refusal.
    """
    if wallet.state is not WalletState.ACTIVE:
        return errors.WALLET_INACTIVE
    if total.minor > wallet.payment_limit:
        return errors.PAYMENT_LIMIT
    if wallet.spent + total.minor > wallet.day_limit:
        return errors.DAY_LIMIT
    if confirmed or total.minor <= wallet.no_pin_limit:
        return Verdict.PAY
    return Verdict.WAIT
