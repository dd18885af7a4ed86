"""Django's handle on this context."""

from __future__ import annotations

from django.apps import AppConfig


class AcquiringConfig(AppConfig):
    """Register the context under its own label."""

    name = "comptoir.acquiring"
    label = "acquiring"
    default_auto_field = "django.db.models.BigAutoField"
