"""Merchants with their contracts: as the engine needs them, and as the operator sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from comptoir.acquiring.errors import MerchantUnknown
from comptoir.acquiring.models import Contract, Merchant, Store, Terminal
from comptoir.acquiring.types import (
    ContractView,
    MerchantSummary,
    MerchantView,
    StoreSummary,
    TillView,
)
from comptoir.kernel.statements import Rows, Statement

_MERCHANTS = """
SELECT m.id, m.ref, m.name, m.mcc, m.country, m.office_id, m.status, m.sandbox,
    c.settlement_currency, c.payment_currencies, c.margin_bps, c.in_store_expiry_s, c.online_expiry_s,
    c.refund_window_days
FROM acquiring_merchant m LEFT JOIN acquiring_contract c ON c.merchant_id = m.id
WHERE m.id = ANY (%s) ORDER BY m.id, c.created_at, c.settlement_currency
"""

_TILL = """
SELECT m.id, m.name, m.sandbox, s.id, s.ref, s.name, s.city, s.country, s.time_zone, t.ref,
    ARRAY(SELECT u.currency
        FROM acquiring_contract c, unnest(c.payment_currencies) WITH ORDINALITY AS u (currency, place)
        WHERE c.merchant_id = m.id ORDER BY c.created_at, c.settlement_currency, u.place)
FROM acquiring_merchant m
JOIN acquiring_store s ON s.merchant_id = m.id
LEFT JOIN acquiring_terminal t ON t.merchant_id = m.id AND t.store_id = s.id AND t.ref = %s
WHERE m.id = %s AND s.id = %s
"""


def merchants(ids: Sequence[UUID]) -> Statement:
    """Load merchants by id, with their contracts, the oldest first."""
    return Statement(_MERCHANTS, (list(ids),))


def decode_merchants(rows: Rows) -> dict[UUID, MerchantView]:
    """Merchants by id."""
    found: dict[UUID, MerchantView] = {}
    for merchant_id, ref, name, mcc, country, office_id, status, sandbox, *terms in rows:
        contract = () if terms[0] is None else (ContractView(terms[0], tuple(terms[1]), *terms[2:]),)
        known = found.get(merchant_id)
        contracts = contract if known is None else known.contracts + contract
        found[merchant_id] = MerchantView(
            merchant_id, ref, name, mcc, country, office_id, status == "active", contracts, sandbox
        )
    return found


def till(merchant_id: UUID, store_id: UUID, terminal_ref: str | None) -> TillView | None:
    """A till of a merchant's store, or the store itself; None when the merchant has no such one."""
    with connection.cursor() as cursor:
        cursor.execute(_TILL, (terminal_ref, merchant_id, store_id))
        row = cursor.fetchone()
    if row is None or row[-2] != terminal_ref:
        return None
    *of_store, currencies = row
    # Each currency once, in the order in which it was agreed on.
    return TillView(
        **dict(zip(TillView.__struct_fields__, of_store, strict=False)),
        currencies=tuple(dict.fromkeys(currencies)),
    )


def known_refs(refs: Iterable[str]) -> frozenset[str]:
    """Those of some public references that a merchant has."""
    return frozenset(Merchant.objects.filter(ref__in=list(refs)).values_list("ref", flat=True))


def merchant_summary(ref: str) -> MerchantSummary:
    """One merchant by its public reference. Raises MerchantUnknown."""
    found = _summaries(Merchant.objects.filter(ref=ref))
    if not found:
        raise MerchantUnknown(f"there is no merchant {ref}", field="merchant")
    return found[0]


def merchant_summary_by_id(merchant_id: UUID) -> MerchantSummary:
    """One merchant by our id. Raises MerchantUnknown."""
    found = _summaries(Merchant.objects.filter(id=merchant_id))
    if not found:
        raise MerchantUnknown("there is no such merchant", field="merchant")
    return found[0]


def merchant_summaries() -> tuple[MerchantSummary, ...]:
    """Every merchant, by reference."""
    return _summaries(Merchant.objects.order_by("ref"))


def _summaries(wanted: QuerySet[Merchant]) -> tuple[MerchantSummary, ...]:
    """One query a table, whatever the number of merchants."""
    rows = list(wanted)
    ids = [row.id for row in rows]
    contracts: dict[UUID, list[ContractView]] = defaultdict(list)
    for one in Contract.objects.filter(merchant_id__in=ids).order_by("created_at", "settlement_currency"):
        contracts[one.merchant_id].append(contract_view(one))
    tills: dict[UUID, list[str]] = defaultdict(list)
    for till in Terminal.objects.filter(merchant_id__in=ids).order_by("ref"):
        tills[till.store_id].append(till.ref)
    stores: dict[UUID, list[StoreSummary]] = defaultdict(list)
    for store in Store.objects.filter(merchant_id__in=ids).order_by("ref"):
        stores[store.merchant_id].append(_store(store, tills[store.id]))
    return tuple(
        MerchantSummary(
            id=row.id,
            ref=row.ref,
            name=row.name,
            mcc=row.mcc,
            country=row.country,
            office_id=row.office_id,
            active=row.status == "active",
            created_at=row.created_at,
            contracts=tuple(contracts[row.id]),
            stores=tuple(stores[row.id]),
            sandbox=row.sandbox,
        )
        for row in rows
    )


def contract_view(row: Contract) -> ContractView:
    """The frozen view of a contract."""
    return ContractView(
        row.settlement_currency,
        tuple(row.payment_currencies),
        row.margin_bps,
        row.in_store_expiry_s,
        row.online_expiry_s,
        row.refund_window_days,
    )


def _store(row: Store, tills: Sequence[str]) -> StoreSummary:
    return StoreSummary(
        id=row.id,
        ref=row.ref,
        name=row.name,
        mcc=row.mcc,
        city=row.city,
        country=row.country,
        time_zone=row.time_zone,
        terminals=tuple(tills),
    )
