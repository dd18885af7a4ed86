"""Comptoir: Europe sells to China and is paid by its wallets."""

__version__ = "0.1.0"
