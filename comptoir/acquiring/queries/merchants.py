"""Merchants with their contracts, as the engine needs them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from comptoir.acquiring.types import ContractView, MerchantView
from comptoir.kernel.statements import Rows, Statement

_MERCHANTS = """
SELECT m.id, m.name, m.mcc, m.country, m.office_id, m.status, c.settlement_currency, c.payment_currencies,
    c.margin_bps, c.in_store_expiry_s, c.online_expiry_s, c.refund_window_days
FROM acquiring_merchant m LEFT JOIN acquiring_contract c ON c.merchant_id = m.id
WHERE m.id = ANY (%s) ORDER BY m.id, c.created_at, c.settlement_currency
"""


def merchants(ids: Sequence[UUID]) -> Statement:
    """Load merchants by id, with their contracts, the oldest first."""
    return Statement(_MERCHANTS, (list(ids),))


def decode_merchants(rows: Rows) -> dict[UUID, MerchantView]:
    """Merchants by id."""
    found: dict[UUID, MerchantView] = {}
    for merchant_id, name, mcc, country, office_id, status, *terms in rows:
        contract = () if terms[0] is None else (ContractView(terms[0], tuple(terms[1]), *terms[2:]),)
        known = found.get(merchant_id)
        contracts = contract if known is None else known.contracts + contract
        found[merchant_id] = MerchantView(
            merchant_id, name, mcc, country, office_id, status == "active", contracts
        )
    return found
