"""Tables of the glue itself. Written with set-based statements, see `outbox`; the models are their shape."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

OPEN = Q(done_at__isnull=True, dead_at__isnull=True)


class Outbox(models.Model):
    """Work to be done after a commit: open until it is done, or dead when every try was in vain."""

    pk = models.CompositePrimaryKey("owner_id", "id")
    owner_id = models.UUIDField()
    id = models.UUIDField()
    topic = models.TextField()
    subject_id = models.UUIDField()
    payload = models.JSONField()
    attempts = models.IntegerField(db_default=0)
    lost = models.IntegerField(db_default=0)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    last_error = models.TextField(null=True)
    resent_at = models.DateTimeField(null=True)
    words = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "db_outbox"
        constraints = [
            models.CheckConstraint(
                name="db_outbox_one_end", condition=Q(done_at__isnull=True) | Q(dead_at__isnull=True)
            ),
            models.CheckConstraint(
                name="db_outbox_attempts", condition=Q(lost__gte=0, attempts__gte=models.F("lost"))
            ),
        ]
        indexes = [
            # Small whatever the table's size: what is finished leaves it.
            models.Index(fields=["due_at"], name="db_outbox_open", condition=OPEN),
            models.Index(fields=["done_at"], name="db_outbox_done", condition=Q(done_at__isnull=False)),
            models.Index(fields=["topic"], name="db_outbox_dead", condition=Q(dead_at__isnull=False)),
            models.Index(fields=["owner_id", "subject_id"], name="db_outbox_about"),
            # One owner's few disputes among its many payments. Payments, which are nearly all, are not in it.
            models.Index(
                fields=["owner_id", "topic", "id"],
                name="db_outbox_kinds",
                condition=~Q(topic="notify.payment"),
            ),
        ]


class Epoch(models.Model):
    """One row: how often something changed that engines keep in memory. See `epoch`."""

    id = models.SmallIntegerField(primary_key=True)
    number = models.BigIntegerField(default=0)

    class Meta:
        db_table = "db_epoch"
