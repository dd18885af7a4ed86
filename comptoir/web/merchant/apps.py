from __future__ import annotations

from django.apps import AppConfig


class MerchantConfig(AppConfig):
    name = "comptoir.web.merchant"
    label = "web_merchant"
