"""The codes on stores' walls, and the orders they opened."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection

from comptoir.acquiring.types import EntryCodeView

_ENTRY_CODE = """
SELECT e.ref, e.merchant_id, m.name, m.status = 'active', s.ref, s.name, e.client_ref, e.currency
FROM acquiring_entry_code e
JOIN acquiring_merchant m ON m.id = e.merchant_id
JOIN acquiring_store s ON s.merchant_id = e.merchant_id AND s.id = e.store_id
WHERE e.withdrawn_at IS NULL AND
"""

_OPEN_ORDERS = """
SELECT count(*) FROM acquiring_payment
WHERE state = 'PROCESSING' AND expires_at > %s AND merchant_id = %s AND store_ref = %s
    AND scenario = 'EntryCode'
"""


def entry_code(ref: str) -> EntryCodeView | None:
    """The live code of this reference, or None."""
    return _found("e.ref = %s", (ref,))


def entry_code_of_store(merchant_id: UUID, store_id: UUID, currency: str) -> EntryCodeView | None:
    """The live code of a store in a currency, or None."""
    return _found(
        "e.merchant_id = %s AND e.store_id = %s AND e.currency = %s", (merchant_id, store_id, currency)
    )


def open_entry_orders(code: EntryCodeView, now: datetime) -> int:
    """How many orders begun at a store's codes wait for their payer."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_ORDERS, (now, code.merchant_id, code.store_ref))
        (found,) = cursor.fetchone()
    return int(found)


def _found(where: str, values: tuple[UUID | str, ...]) -> EntryCodeView | None:
    with connection.cursor() as cursor:
        cursor.execute(f"{_ENTRY_CODE} {where}", values)
        row = cursor.fetchone()
    if row is None:
        return None
    return EntryCodeView(
        ref=row[0],
        merchant_id=row[1],
        merchant_name=row[2],
        merchant_active=row[3],
        store_ref=row[4],
        store_name=row[5],
        client_ref=row[6],
        currency=row[7],
    )
