"""Values of agreements: a traveller lets a merchant debit."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class AgreementState(StrEnum):
    """OPEN waits for a traveller, APPROVED for the merchant to fetch tokens; ACTIVE may debit.

    DECLINED can be approved no more: the traveller said no, or the merchant withdrew its subscription before.
    """

    OPEN = "open"
    APPROVED = "approved"
    ACTIVE = "active"
    DECLINED = "declined"
    ENDED = "ended"


class AgreementEnd(StrEnum):
    """Who ended an agreement."""

    MERCHANT = "merchant"
    TRAVELLER = "traveller"


class AgreementView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The merchant's side of an agreement to debit a wallet without asking each time.

    Until `expires_at` a traveller may approve it on the page that `consent_code` names. Secrets are here as
    their SHA-256 alone: `grant_hash` is what the tokens were or are to be made from (the authorization code
    or the refresh token before). `state_ref` is the merchant's own name for it.
    """

    id: UUID
    merchant_id: UUID
    client_ref: str
    consent_code: str
    state: AgreementState
    state_ref: str
    method_type: str
    redirect_url: str
    created_at: datetime
    expires_at: datetime
    grant_hash: bytes
    grant_expires_at: datetime | None = None
    access_hash: bytes | None = None
    access_expires_at: datetime | None = None
    refresh_hash: bytes | None = None
    refresh_expires_at: datetime | None = None
    auth_client_ref: str | None = None
    notify_url: str | None = None
    wallet_id: UUID | None = None
    customer_ref: str | None = None
    ended_at: datetime | None = None
    ended_by: AgreementEnd | None = None

    def __repr__(self) -> str:
        return f"AgreementView({self.id.hex}, {self.state})"
