"""Where acquiring keeps sealed secrets."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from comptoir.acquiring.types import DOCUMENT_PURPOSE
from comptoir.db.resealing import SealedColumn


def _hex(document_id: UUID) -> str:
    return document_id.hex


SEALED: Final = (SealedColumn("acquiring_dispute_document", "id", "sealed", DOCUMENT_PURPOSE, _hex),)
