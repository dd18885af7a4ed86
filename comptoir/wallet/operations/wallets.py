"""Open, limit, freeze and close wallets.

Who changes what a payment decision reads takes the books' lock: the engine loads wallets under that
lock, so once `freeze` has returned, no payment is decided on the wallet as it was before. The order of
locks is the wallet's row, then the books, then devices.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from comptoir.kernel.ids import OPERATOR
from comptoir.kernel.statements import Statement
from comptoir.ledger.api import Role, account_id, balance, lock, open_account
from comptoir.wallet.errors import (
    CurrencyUnfit,
    LimitsUnfit,
    WalletExists,
    WalletInactive,
    WalletNotEmpty,
    WalletUnknown,
)
from comptoir.wallet.models import Device, Wallet
from comptoir.wallet.operations.pins import seal_pin
from comptoir.wallet.rules import check_limits
from comptoir.wallet.types import CNY_LIMITS, Limits, WalletState


def open_wallet(
    wallet_id: UUID,
    holder_id: UUID,
    display_name: str,
    *,
    pin: str,
    now: datetime,
    currency: str = "CNY",
    limits: Limits | None = None,
) -> None:
    """Open a wallet with its account in the books; `limits` (minor units) may be left out for CNY only.

    A repeat for the same holder and currency changes nothing. Raises PinUnfit, LimitsUnfit,
    CurrencyUnfit, or WalletExists when the id belongs to another holder or currency.
    """
    if currency not in settings.COMPTOIR.wallet_currencies:
        raise CurrencyUnfit(f"wallets in {currency} are not offered here", field="currency")
    limits = limits or (CNY_LIMITS if currency == "CNY" else None)
    if limits is None:
        raise LimitsUnfit(f"a wallet in {currency} needs limits")
    check_limits(limits)
    row = Wallet(
        id=wallet_id,
        holder_id=holder_id,
        display_name=display_name,
        currency=currency,
        sealed_pin_hash=seal_pin(wallet_id, pin),
        no_pin_limit=limits.no_pin,
        payment_limit=limits.payment,
        day_limit=limits.day,
        created_at=now,
    )
    with transaction.atomic():
        Wallet.objects.bulk_create([row], ignore_conflicts=True)
        stands = Wallet.objects.get(id=wallet_id)
        if (stands.holder_id, stands.currency) != (holder_id, currency):
            raise WalletExists(f"wallet {wallet_id.hex} belongs to somebody else", field="wallet_id")
        # What the first wallet of a currency needs on the operator's side.
        for role in (Role.WALLET_FUNDING, Role.FX_POSITION, Role.FX_MARGIN):
            _execute(open_account(OPERATOR, role, currency, now))
        _execute(open_account(wallet_id, Role.WALLET, currency, now, floor=0))


def set_limits(wallet_id: UUID, limits: Limits) -> None:
    """Replace a wallet's limits (minor units). Raises LimitsUnfit, WalletUnknown, WalletInactive (closed)."""
    check_limits(limits)
    with transaction.atomic():
        _locked(wallet_id, WalletState.ACTIVE, WalletState.FROZEN)
        Wallet.objects.filter(id=wallet_id).update(
            no_pin_limit=limits.no_pin, payment_limit=limits.payment, day_limit=limits.day
        )


def freeze(wallet_id: UUID) -> None:
    """Let nothing out of a wallet any more; money may still come in. Doing it again changes nothing.

    Raises WalletUnknown, or WalletInactive when it is closed.
    """
    with transaction.atomic():
        _locked(wallet_id, WalletState.ACTIVE, WalletState.FROZEN)
        Wallet.objects.filter(id=wallet_id).update(state=WalletState.FROZEN.value)


def unfreeze(wallet_id: UUID) -> None:
    """Let a frozen wallet pay again. Doing it again changes nothing. Raises as `freeze` does."""
    with transaction.atomic():
        _locked(wallet_id, WalletState.ACTIVE, WalletState.FROZEN)
        Wallet.objects.filter(id=wallet_id).update(state=WalletState.ACTIVE.value)


def close(wallet_id: UUID) -> None:
    """Close an empty wallet and its devices, for good. Doing it again changes nothing.

    Its account stays in the books, so that a refund of an old payment has where to go. Raises
    WalletUnknown, or WalletNotEmpty while anything is in the wallet or on its way out of it.
    """
    with transaction.atomic():
        wallet = _locked(wallet_id, *WalletState)
        stands = balance(account_id(wallet_id, Role.WALLET, wallet.currency))
        if stands.posted or stands.available:
            raise WalletNotEmpty("a wallet is closed when it is empty", field="wallet_id")
        Wallet.objects.filter(id=wallet_id).update(state=WalletState.CLOSED.value)
        Device.objects.filter(wallet_id=wallet_id).update(active=False)


def _locked(wallet_id: UUID, *allowed: WalletState) -> Wallet:
    """The wallet, its row and then the books locked. Raises WalletUnknown, WalletInactive."""
    row = Wallet.objects.select_for_update().filter(id=wallet_id).first()
    if row is None:
        raise WalletUnknown(f"there is no wallet {wallet_id.hex}", field="wallet_id")
    if row.state not in allowed:
        raise WalletInactive(f"wallet {wallet_id.hex} is {row.state}", field="wallet_id")
    _execute(lock())
    return row


def _execute(statement: Statement) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
