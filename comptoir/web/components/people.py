"""What people are called."""

from __future__ import annotations

from uuid import UUID

from comptoir.acquiring.api import PaymentView
from comptoir.flows import api as flows
from comptoir.identity import api as identity
from comptoir.web.components.access import Visitor


def staff_names(visitor: Visitor) -> dict[UUID, str]:
    """Of everybody who works or worked for the visitor's merchant."""
    return {one.id: one.display_name for one in identity.staff(visitor.merchant_id)}


def seller_name(payment: PaymentView, names: dict[UUID, str]) -> str | None:
    """Who took a payment at the counter; None where no person did. `names` are the staff's."""
    seller = flows.seller_of(payment)
    return None if seller is None else names.get(seller, seller.hex)
