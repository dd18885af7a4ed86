"""Django's handle on this context."""

from __future__ import annotations

from django.apps import AppConfig


class DbConfig(AppConfig):
    """Register the context under its own label."""

    name = "comptoir.db"
    label = "db"
    default_auto_field = "django.db.models.BigAutoField"
