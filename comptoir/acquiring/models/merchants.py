"""Tables of merchants: contracts, stores, tills, the codes on their walls."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


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
    """A place where a merchant sells. Its day is that of `time_zone`, a name of the IANA database."""

    pk = models.CompositePrimaryKey("merchant_id", "id")
    merchant_id = models.UUIDField()
    id = models.UUIDField()
    ref = models.CharField(max_length=64)
    name = models.CharField(max_length=256)
    mcc = models.CharField(max_length=4)
    city = models.CharField(max_length=64)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=64)
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
