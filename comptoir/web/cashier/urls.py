"""Addresses of the cashier. `/c/`, `/a/` and `/s/` stand in codes: they never change."""

from __future__ import annotations

from django.urls import path

from comptoir.web.cashier import consent, entry, views

urlpatterns = [
    path("", views.home, name="home"),
    path("c/<str:digits>", views.order, name="order"),
    path("c/<str:digits>/code.svg", views.code_image, name="order-code"),
    path("a/<str:code>", consent.agreement, name="agreement"),
    path("a/<str:code>/code.svg", consent.code_image, name="agreement-code"),
    path("s/<str:ref>", entry.entry, name="entry"),
]
