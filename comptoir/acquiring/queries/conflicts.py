"""Contradictions of issuers, as the operator sees them."""

from __future__ import annotations

from uuid import UUID

from comptoir.acquiring.errors import ConflictUnknown
from comptoir.acquiring.models import Conflict
from comptoir.acquiring.types import ConflictView


def conflicts(*, closed: bool = False) -> tuple[ConflictView, ...]:
    """The open ones, or the `closed` too; the oldest first."""
    rows = Conflict.objects.order_by("opened_at", "id")
    return tuple(_view(row) for row in (rows if closed else rows.filter(closed_at__isnull=True)))


def conflict(conflict_id: UUID) -> ConflictView:
    """One conflict. Raises ConflictUnknown."""
    row = Conflict.objects.filter(id=conflict_id).first()
    if row is None:
        raise ConflictUnknown(f"there is no conflict {conflict_id.hex}", field="conflict")
    return _view(row)


def _view(row: Conflict) -> ConflictView:
    return ConflictView(**{name: getattr(row, name) for name in ConflictView.__struct_fields__})
