"""Who took payments, by name."""

from __future__ import annotations

from functools import cached_property
from uuid import UUID

from comptoir.acquiring.api import PaymentView
from comptoir.flows import api as flows
from comptoir.identity import api as identity
from comptoir.web.components.access import Visitor


class Sellers:
    """Everybody who works or worked for the visitor's merchant; read when a payment first names one."""

    def __init__(self, visitor: Visitor) -> None:
        self._merchant_id = visitor.merchant_id

    @cached_property
    def _names(self) -> dict[UUID, str]:
        return {one.id: one.display_name for one in identity.staff(self._merchant_id)}

    def of(self, payment: PaymentView) -> str | None:
        """Who took it at the counter; None where no person did."""
        seller = flows.seller_of(payment)
        return None if seller is None else self._names.get(seller, seller.hex)
