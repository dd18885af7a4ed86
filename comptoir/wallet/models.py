"""Tables of the issuer. Every one that grows carries the wallet's id first in its key."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Wallet(models.Model):
    """A consumer's wallet: one home currency, one account in the books, its own limits (minor units)."""

    id = models.UUIDField(primary_key=True)
    holder_id = models.UUIDField(db_index=True)
    display_name = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=6, default="active")
    # Whether the holder froze it, who may then thaw it; what the operator froze, the operator thaws.
    frozen_by_holder = models.BooleanField(default=False, db_default=False)
    # The holder's logins that are older than this are over: they may be in the hands of who has the phone.
    logins_from = models.DateTimeField(null=True)
    # Six digits have a million values: the argon2 hash is sealed too, so a stolen table alone gives no PIN.
    sealed_pin_hash = models.BinaryField()
    pin_failures = models.SmallIntegerField(default=0)
    pin_locked_until = models.DateTimeField(null=True)
    no_pin_limit = models.BigIntegerField()
    payment_limit = models.BigIntegerField()
    day_limit = models.BigIntegerField()
    # The most that the holder may choose: what the operator set last. None until the holder has chosen.
    most_no_pin = models.BigIntegerField(null=True)
    most_payment = models.BigIntegerField(null=True)
    most_day = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "wallet_wallet"
        constraints = [
            models.CheckConstraint(
                name="wallet_wallet_chosen",
                condition=Q(most_no_pin__isnull=True, most_payment__isnull=True, most_day__isnull=True)
                | Q(
                    most_no_pin__gte=F("no_pin_limit"),
                    most_payment__gte=F("payment_limit"),
                    most_day__gte=F("day_limit"),
                ),
            ),
            models.CheckConstraint(
                name="wallet_wallet_limits",
                condition=Q(no_pin_limit__gte=0, payment_limit__gte=0, day_limit__gte=0),
            ),
            models.CheckConstraint(
                name="wallet_wallet_state", condition=Q(state__in=["active", "frozen", "closed"])
            ),
        ]


class Device(models.Model):
    """A phone that shows payment codes. `sealed_seed` is encrypted with the master key."""

    number = models.IntegerField(primary_key=True)
    wallet_id = models.UUIDField(db_index=True)
    name = models.CharField(max_length=64)
    sealed_seed = models.BinaryField()
    active = models.BooleanField(default=True)
    bad_codes = models.SmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "wallet_device"
        constraints = [
            models.CheckConstraint(
                name="wallet_device_number", condition=Q(number__gte=10_000_000, number__lte=99_999_999)
            )
        ]


class SpentCode(models.Model):
    """A code that was presented: the primary key is what makes it single use, whoever races."""

    pk = models.CompositePrimaryKey("wallet_id", "device_number", "window", "n")
    wallet_id = models.UUIDField()
    device_number = models.IntegerField()
    window = models.IntegerField()
    n = models.SmallIntegerField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "wallet_spent_code"


