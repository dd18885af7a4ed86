"""The payment PIN: set, and checked with counted failures.

A check holds the wallet's row while it compares, so guesses come one by one however many are sent at once,
and its count is committed before anybody hears the answer. See `kernel.pin` for the pauses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from comptoir.db import pins
from comptoir.kernel.pin import counted, is_pin, tries_left
from comptoir.wallet.errors import PinLocked, PinRefused, PinUnfit, WalletUnknown
from comptoir.wallet.models import Wallet
from comptoir.wallet.rules import check_pin_form

#: What PIN hashes are sealed for.
PIN_PURPOSE: Final = "wallet.pin"


def seal_pin(wallet_id: UUID, pin: str) -> bytes:
    """The form in which a wallet keeps its PIN. Raises PinUnfit."""
    check_pin_form(pin)
    return pins.seal_pin(pin, PIN_PURPOSE, wallet_id.hex)


def set_pin(wallet_id: UUID, pin: str) -> None:
    """Give a wallet another PIN and lift its lock. The door has made sure who asks.

    Raises PinUnfit, WalletUnknown.
    """
    kept = seal_pin(wallet_id, pin)
    changed = Wallet.objects.filter(id=wallet_id).update(
        sealed_pin_hash=kept, pin_failures=0, pin_locked_until=None
    )
    if not changed:
        raise WalletUnknown(f"there is no wallet {wallet_id.hex}", field="wallet_id")


def change_pin(wallet_id: UUID, old: str, new: str, now: datetime) -> None:
    """The holder's own change of the PIN. A new one that is no PIN is refused before the old one is tried.

    Not inside another transaction, see `check_pin`. Raises what that raises, and PinUnfit of the field `new`.
    """
    try:
        check_pin_form(new)
    except PinUnfit as unfit:
        raise PinUnfit(unfit.message, field="new") from None
    check_pin(wallet_id, old, now)
    set_pin(wallet_id, new)


def check_pin(wallet_id: UUID, pin: str, now: datetime) -> None:
    """Return if the PIN is right; a wrong one is counted, in a transaction of its own.

    Must not be called inside another transaction: its rollback would forget the count. Raises PinRefused
    with the tries left, PinLocked (also for the right PIN) while the wallet is locked, WalletUnknown, and
    PinUnfit, uncounted, for what is nobody's PIN: it was no guess.
    """
    if not is_pin(pin):
        raise PinUnfit("a PIN has six digits", field="pin")
    with transaction.atomic(durable=True):
        refused = _check(wallet_id, pin, now)
    if refused is not None:
        raise refused


def _check(wallet_id: UUID, pin: str, now: datetime) -> PinRefused | None:
    """Compare under the row's lock and write the count; what is to be raised after the commit."""
    row = Wallet.objects.select_for_update().filter(id=wallet_id).first()
    if row is None:
        raise WalletUnknown(f"there is no wallet {wallet_id.hex}", field="wallet_id")
    if row.pin_locked_until is not None and now < row.pin_locked_until:
        return PinLocked("too many wrong PINs: try again later", row.pin_locked_until)
    right = pins.is_right(bytes(row.sealed_pin_hash), pin, PIN_PURPOSE, row.id.hex)
    row.pin_failures, row.pin_locked_until = counted(row.pin_failures, right, now)
    row.save(update_fields=["pin_failures", "pin_locked_until"])
    if right:
        return None
    if row.pin_locked_until is not None:
        return PinLocked("too many wrong PINs: try again later", row.pin_locked_until)
    return PinRefused("the PIN is wrong", tries_left=tries_left(row.pin_failures))
