"""Bringing merchants in: the merchant, its contracts with their accounts, its stores and tills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from comptoir.acquiring.errors import MerchantExists
from comptoir.acquiring.models import Contract, Merchant, Store, Terminal
from comptoir.kernel.ids import OPERATOR
from comptoir.kernel.money import exponent
from comptoir.ledger import api as ledger


def register_merchant(
    merchant_id: UUID, *, office_id: UUID, ref: str, name: str, mcc: str, country: str, now: datetime
) -> None:
    """Add a merchant: `ref` is its public reference, `mcc` ISO 18245, `country` ISO 3166-1 alpha-2.

    Raises MerchantExists when the id or the reference is taken.
    """
    try:
        with transaction.atomic():
            Merchant.objects.create(
                id=merchant_id,
                office_id=office_id,
                ref=ref,
                name=name,
                mcc=mcc,
                country=country,
                created_at=now,
            )
    except IntegrityError:
        raise MerchantExists(f"merchant {ref} is registered already", field="ref") from None


@transaction.atomic
def open_contract(
    merchant_id: UUID,
    *,
    settlement_currency: str,
    payment_currencies: Sequence[str],
    margin_bps: int,
    now: datetime,
    overdraft: int = 0,
    in_store_expiry_s: int = 600,
    online_expiry_s: int = 840,
    refund_window_days: int = 365,
) -> None:
    """Agree on terms for one settlement currency and open the accounts they need.

    `margin_bps` is the traveller's margin over the mid rate in hundredths of a percent. `overdraft`
    (minor units of the settlement currency) is how far refunds may take what we owe below zero.
    """
    for currency in (settlement_currency, *payment_currencies):
        exponent(currency)
    Contract.objects.create(
        merchant_id=merchant_id,
        settlement_currency=settlement_currency,
        payment_currencies=list(payment_currencies),
        margin_bps=margin_bps,
        in_store_expiry_s=in_store_expiry_s,
        online_expiry_s=online_expiry_s,
        refund_window_days=refund_window_days,
        created_at=now,
    )
    accounts = (
        ledger.open_account(
            merchant_id, ledger.Role.MERCHANT_PAYABLE, settlement_currency, now, floor=-overdraft
        ),
        ledger.open_account(OPERATOR, ledger.Role.FX_POSITION, settlement_currency, now),
    )
    with connection.cursor() as cursor:
        for statement in accounts:
            cursor.execute(statement.sql, statement.params)


def add_store(
    merchant_id: UUID,
    store_id: UUID,
    *,
    ref: str,
    name: str,
    mcc: str,
    city: str,
    country: str,
    now: datetime,
) -> None:
    """Add a place where the merchant sells; `ref` is the merchant's own name for it."""
    Store.objects.create(
        merchant_id=merchant_id,
        id=store_id,
        ref=ref,
        name=name,
        mcc=mcc,
        city=city,
        country=country,
        created_at=now,
    )


def add_terminal(merchant_id: UUID, terminal_id: UUID, store_id: UUID, *, ref: str, now: datetime) -> None:
    """Add a till to a store."""
    Terminal.objects.create(
        merchant_id=merchant_id, id=terminal_id, store_id=store_id, ref=ref, created_at=now
    )


def set_status(merchant_id: UUID, status: str) -> None:
    """Let a merchant take payments ("active") or stop it ("suspended"); what it took stays as it is."""
    Merchant.objects.filter(id=merchant_id).update(status=status)
