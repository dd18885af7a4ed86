"""Addresses of the merchant's desk, below `/merchant/`."""

from __future__ import annotations

from django.urls import path

from comptoir.web.merchant.views import home

urlpatterns = [
    path("", home, name="merchant-home"),
]
