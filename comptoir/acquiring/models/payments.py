"""Tables of payments and of what is done to them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


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
            models.Index(fields=["merchant_id", "created_at", "id"], name="acquiring_payment_made"),
            models.Index(
                fields=["merchant_id", "store_ref", "created_at", "id"], name="acquiring_payment_store"
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
    details = models.JSONField(null=True)

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
        indexes = [
            models.Index(fields=["merchant_id", "payment_id"], name="acquiring_refund_payment"),
            models.Index(fields=["merchant_id", "created_at", "id"], name="acquiring_refund_made"),
        ]


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