class Authorization(models.Model):
    """What a traveller was asked to pay, and what became of it."""

    pk = models.CompositePrimaryKey("wallet_id", "id")
    wallet_id = models.UUIDField()
    id = models.UUIDField()
    merchant_id = models.UUIDField()
    payment_id = models.UUIDField()
    payee = models.CharField(max_length=256)
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField()
    margin = models.BigIntegerField()
    charge_currency = models.CharField(max_length=3)
    charge = models.BigIntegerField()
    price = models.DecimalField(max_digits=38, decimal_places=20)
    quote_id = models.UUIDField()
    state = models.CharField(max_length=10)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    spent_on = models.DateField()
    decided_at = models.DateTimeField(null=True)
    refunded = models.BigIntegerField(default=0)
    captured = models.BigIntegerField(db_default=0)
    approved = models.BigIntegerField(db_default=0)
    agreement_id = models.UUIDField(null=True)
    device = models.IntegerField(null=True)
    acted_on = models.IntegerField(null=True)

    class Meta:
        db_table = "wallet_authorization"
        constraints = [
            models.CheckConstraint(
                name="wallet_authorization_amounts",
                condition=Q(total__gt=0, charge__gt=0, margin__gte=0, margin__lte=F("total"), price__gt=0),
            ),
            models.CheckConstraint(
                name="wallet_authorization_refunded", condition=Q(refunded__gte=0, refunded__lte=F("total"))
            ),
            models.CheckConstraint(
                name="wallet_authorization_state",
                condition=Q(
                    state__in=[
                        "waiting",
                        "authorised",
                        "held",
                        "released",
                        "declined",
                        "expired",
                        "cancelled",
                        "refused",
                    ]
                ),
            ),
            # An authorization gives no more than it holds, and gets back no more than it gave.
            models.CheckConstraint(
                name="wallet_authorization_captured",
                condition=Q(captured=0, refunded=0)
                | Q(state="authorised", captured=0)
                | Q(state__in=["held", "released"], captured__gte=F("refunded"), captured__lte=F("total")),
            ),
            # A payment stands in the statement at the instant it was decided.
            models.CheckConstraint(
                name="wallet_authorization_decided",
                condition=~Q(state__in=["authorised", "held", "released"]) | Q(decided_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["wallet_id", "decided_at", "id"],
                name="wallet_authorization_paid",
                condition=Q(state="authorised"),
            ),
            models.Index(
                fields=["wallet_id"], name="wallet_authorization_waiting", condition=Q(state="waiting")
            ),
            models.Index(fields=["wallet_id"], name="wallet_authorization_held", condition=Q(state="held")),
            # What an agreement debited on a day, for its limit.
            models.Index(
                fields=["wallet_id", "agreement_id", "spent_on"],
                name="wallet_authorization_agreed",
                condition=Q(agreement_id__isnull=False),
            ),
        ]


class Agreement(models.Model):
    """A merchant may debit the wallet without asking each time, within limits (minor units)."""

    pk = models.CompositePrimaryKey("wallet_id", "id")
    wallet_id = models.UUIDField()
    id = models.UUIDField()
    merchant_id = models.UUIDField()
    payee = models.CharField(max_length=256)
    payment_limit = models.BigIntegerField()
    day_limit = models.BigIntegerField()
    state = models.CharField(max_length=6)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "wallet_agreement"
        constraints = [
            models.CheckConstraint(
                name="wallet_agreement_limits",
                condition=Q(payment_limit__gt=0, day_limit__gte=F("payment_limit")),
            ),
            models.CheckConstraint(
                name="wallet_agreement_state",
                condition=Q(state="active", ended_at__isnull=True) | Q(state="ended", ended_at__isnull=False),
            ),
        ]


class WalletCapture(models.Model):
    """Money that left a wallet by a capture: a line of its statement."""

    pk = models.CompositePrimaryKey("wallet_id", "id")
    wallet_id = models.UUIDField()
    id = models.UUIDField()
    authorization_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    charge_currency = models.CharField(max_length=3)
    charge = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "wallet_capture"
        constraints = [
            models.CheckConstraint(name="wallet_capture_amounts", condition=Q(amount__gt=0, charge__gt=0))
        ]
        indexes = [models.Index(fields=["wallet_id", "created_at", "id"], name="wallet_capture_statement")]


class WalletCredit(models.Model):
    """Money that came into a wallet."""

    pk = models.CompositePrimaryKey("wallet_id", "id")
    wallet_id = models.UUIDField()
    id = models.UUIDField()
    kind = models.CharField(max_length=8)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    authorization_id = models.UUIDField(null=True)
    note = models.CharField(max_length=256, default="")
    # What the shop gave back, in its own currency.
    charge_currency = models.CharField(max_length=3, null=True)
    charge = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "wallet_credit"
        constraints = [
            models.CheckConstraint(name="wallet_credit_amount", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="wallet_credit_charge",
                condition=Q(charge__isnull=True, charge_currency__isnull=True)
                | Q(charge__gt=0, charge_currency__isnull=False, authorization_id__isnull=False),
            ),
            # What comes back, comes back for a payment; a top-up is for none.
            models.CheckConstraint(
                name="wallet_credit_kind",
                condition=Q(kind="top_up", authorization_id__isnull=True)
                | Q(kind__in=["refund", "reversal"], authorization_id__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["wallet_id", "created_at", "id"], name="wallet_credit_statement")]


class DaySpending(models.Model):
    """What a wallet spent on a day in China, for its day limit."""

    pk = models.CompositePrimaryKey("wallet_id", "on")
    wallet_id = models.UUIDField()
    on = models.DateField()
    spent = models.BigIntegerField()

    class Meta:
        db_table = "wallet_day_spending"
        constraints = [models.CheckConstraint(name="wallet_day_spending_spent", condition=Q(spent__gte=0))]


class Upstream(models.Model):
    """An account of ours with whoever holds other wallets. `sealed_private_key` opens with the master key."""

    name = models.CharField(primary_key=True, max_length=32)
    family = models.CharField(max_length=3)
    url = models.CharField(max_length=512)
    client_ref = models.CharField(max_length=64)
    key_version = models.IntegerField()
    sealed_private_key = models.BinaryField()
    public_key = models.BinaryField()
    their_public_key = models.BinaryField()
    prefixes = ArrayField(models.CharField(max_length=16))
    settlement_currency = models.CharField(max_length=3, null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "wallet_upstream"
        constraints = [
            models.CheckConstraint(name="wallet_upstream_family", condition=Q(family__in=["aps", "ams"])),
            models.CheckConstraint(name="wallet_upstream_key_version", condition=Q(key_version__gte=1)),
        ]
