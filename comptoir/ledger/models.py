"""Tables of the books. Only the posting function writes to them (see sql/posting.sql)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Book(models.Model):
    """The head of the chain: one row, locked by whoever posts, so the books have one writer at a time."""

    id = models.SmallIntegerField(primary_key=True)
    seq = models.BigIntegerField(default=0)
    hash = models.BinaryField()
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_book"


class Account(models.Model):
    """One owner's money of one role in one currency; four running sums, in minor units."""

    id = models.UUIDField(primary_key=True)
    owner_id = models.UUIDField()
    role = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    side = models.CharField(max_length=6)
    floor = models.BigIntegerField(null=True)
    debits_posted = models.BigIntegerField(default=0)
    credits_posted = models.BigIntegerField(default=0)
    debits_pending = models.BigIntegerField(default=0)
    credits_pending = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_account"
        constraints = [
            models.UniqueConstraint(fields=["owner_id", "role", "currency"], name="ledger_account_one"),
            models.CheckConstraint(name="ledger_account_side", condition=Q(side__in=["credit", "debit"])),
            models.CheckConstraint(
                name="ledger_account_sums",
                condition=Q(debits_posted__gte=0)
                & Q(credits_posted__gte=0)
                & Q(debits_pending__gte=0)
                & Q(credits_pending__gte=0),
            ),
            # The last wall: whatever the code above it believes, no account with a floor goes under it.
            models.CheckConstraint(
                name="ledger_account_floor",
                condition=Q(floor__isnull=True)
                | (
                    Q(side="credit")
                    & Q(credits_posted__gte=F("floor") + F("debits_posted") + F("debits_pending"))
                )
                | (
                    Q(side="debit")
                    & Q(debits_posted__gte=F("floor") + F("credits_posted") + F("credits_pending"))
                ),
            ),
        ]


class Batch(models.Model):
    """A link of the hash chain: what one call of the posting function recorded."""

    seq = models.BigIntegerField(primary_key=True)
    recorded_at = models.DateTimeField()
    transfers = models.IntegerField()
    previous = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        db_table = "ledger_batch"
        indexes = [models.Index(fields=["recorded_at"], name="ledger_batch_recorded")]


class Transfer(models.Model):
    """Money moved, held, or let go. Never edited, never deleted (trigger)."""

    pk = models.CompositePrimaryKey("owner_id", "id")
    owner_id = models.UUIDField()
    id = models.UUIDField()
    debit_id = models.UUIDField()
    credit_id = models.UUIDField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=32)
    phase = models.CharField(max_length=7)
    subject_id = models.UUIDField()
    pending_id = models.UUIDField(null=True)
    reverses_id = models.UUIDField(null=True)
    effective_at = models.DateTimeField(null=True)
    batch_seq = models.BigIntegerField()
    position = models.IntegerField()

    class Meta:
        db_table = "ledger_transfer"
        constraints = [
            models.CheckConstraint(name="ledger_transfer_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="ledger_transfer_accounts", condition=~Q(debit_id=F("credit_id"))),
            models.CheckConstraint(
                name="ledger_transfer_phase",
                condition=Q(phase__in=["posted", "pending"], pending_id__isnull=True)
                | Q(phase__in=["post", "void"], pending_id__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["owner_id", "pending_id"],
                name="ledger_transfer_resolved_once",
                condition=Q(pending_id__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["batch_seq", "position"], name="ledger_transfer_order"),
            models.Index(fields=["subject_id"], name="ledger_transfer_subject"),
            models.Index(
                fields=["effective_at"],
                name="ledger_transfer_backdated",
                condition=Q(effective_at__isnull=False),
            ),
        ]


class AccountBalance(models.Model):
    """An account's four sums after a batch that touched it: any past instant in one index look-up."""

    pk = models.CompositePrimaryKey("account_id", "batch_seq")
    account_id = models.UUIDField()
    batch_seq = models.BigIntegerField()
    debits_posted = models.BigIntegerField()
    credits_posted = models.BigIntegerField()
    debits_pending = models.BigIntegerField()
    credits_pending = models.BigIntegerField()

    class Meta:
        db_table = "ledger_balance"
