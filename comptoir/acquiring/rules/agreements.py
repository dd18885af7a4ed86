"""How long consents, codes and tokens are good, and why one is not."""

from __future__ import annotations

from datetime import datetime, timedelta

from comptoir.acquiring import errors
from comptoir.acquiring.types import AgreementState, AgreementView

#: How long a traveller may take to approve an agreement (antom-api.md §3.5: 30 minutes for subscriptions).
CONSENT_TIME = timedelta(minutes=30)

#: An authorization code is exchanged at once; RFC 6749 §4.1.2 (October 2012) recommends 10 minutes at most.
AUTH_CODE_TIME = timedelta(minutes=10)

#: How long tokens are good. A refresh token outlives its access token by as much again.
ACCESS_TIME = timedelta(days=365)
REFRESH_TIME = timedelta(days=730)


def access_refusal(agreement: AgreementView | None, now: datetime) -> str | None:
    """Why an access token does not pay now, or None. Unknown, foreign, expired and ended look the same."""
    if agreement is None or agreement.state is not AgreementState.ACTIVE:
        return errors.ACCESS_TOKEN_INVALID
    if agreement.access_expires_at is None or now >= agreement.access_expires_at:
        return errors.ACCESS_TOKEN_INVALID
    return None


def auth_code_refusal(agreement: AgreementView | None, now: datetime) -> str | None:
    """Why an authorization code makes no tokens now, or None. A used one is as invalid as any other text."""
    if agreement is None or agreement.state is not AgreementState.APPROVED:
        return errors.AUTH_CODE_INVALID
    if agreement.grant_expires_at is None or now >= agreement.grant_expires_at:
        return errors.AUTH_CODE_EXPIRED
    return None


def refresh_refusal(agreement: AgreementView | None, refresh_hash: bytes, now: datetime) -> str | None:
    """Why a refresh token makes no tokens now, or None: unknown, used, expired and ended look the same."""
    if agreement is None or agreement.state is not AgreementState.ACTIVE:
        return errors.REFRESH_TOKEN_INVALID
    if agreement.refresh_hash != refresh_hash:
        return errors.REFRESH_TOKEN_INVALID
    if agreement.refresh_expires_at is None or now >= agreement.refresh_expires_at:
        return errors.REFRESH_TOKEN_INVALID
    return None
