"""Comptoir: Europe sells to China and is paid by its wallets."""

from __future__ import annotations

__version__ = "0.1.0"
