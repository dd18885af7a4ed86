"""Tables of what somebody contradicts: a traveller, or another issuer."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from comptoir.acquiring.types import DisputeKind, DisputeState


class Conflict(models.Model):
    """An issuer contradicted itself about a payment; see `ConflictView`."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    payment_id = models.UUIDField()
    issuer = models.CharField(max_length=32)
    recorded = models.CharField(max_length=9)
    claimed = models.CharField(max_length=9)
    opened_at = models.DateTimeField()
    verdict = models.CharField(max_length=9, null=True)
    judged_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=256, default="")

    class Meta:
        db_table = "acquiring_conflict"
        constraints = [
            models.CheckConstraint(
                name="acquiring_conflict_sides",
                condition=Q(recorded__in=["succeeded", "failed"], claimed__in=["succeeded", "failed"])
                & ~Q(recorded=F("claimed")),
            ),
            models.CheckConstraint(
                name="acquiring_conflict_verdict",
                condition=Q(verdict__isnull=True, judged_at__isnull=True)
                | Q(verdict__in=["succeeded", "failed", "unknown"], judged_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["opened_at"], name="acquiring_conflict_open", condition=Q(closed_at__isnull=True)
            )
        ]


class Dispute(models.Model):
    """A claim against a payment. Its money, if it is about money, is the refund of the same id."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    payment_id = models.UUIDField()
    kind = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    reason_code = models.CharField(max_length=64)
    reason = models.CharField(max_length=256)
    state = models.CharField(max_length=10)
    held = models.BooleanField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    look_at = models.DateTimeField(null=True)
    accept_reason = models.CharField(max_length=32, null=True)
    changed_by = models.CharField(max_length=64, default="")
    defended_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acquiring_dispute"
        constraints = [
            models.CheckConstraint(name="acquiring_dispute_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="acquiring_dispute_kind", condition=Q(kind__in=[one.value for one in DisputeKind])
            ),
            models.CheckConstraint(
                name="acquiring_dispute_state", condition=Q(state__in=[one.value for one in DisputeState])
            ),
            # What waits for the merchant is looked at by the worker; what is final never again.
            models.CheckConstraint(
                name="acquiring_dispute_open",
                condition=Q(state="OPEN", ended_at__isnull=True, look_at__isnull=False)
                | Q(state="DEFENDED", ended_at__isnull=True, look_at__isnull=True)
                | Q(state__in=["ACCEPTED", "WON", "LOST", "CANCELLED"])
                & Q(ended_at__isnull=False, look_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["merchant_id", "payment_id"], name="acquiring_dispute_payment"),
            models.Index(
                fields=["look_at"], name="acquiring_dispute_due", condition=Q(look_at__isnull=False)
            ),
            models.Index(fields=["id"], name="acquiring_dispute_id"),
            models.Index(fields=["merchant_id", "created_at", "id"], name="acquiring_dispute_made"),
        ]


class DisputeDocument(models.Model):
    """A document of a dispute, sealed: at most one of each role."""

    pk = models.CompositePrimaryKey("merchant_id", "dispute_id", "role")
    merchant_id = models.UUIDField()
    dispute_id = models.UUIDField()
    role = models.CharField(max_length=8)
    id = models.UUIDField(db_index=True)
    format = models.CharField(max_length=4)
    size = models.IntegerField()
    sha256 = models.BinaryField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acquiring_dispute_document"
