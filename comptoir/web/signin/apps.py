from __future__ import annotations

from django.apps import AppConfig


class SigninConfig(AppConfig):
    name = "comptoir.web.signin"
    label = "signin"

    def ready(self) -> None:
        """Listen to logins."""
        from comptoir.web.signin import signals

        signals.connect()
