"""Bringing merchants in: the merchant, its contracts with their accounts, its stores and tills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from comptoir.acquiring.errors import (
    ContractExists,
    ContractUnknown,
    MerchantExists,
    MerchantInvalid,
    MerchantUnknown,
    StoreExists,
    StoreUnknown,
    TerminalExists,
)
from comptoir.acquiring.models import Contract, Merchant, Store, Terminal
from comptoir.acquiring.queries.merchants import contract_view
from comptoir.acquiring.rules import (
    check_country,
    check_label,
    check_mcc,
    check_ref,
    check_terms,
    check_time_zone,
)
from comptoir.acquiring.types import ContractView
from comptoir.kernel.ids import OPERATOR
from comptoir.kernel.money import exponent
from comptoir.kernel.statements import Statement
from comptoir.ledger import api as ledger
from comptoir.standards import time_zones


def register_merchant(
    merchant_id: UUID,
    *,
    office_id: UUID,
    ref: str,
    name: str,
    mcc: str,
    country: str,
    now: datetime,
    sandbox: bool = False,
) -> None:
    """Add a merchant: `ref` is its public reference, `mcc` ISO 18245, `country` ISO 3166-1 alpha-2.

    A `sandbox` merchant is there for tests, for ever: only test clients may pay for it, and only
    simulated wallets pay it.

    Raises MerchantInvalid, or MerchantExists when the id or the reference is taken.
    """
    row = Merchant(
        id=merchant_id,
        office_id=office_id,
        ref=check_ref(ref),
        name=check_label(name, "name", 256),
        mcc=check_mcc(mcc),
        country=check_country(country),
        created_at=now,
        sandbox=sandbox,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
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
    (minor units of the settlement currency) is how far refunds may take what we owe below zero. Raises
    MerchantUnknown, MerchantInvalid, UnknownCurrency, ContractExists.
    """
    locked(merchant_id)
    _check_currencies(settlement_currency, *payment_currencies)
    check_terms(margin_bps, in_store_expiry_s, online_expiry_s, refund_window_days, overdraft)
    _, made = Contract.objects.get_or_create(
        merchant_id=merchant_id,
        settlement_currency=settlement_currency,
        defaults={
            "payment_currencies": list(payment_currencies),
            "margin_bps": margin_bps,
            "in_store_expiry_s": in_store_expiry_s,
            "online_expiry_s": online_expiry_s,
            "refund_window_days": refund_window_days,
            "created_at": now,
        },
    )
    if not made:
        raise ContractExists(
            f"the merchant has a contract in {settlement_currency} already", field="settlement_currency"
        )
    _execute(
        ledger.open_account(
            merchant_id, ledger.Role.MERCHANT_PAYABLE, settlement_currency, now, floor=-overdraft
        )
    )
    _execute(ledger.open_account(OPERATOR, ledger.Role.FX_POSITION, settlement_currency, now))


@transaction.atomic
def change_contract(
    merchant_id: UUID,
    *,
    settlement_currency: str,
    payment_currencies: Sequence[str] | None = None,
    margin_bps: int | None = None,
    in_store_expiry_s: int | None = None,
    online_expiry_s: int | None = None,
    refund_window_days: int | None = None,
) -> ContractView:
    """Change those terms of a contract that are given, for payments asked for from now on.

    No payment that is there changes: each has its settlement and its expiry, and a paid one its price. The
    refund window is looked up when a refund is asked for, so it may only become longer: a shorter one would
    take from payments what they were made with. Under the books' lock, as `set_status` is. Raises
    MerchantUnknown, MerchantInvalid, UnknownCurrency, ContractUnknown.
    """
    locked(merchant_id)
    _execute(ledger.lock())
    found = Contract.objects.filter(merchant_id=merchant_id, settlement_currency=settlement_currency)
    row = found.first()
    if row is None:
        raise ContractUnknown(f"the merchant has no contract in {settlement_currency}", field="settle")
    if refund_window_days is not None and refund_window_days < row.refund_window_days:
        raise MerchantInvalid(
            f"payments were made with {row.refund_window_days} days for refunds: no fewer are taken",
            field="refund_window_days",
        )
    given = {
        "payment_currencies": None if payment_currencies is None else list(payment_currencies),
        "margin_bps": margin_bps,
        "in_store_expiry_s": in_store_expiry_s,
        "online_expiry_s": online_expiry_s,
        "refund_window_days": refund_window_days,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    for name, value in changed.items():
        setattr(row, name, value)
    _check_currencies(settlement_currency, *row.payment_currencies)
    check_terms(row.margin_bps, row.in_store_expiry_s, row.online_expiry_s, row.refund_window_days, 0)
    if changed:
        found.update(**changed)
    return contract_view(row)


@transaction.atomic
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
    time_zone: str | None = None,
) -> None:
    """Add a place where the merchant sells; `ref` is the merchant's own name for it.

    `time_zone` (an IANA name) is where its days begin and end; None: that of its country.

    Raises MerchantUnknown, MerchantInvalid, StoreExists.
    """
    locked(merchant_id)
    if Store.objects.filter(merchant_id=merchant_id, ref=ref).exists():
        raise StoreExists(f"the merchant has a store {ref} already", field="ref")
    Store.objects.create(
        merchant_id=merchant_id,
        id=store_id,
        ref=check_label(ref, "ref", 64),
        name=check_label(name, "name", 256),
        mcc=check_mcc(mcc),
        city=check_label(city, "city", 64),
        country=check_country(country),
        time_zone=time_zones.of_country(country) if time_zone is None else check_time_zone(time_zone),
        created_at=now,
    )


@transaction.atomic
def add_terminal(merchant_id: UUID, terminal_id: UUID, store_id: UUID, *, ref: str, now: datetime) -> None:
    """Add a till to a store. Raises MerchantUnknown, MerchantInvalid, StoreUnknown, TerminalExists."""
    locked(merchant_id)
    if not Store.objects.filter(merchant_id=merchant_id, id=store_id).exists():
        raise StoreUnknown("the merchant has no such store", field="store")
    if Terminal.objects.filter(merchant_id=merchant_id, store_id=store_id, ref=ref).exists():
        raise TerminalExists(f"the store has a till {ref} already", field="ref")
    Terminal.objects.create(
        merchant_id=merchant_id,
        id=terminal_id,
        store_id=store_id,
        ref=check_label(ref, "ref", 64),
        created_at=now,
    )


@transaction.atomic
def set_status(merchant_id: UUID, status: str) -> None:
    """Let a merchant take payments ("active") or stop it ("suspended"); what it took stays as it is.

    Under the books' lock, which the engine holds from loading to commit: once this has returned, no
    payment is decided on the merchant as it was. Doing it again changes nothing. Raises MerchantUnknown.
    """
    locked(merchant_id)
    _execute(ledger.lock())
    Merchant.objects.filter(id=merchant_id).update(status=status)


def _check_currencies(settlement_currency: str, *payment_currencies: str) -> None:
    """Raises UnknownCurrency, MerchantInvalid."""
    for currency in (settlement_currency, *payment_currencies):
        exponent(currency)
    if not payment_currencies or len(set(payment_currencies)) != len(payment_currencies):
        raise MerchantInvalid("a contract takes at least one currency, each once", field="payment_currencies")


def locked(merchant_id: UUID) -> None:
    """The merchant is there, and who changes it waits for us. Raises MerchantUnknown."""
    if Merchant.objects.select_for_update().filter(id=merchant_id).first() is None:
        raise MerchantUnknown(f"there is no merchant {merchant_id.hex}", field="merchant")


def _execute(statement: Statement) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
