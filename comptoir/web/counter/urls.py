"""Addresses of the counter, below `/counter/`."""

from __future__ import annotations

from django.urls import path

from comptoir.web.counter.views import home

urlpatterns = [
    path("", home, name="counter-home"),
]
