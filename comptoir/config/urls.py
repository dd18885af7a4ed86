"""The people's door. Its pages are added with the web rooms; until then every address is a 404."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
