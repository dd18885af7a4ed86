"""Tables of what a traveller agreed to: to be debited without being asked, once or every period."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Agreement(models.Model):
    """A merchant may debit a wallet without asking each time. Codes and tokens are kept as SHA-256 only."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    client_ref = models.CharField(max_length=64)
    consent_code = models.CharField(max_length=32)
    state = models.CharField(max_length=8)
    state_ref = models.CharField(max_length=256)
    method_type = models.CharField(max_length=64)
    redirect_url = models.CharField(max_length=2048)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    grant_hash = models.BinaryField()
    grant_expires_at = models.DateTimeField(null=True)
    access_hash = models.BinaryField(null=True)
    access_expires_at = models.DateTimeField(null=True)
    refresh_hash = models.BinaryField(null=True)
    refresh_expires_at = models.DateTimeField(null=True)
    auth_client_ref = models.CharField(max_length=64, null=True)
    notify_url = models.CharField(max_length=2048, null=True)
    wallet_id = models.UUIDField(null=True)
    customer_ref = models.CharField(max_length=64, null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=16, null=True)

    class Meta:
        db_table = "acquiring_agreement"
        constraints = [
            models.CheckConstraint(
                name="acquiring_agreement_state",
                condition=Q(state__in=["open", "approved", "active", "declined", "ended"]),
            ),
            # Whoever may debit, may debit a wallet.
            models.CheckConstraint(
                name="acquiring_agreement_wallet",
                condition=~Q(state__in=["approved", "active", "ended"]) | Q(wallet_id__isnull=False),
            ),
            models.CheckConstraint(
                name="acquiring_agreement_ended",
                condition=Q(state="ended", ended_at__isnull=False, ended_by__isnull=False)
                | ~Q(state="ended") & Q(ended_at__isnull=True, ended_by__isnull=True),
            ),
            models.UniqueConstraint(fields=["merchant_id", "grant_hash"], name="acquiring_agreement_grant"),
            models.UniqueConstraint(fields=["merchant_id", "access_hash"], name="acquiring_agreement_access"),
            models.UniqueConstraint(
                fields=["merchant_id", "refresh_hash"], name="acquiring_agreement_refresh"
            ),
        ]
        indexes = [
            models.Index(fields=["consent_code"], name="acquiring_agreement_code"),
            models.Index(
                fields=["expires_at"],
                name="acquiring_agreement_stale",
                condition=Q(state__in=["open", "declined"]),
            ),
        ]


class Subscription(models.Model):
    """A payment that comes again every period, under the agreement of the same id. Amounts in minor units."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    client_ref = models.CharField(max_length=64)
    request_ref = models.CharField(max_length=64)
    input_hash = models.BinaryField()
    description = models.CharField(max_length=256)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    ceiling = models.BigIntegerField()
    period_kind = models.CharField(max_length=20)
    period_count = models.IntegerField()
    state = models.CharField(max_length=10)
    created_at = models.DateTimeField()
    start_at = models.DateTimeField()
    anchor_at = models.DateTimeField()
    anchor_phase = models.IntegerField()
    before_anchor_at = models.DateTimeField(null=True)
    phase = models.IntegerField()
    attempt = models.SmallIntegerField()
    next_at = models.DateTimeField(null=True)
    end_at = models.DateTimeField(null=True)
    trials = models.JSONField()
    allow_retry = models.BooleanField()
    method_type = models.CharField(max_length=64)
    settlement_currency = models.CharField(max_length=3, null=True)
    notify_url = models.CharField(max_length=2048, null=True)
    payment_notify_url = models.CharField(max_length=2048, null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acquiring_subscription"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "client_ref", "request_ref"], name="acquiring_subscription_request"
            ),
            models.CheckConstraint(
                name="acquiring_subscription_terms",
                condition=Q(amount__gt=0, ceiling__gte=F("amount"), period_count__gt=0)
                & Q(phase__gt=0, attempt__gt=0, anchor_phase__gt=0),
            ),
            # What is not active is never charged.
            models.CheckConstraint(
                name="acquiring_subscription_state",
                condition=Q(state="active")
                | Q(state__in=["open", "cancelled", "terminated"], next_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at"], name="acquiring_subscription_due", condition=Q(next_at__isnull=False)
            ),
            models.Index(fields=["merchant_id", "start_at", "id"], name="acquiring_subscription_starts"),
        ]


class SubscriptionChange(models.Model):
    """A change of a subscription, by the request that asked for it: `change` and `update` count apart."""

    pk = models.CompositePrimaryKey("merchant_id", "client_ref", "event", "request_ref")
    merchant_id = models.UUIDField()
    client_ref = models.CharField(max_length=64)
    event = models.CharField(max_length=16, db_default="CHANGE")
    request_ref = models.CharField(max_length=64)
    subscription_id = models.UUIDField()
    input_hash = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acquiring_subscription_change"


class SubscriptionPayment(models.Model):
    """Which payment a phase was charged with: the key is what makes each try one."""

    pk = models.CompositePrimaryKey("merchant_id", "subscription_id", "phase", "attempt")
    merchant_id = models.UUIDField()
    subscription_id = models.UUIDField()
    phase = models.IntegerField()
    attempt = models.SmallIntegerField()
    payment_id = models.UUIDField()

    class Meta:
        db_table = "acquiring_subscription_payment"
