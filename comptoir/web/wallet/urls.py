"""Addresses of the wallet, below `/wallet/`."""

from __future__ import annotations

from django.urls import path

from comptoir.web.wallet.views import home

urlpatterns = [
    path("", home, name="wallet-home"),
]
