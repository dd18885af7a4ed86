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
    FrozenByOperator,
    LimitsUnfit,
    WalletExists,
    WalletInactive,
    WalletNotEmpty,
    WalletUnknown,
)
from comptoir.wallet.models import Device, Wallet
from comptoir.wallet.operations.pins import seal_pin
from comptoir.wallet.queries.wallets import chosen_limits, most_limits
from comptoir.wallet.rules import check_choice, check_limits, limits_after
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
    """Set what a wallet may pay at most (minor units); what its holder had lowered stays that low.

    Raises LimitsUnfit, WalletUnknown, WalletInactive (closed).
    """
    check_limits(limits)
    with transaction.atomic():
        row = _locked(wallet_id, WalletState.ACTIVE, WalletState.FROZEN)
        if row.most_day is None:
            _store_limits(wallet_id, limits)
        else:
            _store_limits(wallet_id, limits_after(chosen_limits(row), most_limits(row), limits), limits)


def choose_limits(wallet_id: UUID, limits: Limits) -> None:
    """The holder's own limits (minor units), none above the operator's. The door has checked the PIN.

    Raises LimitsUnfit, LimitsTooHigh, WalletUnknown, and WalletInactive unless the wallet is active.
    """
    with transaction.atomic():
        row = _locked(wallet_id, WalletState.ACTIVE)
        most = most_limits(row)
        check_choice(limits, most)
        _store_limits(wallet_id, limits, most)


def freeze(wallet_id: UUID) -> None:
    """Let nothing out of a wallet any more; money may still come in. Doing it again changes nothing.

    Raises WalletUnknown, or WalletInactive when it is closed.
    """
    with transaction.atomic():
        _locked(wallet_id, WalletState.ACTIVE, WalletState.FROZEN)
        Wallet.objects.filter(id=wallet_id).update(state=WalletState.FROZEN.value, frozen_by_holder=False)


def unfreeze(wallet_id: UUID) -> None:
    """Let a frozen wallet pay again, whoever froze it. Doing it again changes nothing. Raises as `freeze`."""
    with transaction.atomic():
        _locked(wallet_id, WalletState.ACTIVE, WalletState.FROZEN)
        _thaw(wallet_id)


def freeze_lost(wallet_id: UUID, now: datetime) -> None:
    """The holder lost a phone: freeze the wallet, take no code of any of its devices, and let no login before
    `now` see it any more.

    What the operator froze stays the operator's. Raises as `freeze` does.
    """
    with transaction.atomic():
        row = _locked(wallet_id, WalletState.ACTIVE, WalletState.FROZEN)
        if row.state == WalletState.ACTIVE:
            Wallet.objects.filter(id=wallet_id).update(state=WalletState.FROZEN.value, frozen_by_holder=True)
        Wallet.objects.filter(id=wallet_id).update(logins_from=now)
        Device.objects.filter(wallet_id=wallet_id).update(active=False)


def unfreeze_own(wallet_id: UUID) -> None:
    """The holder lets the wallet pay again; its devices stay revoked. The door has checked who asks.

    Doing it again changes nothing. Raises WalletUnknown, WalletInactive (closed), FrozenByOperator.
    """
    with transaction.atomic():
        row = _locked(wallet_id, WalletState.ACTIVE, WalletState.FROZEN)
        if row.state == WalletState.FROZEN and not row.frozen_by_holder:
            raise FrozenByOperator("the operator froze this wallet", field="wallet_id")
        _thaw(wallet_id)


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


def _thaw(wallet_id: UUID) -> None:
    Wallet.objects.filter(id=wallet_id).update(state=WalletState.ACTIVE.value, frozen_by_holder=False)


def _store_limits(wallet_id: UUID, limits: Limits, most: Limits | None = None) -> None:
    """`most` None: the holder has chosen nothing, so the operator's limits are the wallet's."""
    Wallet.objects.filter(id=wallet_id).update(
        no_pin_limit=limits.no_pin,
        payment_limit=limits.payment,
        day_limit=limits.day,
        most_no_pin=most and most.no_pin,
        most_payment=most and most.payment,
        most_day=most and most.day,
    )


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
