from __future__ import annotations

from django.apps import AppConfig


class CounterConfig(AppConfig):
    name = "comptoir.web.counter"
    label = "web_counter"
