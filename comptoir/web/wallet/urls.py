"""Addresses of the wallet, below `/wallet/`."""

from __future__ import annotations

from django.urls import path

from comptoir.web.wallet.pages import agreements, asks, code, home, safety, scan, shops, statement

urlpatterns = [
    path("", home.home, name="wallet-home"),
    path("me", home.me, name="wallet-me"),
    path("code", code.pay, name="wallet-code"),
    path("code/plain", code.plain, name="wallet-code-plain"),
    path("code/setup", code.setup, name="wallet-setup"),
    path("code/news", code.news, name="wallet-news"),
    path("offline", code.offline, name="wallet-offline"),
    path("manifest.webmanifest", code.manifest, name="wallet-manifest"),
    path("worker.js", code.service_worker, name="wallet-worker"),
    path("scan", scan.scan, name="wallet-scan"),
    path("scan/read", scan.read, name="wallet-scan-read"),
    path("shops/<str:ref>", shops.shop, name="wallet-shop"),
    path("asks/<uuid:authorization_id>", asks.ask, name="wallet-ask"),
    path("results/<uuid:authorization_id>", asks.result, name="wallet-result"),
    path("movements", statement.movements, name="wallet-movements"),
    path("payments/<uuid:authorization_id>", statement.payment, name="wallet-payment"),
    path("agreements", agreements.agreements, name="wallet-agreements"),
    path("agreements/<uuid:agreement_id>", agreements.agreement, name="wallet-agreement"),
    path("consents/<str:code>", agreements.consent, name="wallet-consent"),
    path("limits", safety.limits, name="wallet-limits"),
    path("pin", safety.pin, name="wallet-pin"),
    path("devices", safety.devices, name="wallet-devices"),
    path("leave", safety.leave, name="wallet-leave"),
    path("freeze", safety.freeze, name="wallet-freeze"),
    path("unfreeze", safety.unfreeze, name="wallet-unfreeze"),
]
