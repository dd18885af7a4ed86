from __future__ import annotations

from django.apps import AppConfig


class AcquiringConfig(AppConfig):
    name = "comptoir.acquiring"
    label = "acquiring"
