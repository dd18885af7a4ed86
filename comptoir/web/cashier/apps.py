from __future__ import annotations

from django.apps import AppConfig


class CashierConfig(AppConfig):
    name = "comptoir.web.cashier"
    label = "cashier"
