"""Where wallet keeps sealed secrets."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from comptoir.db.resealing import SealedColumn
from comptoir.wallet.operations.pins import PIN_PURPOSE
from comptoir.wallet.queries.engine import SEED_PURPOSE
from comptoir.wallet.queries.upstreams import KEY_PURPOSE


def _hex(wallet_id: UUID) -> str:
    return wallet_id.hex


SEALED: Final = (
    SealedColumn("wallet_wallet", "id", "sealed_pin_hash", PIN_PURPOSE, _hex),
    SealedColumn("wallet_device", "number", "sealed_seed", SEED_PURPOSE),
    SealedColumn("wallet_upstream", "name", "sealed_private_key", KEY_PURPOSE),
)
