"""What wallets are called."""

from __future__ import annotations

from django.utils.translation import gettext

from comptoir.wallet.api import OWN_ISSUER, SIMULATED


def wallet_name(issuer: str | None) -> str:
    """A wallet for people: our own, a test wallet, or the issuer's name."""
    if issuer is None:
        return gettext("No wallet")
    if issuer == OWN_ISSUER:
        return gettext("Comptoir wallet")
    if issuer.startswith(SIMULATED):
        return gettext("Test wallet")
    return issuer.replace("_", " ").title()
