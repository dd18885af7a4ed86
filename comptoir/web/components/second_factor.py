"""Who has a second factor, and taking it away from somebody who has lost it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from allauth.mfa.models import Authenticator

#: What a login can be proven with. Recovery codes stand in for one of these, and are none without it.
_FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def who_has_one(person_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those of them who have set up an authenticator app or a passkey."""
    rows = Authenticator.objects.filter(user_id__in=list(person_ids), type__in=_FACTORS)
    return frozenset(rows.values_list("user_id", flat=True))


def remove_all(person_id: UUID) -> int:
    """Take away somebody's app, passkeys and recovery codes; how many there were.

    The caller ends the person's logins in the same transaction: the lost phone may hold one of them.
    """
    return Authenticator.objects.filter(user_id=person_id).delete()[0]
