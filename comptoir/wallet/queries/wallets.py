"""One wallet as its holder and the operator see it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from comptoir.kernel.clock import china_day
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Statement
from comptoir.ledger.api import Role, account_id, balance
from comptoir.wallet.errors import WalletUnknown
from comptoir.wallet.models import Device, Wallet
from comptoir.wallet.queries.engine import (
    agreements_of_wallet,
    decode_agreements,
    decode_authorizations,
    decode_wallets,
    held_authorizations,
    waiting_authorizations,
    wallets,
)
from comptoir.wallet.types import (
    AgreementView,
    AuthorizationView,
    DeviceSummary,
    Limits,
    Standing,
    WalletState,
    WalletSummary,
)


def wallet_summary(wallet_id: UUID, now: datetime) -> WalletSummary:
    """State, limits, what was spent today (in China), may be spent now and is held. Raises WalletUnknown."""
    statement = wallets([wallet_id], china_day(now))
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        wallet = decode_wallets(cursor.fetchall()).get(wallet_id)
    if wallet is None:
        raise WalletUnknown(f"there is no wallet {wallet_id.hex}", field="wallet_id")
    stands = balance(account_id(wallet_id, Role.WALLET, wallet.currency))
    return WalletSummary(
        wallet=wallet,
        available=Money(stands.available, wallet.currency),
        held=Money(stands.posted - stands.available, wallet.currency),
    )


def standing(wallet_id: UUID) -> Standing:
    """What the holder may change, and whether anything is locked. Raises WalletUnknown."""
    row = Wallet.objects.filter(id=wallet_id).first()
    if row is None:
        raise WalletUnknown(f"there is no wallet {wallet_id.hex}", field="wallet_id")
    return Standing(
        state=WalletState(row.state),
        frozen_by_holder=row.frozen_by_holder,
        limits=chosen_limits(row),
        most=most_limits(row),
        pin_locked_until=row.pin_locked_until,
    )


def chosen_limits(row: Wallet) -> Limits:
    """The limits that hold."""
    return Limits(no_pin=row.no_pin_limit, payment=row.payment_limit, day=row.day_limit)


def most_limits(row: Wallet) -> Limits:
    """The highest limits that the holder may choose."""
    if row.most_no_pin is None or row.most_payment is None or row.most_day is None:
        return chosen_limits(row)
    return Limits(no_pin=row.most_no_pin, payment=row.most_payment, day=row.most_day)


def is_welcome(wallet_id: UUID, logged_in_at: datetime, device: int | None) -> bool:
    """Whether a login of the holder may see the wallet: not one from before a phone was lost, nor one on a
    device that is revoked or another wallet's (None: it is on no device)."""
    rows = Wallet.objects.filter(Q(logins_from__isnull=True) | Q(logins_from__lte=logged_in_at), id=wallet_id)
    if device is not None:
        own = Device.objects.filter(wallet_id=OuterRef("id"), number=device, active=True)
        rows = rows.filter(Exists(own))
    return rows.exists()


def wallet_summaries(now: datetime, limit: int, newer_than: UUID | None = None) -> tuple[WalletSummary, ...]:
    """Wallets as `wallet_summary` shows them, at most `limit` of them, in the order of their ids.

    `newer_than` continues after the last id that was read.
    """
    rows = Wallet.objects.order_by("id")
    if newer_than is not None:
        rows = rows.filter(id__gt=newer_than)
    return tuple(wallet_summary(one, now) for one in rows.values_list("id", flat=True)[:limit])


def wallets_of(holder_id: UUID) -> tuple[UUID, ...]:
    """The ids of a person's wallets, oldest first."""
    rows = Wallet.objects.filter(holder_id=holder_id).order_by("created_at", "id")
    return tuple(rows.values_list("id", flat=True))


def devices_of(wallet_id: UUID) -> tuple[DeviceSummary, ...]:
    """A wallet's devices, oldest first, the revoked ones too."""
    rows = Device.objects.filter(wallet_id=wallet_id).order_by("created_at", "number")
    return tuple(DeviceSummary(*row) for row in rows.values_list("number", "name", "active", "created_at"))


def agreements_of(wallet_id: UUID, now: datetime) -> tuple[AgreementView, ...]:
    """Who may debit a wallet without asking, or once might; `spent` is of today (China). The newest first."""
    statement = agreements_of_wallet(wallet_id, china_day(now))
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return tuple(decode_agreements(cursor.fetchall()).values())


def waiting(wallet_id: UUID, now: datetime) -> tuple[AuthorizationView, ...]:
    """What the traveller is asked to confirm and still may, the one that ends first in front."""
    return _authorizations(waiting_authorizations(wallet_id, now))


def held(wallet_id: UUID) -> tuple[AuthorizationView, ...]:
    """What the traveller agreed to and shops may still capture, the oldest in front."""
    return _authorizations(held_authorizations(wallet_id))


def _authorizations(statement: Statement) -> tuple[AuthorizationView, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return tuple(decode_authorizations(cursor.fetchall()).values())
