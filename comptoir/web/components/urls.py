"""Addresses that all rooms share."""

from __future__ import annotations

from django.urls import path

from comptoir.web.components.preferences import preferences

urlpatterns = [
    path("preferences", preferences, name="preferences"),
]
