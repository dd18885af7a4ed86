"""Tables of the acquirer. Every one carries the merchant's id first in its key."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from comptoir.acquiring.types import DisputeKind, DisputeState


class Merchant(models.Model):
    """A business that takes payments; brought in by an office."""

    id = models.UUIDField(primary_key=True)
    office_id = models.UUIDField()
    ref = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=256)
    mcc = models.CharField(max_length=4)
    country = models.CharField(max_length=2)
    status = models.CharField(max_length=9, default="active")
    sandbox = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acquiring_merchant"
        constraints = [
            models.CheckConstraint(
                name="acquiring_merchant_status", condition=Q(status__in=["active", "suspended"])
            )
        ]


class Store(models.Model):
    """A place where a merchant sells."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    ref = models.CharField(max_length=64)
    name = models.CharField(max_length=256)
    mcc = models.CharField(max_length=4)
    city = models.CharField(max_length=64)
    country = models.CharField(max_length=2)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acquiring_store"
        constraints = [models.UniqueConstraint(fields=["merchant_id", "ref"], name="acquiring_store_ref")]


class Terminal(models.Model):
    """A till in a store."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    store_id = models.UUIDField()
    ref = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acquiring_terminal"
        constraints = [
            models.UniqueConstraint(fields=["merchant_id", "store_id", "ref"], name="acquiring_terminal_ref")
        ]


class EntryCode(models.Model):
    """The code on a store's wall. `client_ref` is the merchant's machine that is told of its payments.

    Looked up by `ref` alone, like an order code: that is all a phone knows. 128 random bits are unique
    without a constraint that would have to span all merchants.
    """

    pk = models.CompositePrimaryKey("merchant_id", "ref")
    merchant_id = models.UUIDField()
    ref = models.CharField(max_length=22)
    store_id = models.UUIDField()
    client_ref = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acquiring_entry_code"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "store_id", "currency"],
                name="acquiring_entry_code_live",
                condition=Q(withdrawn_at__isnull=True),
            )
        ]
        indexes = [models.Index(fields=["ref"], name="acquiring_entry_code_ref")]


class Contract(models.Model):
    """What a merchant agreed to for one settlement currency. Times in seconds and days, margin in bps."""

    pk = models.CompositePrimaryKey("merchant_id", "settlement_currency")
    merchant_id = models.UUIDField()
    settlement_currency = models.CharField(max_length=3)
    payment_currencies = ArrayField(models.CharField(max_length=3))
    margin_bps = models.IntegerField()
    in_store_expiry_s = models.IntegerField(default=600)
    online_expiry_s = models.IntegerField(default=840)
    refund_window_days = models.IntegerField(default=365)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acquiring_contract"
        constraints = [
            models.CheckConstraint(
                name="acquiring_contract_terms",
                condition=Q(margin_bps__gte=0, margin_bps__lte=1000)
                & Q(in_store_expiry_s__gt=0, in_store_expiry_s__lte=1500)
                & Q(online_expiry_s__gt=0, online_expiry_s__lte=1500)
                & Q(refund_window_days__gt=0),
            )
        ]


class Payment(models.Model):
    """A payment, from the ask to its end. Amounts in minor units."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    client_ref = models.CharField(max_length=64)
    request_ref = models.CharField(max_length=64)
    input_hash = models.BinaryField()
    product = models.CharField(max_length=32)
    scenario = models.CharField(max_length=16, null=True)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    settlement_currency = models.CharField(max_length=3)
    settlement = models.BigIntegerField()
    settlement_price = models.DecimalField(max_digits=38, decimal_places=20)
    state = models.CharField(max_length=10)
    failure_code = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    method_type = models.CharField(max_length=64)
    issuer = models.CharField(max_length=32, null=True)
    wallet_id = models.UUIDField(null=True)
    authorization_id = models.UUIDField(null=True)
    wallet_currency = models.CharField(max_length=3, null=True)
    wallet_total = models.BigIntegerField(null=True)
    wallet_margin = models.BigIntegerField(null=True)
    quote_id = models.UUIDField(null=True)
    quote_price = models.DecimalField(max_digits=38, decimal_places=20, null=True)
    quote_from = models.DateTimeField(null=True)
    quote_until = models.DateTimeField(null=True)
    customer_ref = models.CharField(max_length=64, null=True)
    order_code = models.CharField(max_length=24, null=True)
    refunded = models.BigIntegerField(default=0)
    wallet_refunded = models.BigIntegerField(default=0)
    margin_refunded = models.BigIntegerField(default=0)
    settlement_refunded = models.BigIntegerField(default=0)
    store_ref = models.CharField(max_length=64, null=True)
    terminal_ref = models.CharField(max_length=64, null=True)
    notify_url = models.CharField(max_length=2048, null=True)
    redirect_url = models.CharField(max_length=2048, null=True)
    details = models.JSONField()
    asked_quote_id = models.UUIDField(null=True)
    capture_mode = models.CharField(max_length=9, null=True)
    auth_expires_at = models.DateTimeField(null=True)
    hold_id = models.UUIDField(null=True)
    captured = models.BigIntegerField(db_default=0)
    wallet_captured = models.BigIntegerField(db_default=0)
    margin_captured = models.BigIntegerField(db_default=0)
    settlement_captured = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "acquiring_payment"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "client_ref", "request_ref"], name="acquiring_payment_request"
            ),
            models.CheckConstraint(
                name="acquiring_payment_state",
                condition=Q(state__in=["PROCESSING", "SUCCESS", "FAIL", "CANCELLED"]),
            ),
            models.CheckConstraint(
                name="acquiring_payment_amount", condition=Q(amount__gt=0, settlement__gt=0)
            ),
            # However a refund is asked for, no more goes back than came.
            models.CheckConstraint(
                name="acquiring_payment_refunded",
                condition=Q(refunded__gte=0, refunded__lte=F("amount"))
                & Q(settlement_refunded__gte=0, settlement_refunded__lte=F("settlement")),
            ),
            models.CheckConstraint(
                name="acquiring_payment_wallet_refunded",
                condition=Q(wallet_refunded=0, margin_refunded=0)
                | Q(wallet_refunded__gte=0, wallet_refunded__lte=F("wallet_total"))
                & Q(margin_refunded__gte=0, margin_refunded__lte=F("wallet_margin")),
            ),
            # A payment that was asked for at a quote is never priced at another.
            models.CheckConstraint(
                name="acquiring_payment_asked_quote",
                condition=Q(asked_quote_id__isnull=True)
                | Q(quote_id__isnull=True)
                | Q(asked_quote_id=F("quote_id")),
            ),
            models.CheckConstraint(
                name="acquiring_payment_capture_mode",
                condition=Q(capture_mode__isnull=True, hold_id__isnull=True, captured=0)
                | Q(capture_mode="AUTOMATIC", hold_id__isnull=True)
                | Q(capture_mode="MANUAL"),
            ),
            # However captures are asked for, no more is taken than was authorized, and of an authorization no
            # more is given back than was taken.
            models.CheckConstraint(
                name="acquiring_payment_captured",
                condition=Q(capture_mode__isnull=True)
                | Q(captured=0, wallet_captured=0, margin_captured=0, settlement_captured=0, refunded=0)
                | Q(captured__gt=0, captured__lte=F("amount"), refunded__lte=F("captured"))
                & Q(wallet_captured__gte=F("wallet_refunded"), wallet_captured__lte=F("wallet_total"))
                & Q(margin_captured__gte=F("margin_refunded"), margin_captured__lte=F("wallet_margin"))
                & Q(
                    settlement_captured__gte=F("settlement_refunded"),
                    settlement_captured__lte=F("settlement"),
                ),
            ),
            models.CheckConstraint(
                name="acquiring_payment_hold",
                condition=Q(hold_id__isnull=True)
                | Q(
                    state="SUCCESS",
                    auth_expires_at__isnull=False,
                    wallet_id__isnull=False,
                    captured__lt=F("amount"),
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], name="acquiring_payment_due", condition=Q(state="PROCESSING")
            ),
            models.Index(
                fields=["auth_expires_at"],
                name="acquiring_payment_held",
                condition=Q(hold_id__isnull=False),
            ),
            models.Index(
                fields=["order_code"], name="acquiring_payment_code", condition=Q(order_code__isnull=False)
            ),
        ]


