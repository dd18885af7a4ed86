"""Addresses of the cashier. `/c/<digits>` is printed in order codes: it never changes."""

from __future__ import annotations

from django.urls import path

from comptoir.web.cashier import views

urlpatterns = [
    path("", views.home, name="home"),
    path("c/<str:digits>", views.order, name="order"),
    path("c/<str:digits>/code.svg", views.code_image, name="order-code"),
]
