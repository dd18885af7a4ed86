"""The codes on stores' walls: hang one up, take one down."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from comptoir.acquiring.errors import EntryCodeExists, EntryCodeUnknown, StoreUnknown
from comptoir.acquiring.models import EntryCode, Store
from comptoir.acquiring.operations.merchants import locked
from comptoir.acquiring.queries.merchants import decode_merchants, merchants
from comptoir.acquiring.rules import contract_for
from comptoir.db.run import read


@transaction.atomic
def issue_entry_code(
    merchant_id: UUID, store_id: UUID, ref: str, *, currency: str, client_ref: str, now: datetime
) -> str:
    """Give a store its code for payments in `currency`: the live one if there is one, else `ref`, a new one.

    `client_ref` is the client of the merchant's that is notified. Raises MerchantUnknown, StoreUnknown,
    EntryCodeExists when the live one tells another client, and Refused when no contract takes `currency`.
    """
    locked(merchant_id)
    if not Store.objects.filter(merchant_id=merchant_id, id=store_id).exists():
        raise StoreUnknown("the merchant has no such store", field="store")
    contract_for(decode_merchants(read(merchants([merchant_id]))).get(merchant_id), currency, None)
    live = EntryCode.objects.filter(
        merchant_id=merchant_id, store_id=store_id, currency=currency, withdrawn_at=None
    ).first()
    if live is None:
        EntryCode.objects.create(
            merchant_id=merchant_id,
            ref=ref,
            store_id=store_id,
            client_ref=client_ref,
            currency=currency,
            created_at=now,
        )
        return ref
    if live.client_ref != client_ref:
        raise EntryCodeExists(
            f"the store has a code in {currency} that tells client {live.client_ref}", field="client"
        )
    return live.ref


@transaction.atomic
def withdraw_entry_code(merchant_id: UUID, store_id: UUID, currency: str, now: datetime) -> None:
    """Take a store's code down for good; payments it began go on.

    Raises MerchantUnknown, EntryCodeUnknown.
    """
    locked(merchant_id)
    live = EntryCode.objects.filter(
        merchant_id=merchant_id, store_id=store_id, currency=currency, withdrawn_at=None
    )
    if not live.update(withdrawn_at=now):
        raise EntryCodeUnknown(f"the store has no code in {currency}", field="currency")