class Refund(models.Model):
    """Money going back for one payment: in the payment's currency, and what the wallet got of it."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    payment_id = models.UUIDField()
    client_ref = models.CharField(max_length=64)
    request_ref = models.CharField(max_length=64)
    input_hash = models.BinaryField()
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    state = models.CharField(max_length=10)
    failure_code = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    wallet_currency = models.CharField(max_length=3, null=True)
    wallet_amount = models.BigIntegerField(null=True)
    wallet_margin = models.BigIntegerField(null=True)
    settlement_currency = models.CharField(max_length=3, null=True)
    settlement = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=256, null=True)
    notify_url = models.CharField(max_length=1024, null=True)
    capture_id = models.UUIDField(null=True)
    disputed = models.BooleanField(db_default=False)

    class Meta:
        db_table = "acquiring_refund"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "client_ref", "request_ref"], name="acquiring_refund_request"
            ),
            models.CheckConstraint(name="acquiring_refund_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="acquiring_refund_state", condition=Q(state__in=["PROCESSING", "SUCCESS", "FAIL"])
            ),
        ]
        indexes = [models.Index(fields=["merchant_id", "payment_id"], name="acquiring_refund_payment")]


class Capture(models.Model):
    """Money taken of an authorization, or asked for in vain: in the payment's currency, and of each side."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    payment_id = models.UUIDField()
    client_ref = models.CharField(max_length=64)
    request_ref = models.CharField(max_length=64)
    input_hash = models.BinaryField()
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    state = models.CharField(max_length=10)
    failure_code = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField()
    wallet_currency = models.CharField(max_length=3, null=True)
    wallet_amount = models.BigIntegerField(null=True)
    wallet_margin = models.BigIntegerField(null=True)
    settlement_currency = models.CharField(max_length=3, null=True)
    settlement = models.BigIntegerField(null=True)
    refunded = models.BigIntegerField(default=0)

    class Meta:
        db_table = "acquiring_capture"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "client_ref", "request_ref"], name="acquiring_capture_request"
            ),
            models.CheckConstraint(
                name="acquiring_capture_state", condition=Q(state__in=["SUCCESS", "FAIL"])
            ),
            models.CheckConstraint(
                name="acquiring_capture_amount",
                condition=Q(amount__gt=0, refunded__gte=0, refunded__lte=F("amount")),
            ),
        ]
        indexes = [models.Index(fields=["merchant_id", "payment_id"], name="acquiring_capture_payment")]


class AmountUpdate(models.Model):
    """A change of an authorized amount, made or refused."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    payment_id = models.UUIDField()
    client_ref = models.CharField(max_length=64)
    request_ref = models.CharField(max_length=64)
    input_hash = models.BinaryField()
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    before_currency = models.CharField(max_length=3)
    before = models.BigIntegerField()
    state = models.CharField(max_length=10)
    failure_code = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acquiring_amount_update"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "client_ref", "request_ref"], name="acquiring_amount_update_request"
            ),
            models.CheckConstraint(
                name="acquiring_amount_update_state", condition=Q(state__in=["SUCCESS", "FAIL"])
            ),
            models.CheckConstraint(name="acquiring_amount_update_amount", condition=Q(amount__gt=0)),
        ]
        indexes = [models.Index(fields=["merchant_id", "payment_id"], name="acquiring_amount_update_of")]


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
            )
        ]


class SubscriptionChange(models.Model):
    """A change of a subscription, by the request that asked for it."""

    pk = models.CompositePrimaryKey("merchant_id", "client_ref", "request_ref")
    merchant_id = models.UUIDField()
    client_ref = models.CharField(max_length=64)
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
