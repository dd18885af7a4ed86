from __future__ import annotations

from django.apps import AppConfig


class ComponentsConfig(AppConfig):
    name = "comptoir.web.components"
    label = "components"
