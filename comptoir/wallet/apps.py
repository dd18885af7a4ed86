"""Django's handle on this context."""

from __future__ import annotations

from django.apps import AppConfig


class WalletConfig(AppConfig):
    """Register the context under its own label."""

    name = "comptoir.wallet"
    label = "wallet"
