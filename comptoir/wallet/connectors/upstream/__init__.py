"""The way to wallets behind any Antom-compatible endpoint: another Comptoir, an Alipay+ or Antom account.

`connector` asks and judges the answers · `line` one signed exchange · `dialects` the two families of
messages, for acquirers (``/aps/api``) and for merchants (``/ams/api``).
"""

from __future__ import annotations

from comptoir.wallet.connectors.upstream.connector import UpstreamConnector

__all__ = ["UpstreamConnector"]
