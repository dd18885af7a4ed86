"""Addresses of the people's door."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("comptoir.web.components.urls")),
    path("", include("comptoir.web.signin.urls")),
    path("", include("comptoir.web.cashier.urls")),
    path("wallet/", include("comptoir.web.wallet.urls")),
    path("counter/", include("comptoir.web.counter.urls")),
    path("merchant/", include("comptoir.web.merchant.urls")),
]
